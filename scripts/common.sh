# shellcheck shell=bash
# What the scripts of local operation share; sourced by them. Everything runs from the repository's
# folder with relative paths: a Unix socket's path may have 107 bytes only.
#
#	PRODUCT_PORT CART_PORT ORDER_PORT                              8001 8002 8003
#	PRODUCT_INTERNAL_PORT CART_INTERNAL_PORT ORDER_INTERNAL_PORT   9001 9002 9003
#	GATEWAY_PORT                                                   8080
#	DB                                                             sqlite, or postgres: a cluster of its
#	                                                               own under STATE_DIR/postgres
#	REPLICAS                                                       1 to 9 of each service (postgres); the
#	                                                               ports of each are 10 above the last
#	PRODUCT_BALANCER_PORT CART_BALANCER_PORT                       9101 9102: spread over the internal
#	                                                               ports, for the siblings of replicas
#	OBSERVE PROMETHEUS_PORT                                        1 starts a Prometheus too, on 9090
#	STATE_DIR                                                      var: sockets, pids, logs, data
#	PRODUCT_DATABASE_URL CART_DATABASE_URL ORDER_DATABASE_URL      what DB says
#	VARIANT                                                        release
#
# The workers' and nginx' own settings (LOG_LEVEL, RATE_LIMIT_RPS …) are handed on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source-path=SCRIPTDIR source=postgres.sh
source scripts/postgres.sh

: "${PRODUCT_PORT:=8001}" "${CART_PORT:=8002}" "${ORDER_PORT:=8003}"
: "${PRODUCT_INTERNAL_PORT:=9001}" "${CART_INTERNAL_PORT:=9002}" "${ORDER_INTERNAL_PORT:=9003}"
: "${GATEWAY_PORT:=8080}" "${OBSERVE:=0}" "${PROMETHEUS_PORT:=9090}" "${STATE_DIR:=var}" "${VARIANT:=release}"
: "${CORS_ALLOW_ORIGINS:=http://localhost:*,http://127.0.0.1:*,https://localhost:*}"
: "${PRODUCT_BALANCER_PORT:=9101}" "${CART_BALANCER_PORT:=9102}"

# With which DB and REPLICAS it was started; `make down` forgets it.
choice_file=$STATE_DIR/run/choice
chosen_db=sqlite chosen_replicas=1
if [[ -e $choice_file ]]; then
	read -r chosen_db chosen_replicas <"$choice_file"
	# To be had anew by up.sh only.
	[[ -v starting ]] || DB=$chosen_db REPLICAS=$chosen_replicas
fi
: "${DB:=$chosen_db}" "${REPLICAS:=$chosen_replicas}"

if [[ $REPLICAS == 1 ]]; then
	: "${PRODUCT_SERVICE_URL:=http://127.0.0.1:$PRODUCT_INTERNAL_PORT}"
	: "${CART_SERVICE_URL:=http://127.0.0.1:$CART_INTERNAL_PORT}"
else
	: "${PRODUCT_SERVICE_URL:=http://127.0.0.1:$PRODUCT_BALANCER_PORT}"
	: "${CART_SERVICE_URL:=http://127.0.0.1:$CART_BALANCER_PORT}"
fi
export CORS_ALLOW_ORIGINS PRODUCT_SERVICE_URL CART_SERVICE_URL GATEWAY_PORT

# Callees first: started in this order, stopped in the opposite one.
# shellcheck disable=SC2034 # used by the scripts that source this
services=(product cart order)
# Above what workers and nginx take for requests in flight.
stop_seconds=30
# shellcheck disable=SC2034
ready_seconds=20

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# The replicas of a service: product product-2 product-3
replicas_of() {
	local number
	printf '%s' "$1"
	for ((number = 2; number <= REPLICAS; number++)); do
		printf ' %s-%d' "$1" "$number"
	done
}

