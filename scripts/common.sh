# shellcheck shell=bash
# What the scripts of local operation share; sourced by them. Everything runs from the repository's
# folder with relative paths: a Unix socket's path may have 107 bytes only.
#
#	PRODUCT_PORT CART_PORT ORDER_PORT                              8001 8002 8003
#	PRODUCT_INTERNAL_PORT CART_INTERNAL_PORT ORDER_INTERNAL_PORT   9001 9002 9003
#	GATEWAY_PORT                                                   8080
#	STATE_DIR                                                      var: sockets, pids, logs, data
#	PRODUCT_DATABASE_URL CART_DATABASE_URL ORDER_DATABASE_URL      files under STATE_DIR/data
#	VARIANT                                                        release
#
# The workers' and nginx' own settings (LOG_LEVEL, RATE_LIMIT_RPS …) are handed on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

: "${PRODUCT_PORT:=8001}" "${CART_PORT:=8002}" "${ORDER_PORT:=8003}"
: "${PRODUCT_INTERNAL_PORT:=9001}" "${CART_INTERNAL_PORT:=9002}" "${ORDER_INTERNAL_PORT:=9003}"
: "${GATEWAY_PORT:=8080}" "${STATE_DIR:=var}" "${VARIANT:=release}"
: "${CORS_ALLOW_ORIGINS:=http://localhost:*,http://127.0.0.1:*,https://localhost:*}"
: "${PRODUCT_SERVICE_URL:=http://127.0.0.1:$PRODUCT_INTERNAL_PORT}"
: "${CART_SERVICE_URL:=http://127.0.0.1:$CART_INTERNAL_PORT}"
export PRODUCT_PORT CART_PORT ORDER_PORT GATEWAY_PORT
export CORS_ALLOW_ORIGINS PRODUCT_SERVICE_URL CART_SERVICE_URL

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

# setting product PORT: the value of PRODUCT_PORT
setting() {
	local name=${1^^}_$2
	printf '%s' "${!name}"
}

database_url() {
	local name=${1^^}_DATABASE_URL
	printf '%s' "${!name:-sqlite:///$STATE_DIR/data/$1.db}"
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
		DATABASE_URL=$(database_url "$name")
		launch "$name-worker" spawn-fcgi -n -s "$STATE_DIR/run/$name.sock" -M 0600 -b 4096 -- \
			"build/$VARIANT/$name-service"
	)
}

render_sidecar() {
	local name=$1
	mkdir -p "$STATE_DIR/run/$name-nginx"
	SERVICE=$name ROOT_PATH=/${name}s LISTEN_ADDRESS=127.0.0.1 \
		PUBLIC_PORT=$(setting "$name" PORT) INTERNAL_PORT=$(setting "$name" INTERNAL_PORT) \
		WORKER_SOCKET="$STATE_DIR/run/$name.sock" RUNTIME_DIR="$STATE_DIR/run/$name-nginx" \
		TRUSTED_PROXIES=127.0.0.1 nginx/render.sh sidecar >"$STATE_DIR/run/$name-nginx.conf"
}

render_gateway() {
	mkdir -p "$STATE_DIR/run/gateway-nginx"
	LISTEN_ADDRESS=127.0.0.1 RUNTIME_DIR="$STATE_DIR/run/gateway-nginx" \
		nginx/render.sh gateway >"$STATE_DIR/run/gateway-nginx.conf"
}

start_nginx() {
	TZ=UTC launch "$1-nginx" nginx -p "$PWD" -c "$STATE_DIR/run/$1-nginx.conf" -g 'daemon off;'
}

ready() {
	curl -fsS -o /dev/null --max-time 2 "http://127.0.0.1:$(setting "$1" INTERNAL_PORT)/readyz" 2>/dev/null
}

# Something that listens on the port, whoever it is: state 0A in the kernel's tables.
port_taken() {
	local hex
	printf -v hex ':%04X' "$1"
	awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
		END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
