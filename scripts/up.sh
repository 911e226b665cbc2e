#!/usr/bin/env bash
# Starts whatever of the platform does not run yet, waits until it is ready, and loads the demo
# catalogue into an empty store. What it started itself it stops again where that fails.
starting=yes
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

# Stops what did not run before, once starting it failed or was interrupted.
undo() {
	local name signal
	while read -r name signal; do
		[[ -v ran_before[$name] ]] || stop "$name" "$signal" || true
	done < <(stop_order)
	anything_runs || rm -f "$choice_file"
}

# fail NAME MESSAGE: the end of that process' log says why.
fail() {
	printf 'error: %s. The last lines of %s/log/%s.log:\n' "$2" "$STATE_DIR" "$1" >&2
	tail -n 12 "$STATE_DIR/log/$1.log" >&2
	exit 1
}

# What runs keeps its store, its number of replicas and its ports.
check_choice() {
	local name
	if ((REPLICAS > 1)); then
		for name in "${services[@]}"; do
			[[ $(database_url "$name") == postgresql:* ]] ||
				die "REPLICAS=$REPLICAS: SQLite is for one worker of a service, DB=postgres for replicas"
		done
	fi
	if anything_runs; then
		for name in "${!chosen[@]}"; do
			[[ ${!name} == "${chosen[$name]}" ]] ||
				die "it is up with $name=${chosen[$name]}: \"make down\" first"
		done
	fi
}

# check_ports [NAME SETTING]…: no two of all are the same, and nobody else listens on these.
check_ports() {
	local name port taken=0
	local -A users=()
	for name in gateway prometheus "${replicas[@]}"; do
		add_port "$name" PORT
	done
	for name in "${replicas[@]}"; do
		add_port "$name" INTERNAL_PORT
		add_port "$name" HEALTH_PORT
	done
	add_port product BALANCER_PORT
	add_port cart BALANCER_PORT
	while (($#)); do
		port=$(setting "$1" "$2")
		if port_taken "$port"; then
			printf 'error: port %s is taken by another program: choose a free one, make up %s=…\n' \
				"$port" "$(setting_name "$1" "$2")" >&2
			taken=1
		fi
		shift 2
	done
	((!taken)) || exit 1
}

add_port() {
	local port user
	port=$(setting "$1" "$2")
	user="$(setting_name "$1" "$2") of $1"
	[[ ! -v users[$port] ]] || die "port $port is chosen twice, as ${users[$port]} and as $user"
	users[$port]=$user
}

# The cluster, and a database for each service in it.
up_cluster() {
	local name
	running postgres >/dev/null || start_cluster
	await_cluster postgres || fail postgres 'PostgreSQL ended or is not ready in time'
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
		sleep 0.02
	done
}

wait_gateway() {
	local deadline=$((SECONDS + ready_seconds))
	until curl -fsS -o /dev/null --max-time 2 "$(gateway_url)/products?limit=1" 2>/dev/null; do
		running gateway-nginx >/dev/null || fail gateway-nginx 'the gateway ended'
		((SECONDS < deadline)) || fail gateway-nginx "no answer through the gateway after $ready_seconds s"
		sleep 0.02
	done
}

up_prometheus() {
	local deadline=$((SECONDS + ready_seconds))
	start_prometheus
	until prometheus_ready; do
		running prometheus >/dev/null || fail prometheus 'Prometheus ended'
		((SECONDS < deadline)) || fail prometheus "Prometheus is not ready after $ready_seconds s"
		sleep 0.02
	done
}

seed() {
	local url answer refused
	url="$(gateway_url)/products"
	[[ $(curl -fsS --max-time 10 "$url?limit=1") == '[]' ]] || return 0
	answer=$(curl -fsS --max-time 60 -H 'Content-Type: application/x-ndjson' \
		--data-binary @scripts/catalogue.ndjson "$url/bulk") ||
		fail product-worker 'the demo catalogue was not accepted'
	refused=$(grep -F '"status":"error"' <<<"$answer" | head -n 5) || true
	[[ -z $refused ]] ||
		fail product-worker "the demo catalogue was refused in part, from these lines on: $refused"
	say "Loaded a demo catalogue of $(grep -cF '"status":"created"' <<<"$answer") products"
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

# row NAME API [DOCS [HEALTH]]
row() {
	local line
	printf -v line '  %-10s %-31s  %-36s  %s' "$1" "$2" "${3:-}" "${4:-}"
	while [[ $line == *' ' ]]; do line=${line% }; done
	say "$line"
}

print_urls() {
	local name gateway at=http://127.0.0.1
	gateway=$(gateway_url)
	say
	row '' API 'interactive documentation' 'health, metrics'
	row gateway "$gateway/products" "$gateway/products/docs"
	row '' "$gateway/carts" "$gateway/carts/docs"
	row '' "$gateway/orders" "$gateway/orders/docs"
	for name in "${replicas[@]}"; do
		row "$name" "$at:$(setting "$name" PORT)/" "$at:$(setting "$name" PORT)/docs" \
			"$at:$(setting "$name" HEALTH_PORT)/"
	done
	if running prometheus >/dev/null; then
		row prometheus "$at:$PROMETHEUS_PORT/"
	fi
	say
	say 'Next:'
	say '  make demo                        buys something and shows every step'
	say "  curl -s '$gateway/products?q=lamp&limit=3'"
	say '  make status, make logs, make down'
}

# Sets wanted, the pairs for check_ports of what is to be started.
find_wanted() {
	local name
	wanted=()
	for name in "${replicas[@]}"; do
		if ! running "$name-nginx" >/dev/null; then
			stop "$name-nginx" TERM || true # what a killed one left
			wanted+=("$name" PORT "$name" INTERNAL_PORT "$name" HEALTH_PORT)
		fi
	done
	if ((REPLICAS > 1)) && ! running balancer-nginx >/dev/null; then
		stop balancer-nginx TERM || true
		wanted+=(product BALANCER_PORT cart BALANCER_PORT)
	fi
	if ! running gateway-nginx >/dev/null; then
		stop gateway-nginx TERM || true
		wanted+=(gateway PORT)
	fi
	if [[ $OBSERVE == 1 ]] && ! running prometheus >/dev/null; then
		wanted+=(prometheus PORT)
	fi
}

# Whether these settings have it.
is_wanted() {
	case $1 in
	prometheus) ((OBSERVE)) ;;
	balancer-nginx) ((REPLICAS > 1)) ;;
	postgres) [[ $DB == postgres ]] ;;
	esac
}