# setting product-2 PORT: the value of PRODUCT_PORT, and 10 more for each replica before
setting() {
	local service=${1%%-*} number=${1##*-}
	local name=${service^^}_$2
	[[ $number != "$1" ]] || number=1
	printf '%d' $((${!name} + 10 * (number - 1)))
}

# ports product PORT: those of all replicas, with commas
ports() {
	local replica list=
	for replica in $(replicas_of "$1"); do
		list+=,$(setting "$replica" "$2")
	done
	printf '%s' "${list#,}"
}

# Of a service, for all its replicas. The socket's path stays short however deep we are (the worker
# runs from here too).
database_url() {
	local name=${1^^}_DATABASE_URL
	if [[ $DB == postgres ]]; then
		printf '%s' "${!name:-postgresql:///$1?host=$(cluster_host)&user=postgres}"
	else
		printf '%s' "${!name:-sqlite:///$STATE_DIR/data/$1.db}"
	fi
}

cluster_host() {
	case $STATE_DIR in
	/*) printf '%s/postgres' "$STATE_DIR" ;;
	*) printf '/proc/self/cwd/%s/postgres' "$STATE_DIR" ;;
	esac
}

gateway_url() {
	printf 'http://127.0.0.1:%s' "$GATEWAY_PORT"
}

# ---- processes: a pid file holds "pid start-time", so that a reused pid is not taken for ours ----

pid_file() {
	printf '%s/run/%s.pid' "$STATE_DIR" "$1"
}

# Field 22 of /proc/PID/stat; the second one, the name in parentheses, may have blanks.
start_time() {
	local stat
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
	local fields
	read -ra fields <<<"${stat##*) }"
	# A zombie is over.
	[[ ${fields[0]} != Z ]] && printf '%s' "${fields[19]}"
}

# Prints the pid of a running process of ours.
running() {
	local pid started
	read -r pid started 2>/dev/null <"$(pid_file "$1")" || return 1
	[[ $(start_time "$pid") == "$started" ]] || return 1
	printf '%s' "$pid"
}

# launch NAME COMMAND…: in the background, in a session of its own, logging to STATE_DIR/log.
launch() {
	local name=$1
	shift
	setsid "$@" >>"$STATE_DIR/log/$name.log" 2>&1 </dev/null &
	local pid=$!
	disown
	printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$(pid_file "$name")"
}

# stop NAME SIGNAL: asks, waits, and kills what does not listen.
stop() {
	local name=$1 signal=$2 pid tries=$((stop_seconds * 10))
	pid=$(running "$name") || return 0
	kill "-$signal" "$pid"
	while running "$name" >/dev/null; do
		if ((tries-- == 0)); then
			say "$name (pid $pid) did not end within $stop_seconds s: killed"
			kill -KILL "$pid"
			break
		fi
		sleep 0.1
	done
	rm -f "$(pid_file "$name")"
}

# ---- the parts ----

start_worker() {
	local name=$1
	# Sockets of hundreds of clients; many shells start with a limit of 1024.
	(
		ulimit -S -n 16384 2>/dev/null || ulimit -S -n "$(ulimit -H -n)"
		export DATABASE_URL
		DATABASE_URL=$(database_url "${name%%-*}")
		launch "$name-worker" spawn-fcgi -n -s "$STATE_DIR/run/$name.sock" -M 0600 -b 4096 -- \
			"build/$VARIANT/${name%%-*}-service"
	)
}

render_sidecar() {
	local name=$1 service=${1%%-*}
	mkdir -p "$STATE_DIR/run/$name-nginx"
	SERVICE=$service ROOT_PATH=/${service}s LISTEN_ADDRESS=127.0.0.1 \
		PUBLIC_PORT=$(setting "$name" PORT) INTERNAL_PORT=$(setting "$name" INTERNAL_PORT) \
		WORKER_SOCKET="$STATE_DIR/run/$name.sock" RUNTIME_DIR="$STATE_DIR/run/$name-nginx" \
		TRUSTED_PROXIES=127.0.0.1 nginx/render.sh sidecar >"$STATE_DIR/run/$name-nginx.conf"
}

render_gateway() {
	mkdir -p "$STATE_DIR/run/gateway-nginx"
	PRODUCT_PORT=$(ports product PORT) CART_PORT=$(ports cart PORT) ORDER_PORT=$(ports order PORT) \
		LISTEN_ADDRESS=127.0.0.1 RUNTIME_DIR="$STATE_DIR/run/gateway-nginx" \
		nginx/render.sh gateway >"$STATE_DIR/run/gateway-nginx.conf"
}

render_balancer() {
	mkdir -p "$STATE_DIR/run/balancer-nginx"
	PRODUCT_BALANCER_PORT=$PRODUCT_BALANCER_PORT CART_BALANCER_PORT=$CART_BALANCER_PORT \
		PRODUCT_INTERNAL_PORT=$(ports product INTERNAL_PORT) \
		CART_INTERNAL_PORT=$(ports cart INTERNAL_PORT) \
		LISTEN_ADDRESS=127.0.0.1 RUNTIME_DIR="$STATE_DIR/run/balancer-nginx" \
		nginx/render.sh balancer >"$STATE_DIR/run/balancer-nginx.conf"
}

start_nginx() {
	TZ=UTC launch "$1-nginx" nginx -p "$PWD" -c "$STATE_DIR/run/$1-nginx.conf" -g 'daemon off;'
}

# The cluster's scrape configuration and alert rules, with the local ports as targets.
start_prometheus() {
	local service replica targets=()
	for service in "${services[@]}"; do
		for replica in $(replicas_of "$service"); do
			targets+=("$service=127.0.0.1:$(setting "$replica" INTERNAL_PORT)")
		done
	done
	scripts/prometheus-config.sh "$PROMETHEUS_PORT" "${targets[@]}" >"$STATE_DIR/run/prometheus.yaml"
	launch prometheus prometheus --config.file="$STATE_DIR/run/prometheus.yaml" \
		--storage.tsdb.path="$STATE_DIR/data/prometheus" --storage.tsdb.retention.time=7d \
		--web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
}

prometheus_ready() {
	curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$PROMETHEUS_PORT/-/ready" 2>/dev/null
}

ready() {
	curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$(setting "$1" INTERNAL_PORT)/readyz" 2>/dev/null
}

# The private cluster, where DB=postgres; its data survives updates of Debian's server.
start_cluster() {
	local folder=$STATE_DIR/postgres version=
	postgres_own "$folder"
	# Deep under a folder that is root's alone: then it may pass, and is still not root.
	if ! $postgres_as test -x "$folder"; then
		postgres_as+=' --inh-caps=+dac_override --ambient-caps=+dac_override'
	fi
	[[ ! -e $folder/data ]] || version=$(<"$folder/data/PG_VERSION")
	postgres_find "$version" || die "$folder/data needs PostgreSQL $version, which is not installed"
	if [[ ! -e $folder/data ]]; then
		rm -rf "$folder/new"
		postgres_init "$folder/new" >>"$STATE_DIR/log/postgres.log" 2>&1 ||
			die "initdb failed: see $STATE_DIR/log/postgres.log"
		mv "$folder/new" "$folder/data"
	fi
	# A worker has 8 writers and a pool of readers, threads + 2.
	# shellcheck disable=SC2086 # words
	launch postgres $postgres_as "$postgres_programs/postgres" -D "$folder/data" -k .. \
		-c listen_addresses= -c max_connections=$((20 + 3 * REPLICAS * (8 + ${DB_POOL_SIZE:-10})))
}

cluster_query() {
	psql -XqAt -v ON_ERROR_STOP=1 "postgresql:///postgres?host=$(cluster_host)&user=postgres" -c "$1"
}

cluster_ready() {
	cluster_query 'SELECT 1' >/dev/null 2>&1
}

# Something that listens on the port, whoever it is: state 0A in the kernel's tables.
port_taken() {
	local hex
	printf -v hex ':%04X' "$1"
	awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
		END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
