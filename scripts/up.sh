#!/usr/bin/env bash
# Starts the parts of the platform that are not running, waits until they are ready, and loads the demo
# catalogue into an empty store. If that fails, stops what it started.
starting=yes
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

# The processes that the settings require and that are not running yet.
declare -A missing=()

# Stops what was not running before, if starting failed or was interrupted.
undo() {
	local signal name names started
	while read -r signal names; do
		started=()
		for name in $names; do
			[[ ! -v missing[$name] ]] || started+=("$name")
		done
		((${#started[@]} == 0)) || stop "$signal" "${started[@]}" || true
	done < <(stop_order)
	anything_runs || rm -f "$choice_file"
}

# fail NAME MESSAGE: the end of that process's log gives the reason.
fail() {
	printf 'error: %s. The last lines of %s/log/%s.log:\n' "$2" "$STATE_DIR" "$1" >&2
	tail -n 12 "$STATE_DIR/log/$1.log" >&2
	exit 1
}

# A running platform keeps its store, its number of replicas and its ports.
check_choice() {
	local name
	if ((REPLICAS > 1)); then
		for name in "${services[@]}"; do
			database_url "$name"
			[[ $REPLY == postgresql:* ]] ||
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

# Whether the settings require this process.
is_wanted() {
	case $1 in
	prometheus) ((OBSERVE)) ;;
	balancer-nginx) ((REPLICAS > 1)) ;;
	postgres) [[ $DB == postgres ]] ;;
	esac
}

find_missing() {
	local names name
	while read -r _ names; do
		for name in $names; do
			if is_wanted "$name" && ! running "$name"; then
				missing[$name]=yes
				# The workers of a killed nginx would keep its ports.
				[[ $name != *-nginx || ! -e $STATE_DIR/run/$name.pid ]] || stop TERM "$name" || true
			fi
		done
	done < <(stop_order)
}

# All ports must differ, and no other program may listen on those of missing processes.
check_ports() {
	local name bad=0
	local -A users=() taken=()
	find_taken_ports
	check_port gateway PORT gateway-nginx
	check_port prometheus PORT prometheus
	for name in "${replicas[@]}"; do
		check_port "$name" PORT "$name-nginx"
		check_port "$name" INTERNAL_PORT "$name-nginx"
		check_port "$name" HEALTH_PORT "$name-nginx"
	done
	check_port product BALANCER_PORT balancer-nginx
	check_port cart BALANCER_PORT balancer-nginx
	((!bad)) || exit 1
}

# check_port NAME SETTING PROCESS: a port, and the process that listens on it.
check_port() {
	local port name
	setting "$1" "$2" && port=$REPLY
	setting_name "$1" "$2" && name=$REPLY
	[[ ! -v users[$port] ]] || die "port $port is chosen twice, as ${users[$port]} and as $name of $1"
	users[$port]="$name of $1"
	if [[ -v missing[$3] && -v taken[$port] ]]; then
		printf 'error: port %s is taken by another program: choose a free one, make up %s=…\n' \
			"$port" "$name" >&2
		bad=1
	fi
}

up_all() {
	local name
	if [[ $AUTH == 1 ]]; then
		scripts/issuer.py "$STATE_DIR/issuer"
		scripts/make-keys.sh "$STATE_DIR/issuer"
	fi
	[[ ! -v missing[postgres] ]] || start_cluster
	up_nginx
	if [[ $DB == postgres ]]; then
		await_cluster postgres || fail postgres 'PostgreSQL ended or is not ready in time'
		make_databases "$cluster_host"
	fi
	for name in "${replicas[@]}"; do
		[[ ! -v missing[$name-worker] ]] || start_worker "$name"
	done
	[[ ! -v missing[prometheus] ]] || start_prometheus
	wait_ready
	tell_access
	((${#missing[@]} == 0)) || seed
}

# Renders all configurations in parallel, and starts nginx only afterwards: an interrupted background job
# could start one that no one stops.
up_nginx() {
	local name
	local -A rendering=()
	for name in balancer "${replicas[@]}" gateway; do
		if [[ -v missing[$name-nginx] ]]; then
			render "$name" 2>"$STATE_DIR/run/$name-nginx.error" &
			rendering[$name]=$!
		fi
	done
	for name in "${!rendering[@]}"; do
		wait "${rendering[$name]}" || die "$(<"$STATE_DIR/run/$name-nginx.error")"
	done
	for name in "${!rendering[@]}"; do
		start_nginx "$name"
	done
}

# One curl asks all of them. nginx holds a request until the worker behind it has started.
wait_ready() {
	local name urls=() deadline=$((SECONDS + ready_seconds))
	for name in "${replicas[@]}"; do
		probes "$name"
	done
	urls+=("$gateway_url/products?limit=1")
	((!OBSERVE)) || urls+=("http://127.0.0.1:$PROMETHEUS_PORT/-/ready")
	check_running
	until answer "${urls[@]}"; do
		check_running
		((SECONDS < deadline)) || fail_late
		sleep 0.02
	done
}

check_running() {
	local name
	for name in "${replicas[@]}"; do
		running "$name-worker" || fail "$name-worker" "the $name worker ended"
		running "$name-nginx" || fail "$name-nginx" "the $name sidecar ended"
	done
	((REPLICAS == 1)) || running balancer-nginx || fail balancer-nginx 'the balancer ended'
	running gateway-nginx || fail gateway-nginx 'the gateway ended'
	((!OBSERVE)) || running prometheus || fail prometheus 'Prometheus ended'
}

fail_late() {
	local name
	for name in "${replicas[@]}"; do
		ready "$name" || fail "$name-worker" "$name is not ready after $ready_seconds s"
	done
	((!OBSERVE)) || prometheus_ready ||
		fail prometheus "Prometheus is not ready after $ready_seconds s"
	fail gateway-nginx "no answer through the gateway after $ready_seconds s"
}

# The first line says who may do what.
tell_access() {
	case $AUTH in
	off) say 'AUTH=off: everybody on this machine may do everything. "make up AUTH=1" asks for tokens.' ;;
	1) say 'AUTH=1: "make token USER=ada" and "make token SCOPES=orders:write" print tokens.' ;;
	jwt) say "AUTH=jwt: it takes tokens of $AUTH_ISSUER." ;;
	esac
}

seed() {
	local url answer refused token=
	[[ $AUTH != jwt ]] || return 0
	[[ $AUTH != 1 ]] || token=$(scripts/issuer.py --scopes 'products:write stock:write' "$STATE_DIR/issuer")
	url="$gateway_url/products"
	[[ $(curl -fsS --max-time 10 "$url?limit=1") == '[]' ]] || return 0
	# From its input, since everybody may read arguments.
	answer=$(curl -fsS --max-time 60 -H 'Content-Type: application/x-ndjson' -H @- \
		--data-binary @scripts/catalogue.ndjson "$url/bulk" <<<"${token:+Authorization: Bearer $token}") ||
		fail product-worker 'the demo catalogue was not accepted'
	refused=$(grep -F '"status":"error"' <<<"$answer" | head -n 5) || true
	[[ -z $refused ]] ||
		fail product-worker "the demo catalogue was refused in part, from these lines on: $refused"
	say "Loaded a demo catalogue of $(grep -cF '"status":"created"' <<<"$answer") products"
}

# Reports programs that have been rebuilt since they were started.
note_rebuilt() {
	local name
	for name in "${replicas[@]}"; do
		if [[ build/$VARIANT/${name%%-*}-service -nt $STATE_DIR/run/$name-worker.pid ]]; then
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
	local name api health at=http://127.0.0.1
	say
	row '' API 'interactive documentation' 'health, metrics'
	row gateway "$gateway_url/products" "$gateway_url/products/docs"
	row '' "$gateway_url/carts" "$gateway_url/carts/docs"
	row '' "$gateway_url/orders" "$gateway_url/orders/docs"
	for name in "${replicas[@]}"; do
		setting "$name" PORT && api=$at:$REPLY
		setting "$name" HEALTH_PORT && health=$at:$REPLY
		row "$name" "$api/" "$api/docs" "$health/"
	done
	if running prometheus; then
		row prometheus "$at:$PROMETHEUS_PORT/"
	fi
	say
	say 'Next:'
	say '  make demo                        buys something and shows every step'
	say "  curl -s '$gateway_url/products?q=lamp&limit=3'"
	say '  make status, make logs, make down'
}

[[ $DB != postgres ]] || scripts/install-packages.sh postgres
[[ $OBSERVE != 1 ]] || scripts/install-packages.sh observe
[[ $AUTH != 1 ]] || scripts/install-packages.sh token
take_state_dir
check_choice
# The socket of a killed worker remembers its database, for workers that would take it over. Here the
# database is chosen anew.
anything_runs || rm -f "$STATE_DIR"/run/*.sock.lock
find_missing
check_ports
remember_choice
# A worker holds the sockets of hundreds of clients; many shells start with a limit of 1024.
ulimit -S -n 16384 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"
undoable up_all undo
if ((${#missing[@]} == 0)); then
	say 'It is up already.'
	note_rebuilt
else
	say 'The platform is up.'
fi
print_urls