up_service() {
	local name
	for name in $(replicas_of "$1"); do
		running "$name-worker" >/dev/null || start_worker "$name"
		if ! running "$name-nginx" >/dev/null; then
			render_sidecar "$name"
			start_nginx "$name"
		fi
	done
	for name in $(replicas_of "$1"); do
		wait_ready "$name"
	done
}

up_all() {
	local service
	[[ $DB != postgres ]] || up_cluster
	if ((REPLICAS > 1)) && ! running balancer-nginx >/dev/null; then
		render_balancer
		start_nginx balancer
	fi
	for service in "${services[@]}"; do
		up_service "$service"
	done
	if ! running gateway-nginx >/dev/null; then
		render_gateway
		start_nginx gateway
	fi
	wait_gateway
	[[ $OBSERVE != 1 ]] || running prometheus >/dev/null || up_prometheus
	((complete)) || seed
}

[[ $DB != postgres ]] || scripts/install-packages.sh postgres
[[ $OBSERVE != 1 ]] || scripts/install-packages.sh observe
take_state_dir
replicas=()
for service in "${services[@]}"; do
	read -ra more <<<"$(replicas_of "$service")"
	replicas+=("${more[@]}")
done
check_choice
# A killed worker's socket remembers its database, for others that might take it over: here the database
# is chosen anew.
anything_runs || rm -f "$STATE_DIR"/run/*.sock.lock
find_wanted
check_ports "${wanted[@]}"

declare -A ran_before=()
complete=1
while read -r name _; do
	if running "$name" >/dev/null; then
		ran_before[$name]=yes
	elif is_wanted "$name"; then
		complete=0
	fi
done < <(stop_order)
remember_choice
undoable up_all undo
if ((complete)); then
	say 'It is up already.'
	note_rebuilt
else
	say 'The platform is up.'
fi
print_urls
