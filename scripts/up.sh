#!/usr/bin/env bash
# Starts whatever of the platform does not run yet, waits until it is ready, and loads the demo
# catalogue into an empty store. What it started itself it stops again where that fails.
starting=yes
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

started=()

undo() {
	local name
	for name in "${started[@]}"; do
		case $name in
		*-nginx) stop "$name" QUIT ;;
		postgres) stop "$name" INT ;;
		*) stop "$name" TERM ;;
		esac
	done
}

# fail NAME MESSAGE: the end of that process' log says why.
fail() {
	printf 'error: %s. The last lines of %s/log/%s.log:\n' "$2" "$STATE_DIR" "$1" >&2
	tail -n 12 "$STATE_DIR/log/$1.log" >&2
	undo
	exit 1
}

check_port() { # check_port NAME SETTING
	local port
	port=$(setting "$1" "$2")
	if port_taken "$port"; then
		die "port $port is taken by another program: choose free ones, ${1^^}_$2=… make up"
	fi
}

start() {
	started=("$1-$2" "${started[@]}")
	"start_$2" "$1"
}

# What runs keeps its store and its number of replicas.
check_choice() {
	local file name
	[[ $DB == sqlite || $DB == postgres ]] || die "DB=$DB: must be sqlite or postgres"
	[[ $REPLICAS == [1-9] ]] || die "REPLICAS=$REPLICAS: must be a number from 1 to 9"
	if ((REPLICAS > 1)); then
		for name in "${services[@]}"; do
			[[ $(database_url "$name") == postgresql:* ]] ||
				die 'SQLite is for one worker of a service: DB=postgres for replicas'
		done
	fi
	if [[ "$DB $REPLICAS" != "$chosen_db $chosen_replicas" ]]; then
		for file in "$STATE_DIR"/run/*.pid; do
			name=${file##*/}
			! running "${name%.pid}" >/dev/null ||
				die "it is up with DB=$chosen_db REPLICAS=$chosen_replicas: \"make down\" first"
		done
	fi
	printf '%s %s\n' "$DB" "$REPLICAS" >"$choice_file"
}

# The cluster, and a database for each service in it.
up_cluster() {
	local deadline=$((SECONDS + ready_seconds)) name
	scripts/install-packages.sh postgres
	mkdir -p "$STATE_DIR/postgres"
	[[ $(id -u) != 0 ]] || chmod go+x "$STATE_DIR"
	if ! running postgres >/dev/null; then
		started=(postgres "${started[@]}")
		start_cluster
	fi
	until cluster_ready; do
		running postgres >/dev/null || fail postgres 'PostgreSQL ended'
		((SECONDS < deadline)) || fail postgres "PostgreSQL is not ready after $ready_seconds s"
		sleep 0.1
	done
	for name in "${services[@]}"; do
		[[ -n $(cluster_query "SELECT 1 FROM pg_database WHERE datname = '$name'") ]] ||
			cluster_query "CREATE DATABASE \"$name\""
	done
}

wait_ready() {
	local name=$1 deadline=$((SECONDS + ready_seconds))
	until ready "$name"; do
		running "$name-worker" >/dev/null || fail "$name-worker" "the $name worker ended"
		running "$name-nginx" >/dev/null || fail "$name-nginx" "the $name sidecar ended"
		((SECONDS < deadline)) || fail "$name-worker" "$name is not ready after $ready_seconds s"
		sleep 0.1
	done
}

wait_gateway() {
	local deadline=$((SECONDS + ready_seconds))
	until curl -fsS -o /dev/null --max-time 2 "$(gateway_url)/products?limit=1" 2>/dev/null; do
		running gateway-nginx >/dev/null || fail gateway-nginx 'the gateway ended'
		((SECONDS < deadline)) || fail gateway-nginx "no answer through the gateway after $ready_seconds s"
		sleep 0.1
	done
}

up_prometheus() {
	local deadline=$((SECONDS + ready_seconds))
	started=(prometheus "${started[@]}")
	start_prometheus
	until prometheus_ready; do
		running prometheus >/dev/null || fail prometheus 'Prometheus ended'
		((SECONDS < deadline)) || fail prometheus "Prometheus is not ready after $ready_seconds s"
		sleep 0.1
	done
}

seed() {
	local url answer
	url="$(gateway_url)/products"
	[[ $(curl -fsS --max-time 10 "$url?limit=1") == '[]' ]] || return 0
	answer=$(curl -fsS --max-time 60 -H 'Content-Type: application/x-ndjson' \
		--data-binary @scripts/catalogue.ndjson "$url/bulk") ||
		fail product-worker 'the demo catalogue was not accepted'
	say "Loaded a demo catalogue of $(grep -c . <<<"$answer") products"
}

# A program that was built again is not the one that runs.
note_rebuilt() {
	local name
	for name in "${replicas[@]}"; do
		if [[ build/$VARIANT/${name%%-*}-service -nt $(pid_file "$name-worker") ]]; then
			say 'The programs were built again since: "make down up" runs them.'
			return
		fi
	done
}

print_urls() {
	local name
	for name in "${replicas[@]}"; do
		printf '  %-9s http://127.0.0.1:%s/   internal http://127.0.0.1:%s/\n' "$name" \
			"$(setting "$name" PORT)" "$(setting "$name" INTERNAL_PORT)"
	done
	printf '  %-9s %s/products  /carts  /orders\n' gateway "$(gateway_url)"
	if running prometheus >/dev/null; then
		printf '  %-9s http://127.0.0.1:%s/\n' metrics "$PROMETHEUS_PORT"
	fi
	printf '\nTry it:\n'
	printf "  curl -s '%s/products?q=lamp&limit=3'\n  make demo\n" "$(gateway_url)"
}

umask 077
mkdir -p "$STATE_DIR"/{run,log,data}
check_choice
replicas=()
for name in "${services[@]}"; do
	read -ra more <<<"$(replicas_of "$name")"
	replicas+=("${more[@]}")
done
for name in "${replicas[@]}"; do
	if ! running "$name-nginx" >/dev/null; then
		check_port "$name" PORT
		check_port "$name" INTERNAL_PORT
		render_sidecar "$name"
	fi
done
if ((REPLICAS > 1)) && ! running balancer-nginx >/dev/null; then
	check_port product BALANCER_PORT
	check_port cart BALANCER_PORT
	render_balancer
fi
if ! running gateway-nginx >/dev/null; then
	check_port gateway PORT
	render_gateway
fi
if [[ $OBSERVE == 1 ]] && ! running prometheus >/dev/null; then
	scripts/install-packages.sh observe
	check_port prometheus PORT
fi

trap 'undo; exit 130' INT TERM
[[ $DB != postgres ]] || up_cluster
((REPLICAS == 1)) || running balancer-nginx >/dev/null || start balancer nginx
for service in "${services[@]}"; do
	for name in $(replicas_of "$service"); do
		running "$name-worker" >/dev/null || start "$name" worker
		running "$name-nginx" >/dev/null || start "$name" nginx
	done
	for name in $(replicas_of "$service"); do
		wait_ready "$name"
	done
done
running gateway-nginx >/dev/null || start gateway nginx
wait_gateway
[[ $OBSERVE != 1 ]] || running prometheus >/dev/null || up_prometheus
trap - INT TERM

if ((${#started[@]} == 0)); then
	say 'It is up already.'
	note_rebuilt
else
	seed
	say 'The platform is up.'
fi
print_urls
