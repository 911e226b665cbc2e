# shellcheck shell=bash
# Functions shared by the scripts of local operation, which source this file. Everything runs from the
# repository's folder with relative paths: the path of a Unix socket is limited to 107 bytes.
#
# Functions return text in REPLY: $(…) would fork, and they are called hundreds of times.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Debian installs nginx in a folder that only root has in its PATH.
PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# shellcheck source-path=SCRIPTDIR source=settings.sh
source scripts/settings.sh
# shellcheck source-path=SCRIPTDIR source=postgres.sh
source scripts/postgres.sh

# Callees come first: started in this order, stopped in reverse.
# shellcheck disable=SC2034 # used by the scripts that source this
services=(product cart order)
# The gateway connects to the sidecars from this address, and they trust its X-Forwarded-For. Other
# clients come from 127.0.0.1 and are not trusted.
gateway_source=127.0.0.2
# Longer than workers and nginx take for requests in flight.
stop_seconds=35
# shellcheck disable=SC2034
ready_seconds=20

# Makes the folders. A lock keeps two scripts from starting, stopping, moving or deleting at the same
# time.
take_state_dir() {
	umask 077
	mkdir -p "$STATE_DIR"/{run,log,data} || die "STATE_DIR=$STATE_DIR: cannot be made"
	exec {state_lock}>"$STATE_DIR/run/lock"
	if ! flock -n "$state_lock"; then
		say 'Another make up, down or reset-data is at work: waiting for it.'
		flock "$state_lock"
	fi
	know_folder
}

# Sets state_folder: device and inode of the folder that our processes run in. A copy of it has others.
know_folder() {
	state_folder=$(stat -c %d:%i "$STATE_DIR/run" 2>/dev/null) || true
}
know_folder
read -r boot_id </proc/sys/kernel/random/boot_id

# The replicas of each service (product product-2 product-3), and of all services.
declare -A replicas_of=()
replicas=()
for service in "${services[@]}"; do
	replicas_of[$service]=$service
	for ((number = 2; number <= REPLICAS; number++)); do
		replicas_of[$service]+=" $service-$number"
	done
	read -ra more <<<"${replicas_of[$service]}"
	replicas+=("${more[@]}")
done

# shellcheck disable=SC2034 # used by the scripts that source this
gateway_url=http://127.0.0.1:$GATEWAY_PORT
# Through /proc/self/cwd, so that the socket's path stays short. The workers run in the same folder.
cluster_host=/proc/self/cwd/$STATE_DIR/postgres
[[ $STATE_DIR != /* ]] || cluster_host=$STATE_DIR/postgres

# setting product-2 PORT: the value of PRODUCT_PORT, and 10 more for each replica before
setting() {
	local service=${1%%-*} number=${1##*-}
	local name=${service^^}_$2
	[[ $number != "$1" ]] || number=1
	REPLY=$((${!name} + 10 * (number - 1)))
}

# setting_name product-2 PORT: PRODUCT_PORT + 10, for messages
setting_name() {
	local service=${1%%-*} number=${1##*-}
	REPLY=${service^^}_$2
	[[ $number == "$1" ]] || REPLY+=" + $((10 * (number - 1)))"
}

# ports product PORT: those of all replicas, with commas
ports() {
	local replica list=
	for replica in ${replicas_of[$1]}; do
		setting "$replica" "$2"
		list+=,$REPLY
	done
	REPLY=${list#,}
}

# The URL of a service's database, which its replicas share.
database_url() {
	local name=${1^^}_DATABASE_URL
	if [[ $DB == postgres ]]; then
		REPLY=${!name:-postgresql:///$1?host=$cluster_host&user=postgres}
	else
		REPLY=${!name:-sqlite:///$STATE_DIR/data/$1.db}
	fi
}

# ---- processes: a pid file holds "pid start-time boot folder", so a reused pid is not taken for ours,
# not after a reboot either, and neither is a process of the folder that this one was copied from. Files
# of earlier versions lack the folder ----

# Sets its_session and started_at of a process. Fails if it has ended, or is a zombie.
# Fields 3, 6 and 22 of /proc/PID/stat. The second field, the name in parentheses, may contain blanks.
look_at() {
	local stat fields
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} != Z ]] || return 1
	its_session=${fields[3]} started_at=${fields[19]}
}

# Sets REPLY to the pid of one of our processes. Fails if it is not running.
running() {
	local pid started boot folder its_session started_at
	{ read -r pid started boot folder <"$STATE_DIR/run/$1.pid"; } 2>/dev/null || return 1
	[[ ${folder:-$state_folder} == "$state_folder" ]] || return 1
	look_at "$pid" || return 1
	[[ $started_at == "$started" && $boot == "$boot_id" ]] || return 1
	REPLY=$pid
}

anything_runs() {
	local file name
	for file in "$STATE_DIR"/run/*.pid; do
		name=${file##*/}
		! running "${name%.pid}" || return 0
	done
	return 1
}

# launch NAME COMMAND…: starts it in the background, in its own session, logging to STATE_DIR/log. SIGTERM
# is ignored until the pid is written.
launch() {
	local name=$1 pid its_session started_at=0
	shift
	trap '' TERM
	(
		trap - TERM
		exec setsid "$@" {state_lock}>&-
	) >>"$STATE_DIR/log/$name.log" 2>&1 </dev/null &
	pid=$!
	disown "$pid" 2>/dev/null || true # it may have ended already
	look_at "$pid" || true
	printf '%s %s %s %s\n' "$pid" "$started_at" "$boot_id" "$state_folder" >"$STATE_DIR/run/$name.pid"
	trap - TERM
}

# undoable WORK UNDO: runs the function WORK, and UNDO if it failed or a signal came. WORK runs beside
# this shell because a trap is safe only during `wait`: bash 5.2 mishandles one that comes during a $(…).
undoable() {
	local worker status=0 interrupted=
	trap 'interrupted=yes' INT TERM HUP
	"$1" &
	worker=$!
	wait "$worker" || status=$?
	if [[ -n $interrupted ]]; then
		# Handles signals only when nothing is half done.
		while kill "$worker" 2>/dev/null; do
			sleep 0.05
		done
		wait "$worker" || true
		status=130
	fi
	((status == 0)) || "$2"
	trap - INT TERM HUP
	return "$status"
}

# Prints the order of stopping, one line per step: a signal, and the processes that get it together.
# Callers come before the services they call, because order workers may need cart and product to finish.
stop_order() {
	local service names
	printf '%s\n' 'TERM prometheus' 'QUIT gateway-nginx'
	for service in order cart product; do
		read -ra names <<<"${replicas_of[$service]}"
		printf '%s\n' "QUIT ${names[*]/%/-nginx}" "TERM ${names[*]/%/-worker}"
	done
	printf '%s\n' 'QUIT balancer-nginx' 'INT postgres'
}

# Sets REPLY to the pids of processes left behind when one of ours was killed, such as nginx workers,
# which keep listening. Fails if there are none. They are in its session, whose number the kernel does not
# reuse as long as they live, and run in our folder.
left_behind() {
	local leader started boot stat pid its_session started_at
	{ read -r leader started boot _ <"$STATE_DIR/run/$1.pid"; } 2>/dev/null || return 1
	[[ $boot == "$boot_id" ]] || return 1
	! look_at "$leader" || return 1
	REPLY=
	while read -r stat; do
		pid=${stat//[^0-9]/}
		# A process that is exiting has no working folder any more, but may still listen.
		if look_at "$pid" && [[ $its_session == "$leader" ]] && ((started_at >= started)) &&
			[[ /proc/$pid/cwd -ef . || (-O /proc/$pid && ! -e /proc/$pid/cwd) ]]; then
			REPLY+="$pid "
		fi
	done < <(grep -lE "\) [^Z] [0-9]+ [0-9]+ $leader " /proc/[0-9]*/stat 2>/dev/null)
	[[ -n $REPLY ]]
}

# signal SIGNAL NAME…: sends it to each process, or to those it left behind. Fails if there are none.
signal() {
	local name found=1
	for name in "${@:2}"; do
		if running "$name" || left_behind "$name"; then
			found=0
			# shellcheck disable=SC2086 # words
			kill "-$1" $REPLY 2>/dev/null || true
		fi
	done
	return "$found"
}

# stop SIGNAL NAME…: sends the signal, waits until all have ended, and kills those that do not end in
# time. Fails if there was nothing to stop.
stop() {
	local name found=0 notes=() tries=$((stop_seconds * 50))
	signal "$@" || found=1
	while signal 0 "${@:2}"; do
		if ((tries-- == 0)); then
			for name in "${@:2}"; do
				! signal KILL "$name" || say "$name (pid $REPLY) did not end within $stop_seconds s: killed"
			done
			break
		fi
		sleep 0.02
	done
	for name in "${@:2}"; do
		[[ ! -e $STATE_DIR/run/$name.pid ]] || notes+=("$STATE_DIR/run/$name.pid")
	done
	((${#notes[@]} == 0)) || rm "${notes[@]}"
	return "$found"
}

# ---- the parts ----

start_worker() {
	database_url "${1%%-*}"
	AUTH=${AUTH/#1/jwt} DATABASE_URL=$REPLY PROVIDER_SOCKET=$STATE_DIR/run/$1-provider.sock \
		launch "$1-worker" spawn-fcgi -n -s "$STATE_DIR/run/$1.sock" -M 0600 -b 4096 -- \
		"build/$VARIANT/${1%%-*}-service"
}

# render NAME: writes the configuration of NAME-nginx.
render() {
	case $1 in
	gateway | balancer) "render_$1" ;;
	*) render_sidecar "$1" ;;
	esac
}

render_sidecar() {
	local service=${1%%-*} files=$STATE_DIR/run/$1
	local -x LISTEN_ADDRESS=127.0.0.1 SERVICE=$service ROOT_PATH=/${service}s TRUSTED_PROXIES=$gateway_source \
		WORKER_SOCKET=$files.sock PROVIDER_SOCKET=$files-provider.sock RUNTIME_DIR=$files-nginx \
		ROUTES=$files-nginx/routes PUBLIC_PORT INTERNAL_PORT HEALTH_PORT WORKER_PROCESSES=${WORKER_PROCESSES:-}
	setting "$1" PORT && PUBLIC_PORT=$REPLY
	setting "$1" INTERNAL_PORT && INTERNAL_PORT=$REPLY
	setting "$1" HEALTH_PORT && HEALTH_PORT=$REPLY
	# All replicas share the processors: one nginx process each, as in a pod.
	((REPLICAS == 1)) || : "${WORKER_PROCESSES:=1}"
	mkdir -p "$RUNTIME_DIR"
	"build/$VARIANT/$service-service" --routes >"$ROUTES"
	nginx/render.sh sidecar >"$files-nginx.conf"
	nginx/render.sh internal >"$files-internal.conf"
}

render_gateway() {
	local product cart order
	ports product PORT && product=$REPLY
	ports cart PORT && cart=$REPLY
	ports order PORT && order=$REPLY
	mkdir -p "$STATE_DIR/run/gateway-nginx"
	PRODUCT_PORT=$product CART_PORT=$cart ORDER_PORT=$order \
		LISTEN_ADDRESS=127.0.0.1 RUNTIME_DIR="$STATE_DIR/run/gateway-nginx" \
		SOURCE_ADDRESS=$gateway_source \
		nginx/render.sh gateway >"$STATE_DIR/run/gateway-nginx.conf"
}

render_balancer() {
	local product cart
	ports product INTERNAL_PORT && product=$REPLY
	ports cart INTERNAL_PORT && cart=$REPLY
	mkdir -p "$STATE_DIR/run/balancer-nginx"
	PRODUCT_BALANCER_PORT=$PRODUCT_BALANCER_PORT CART_BALANCER_PORT=$CART_BALANCER_PORT \
		PRODUCT_INTERNAL_PORT=$product CART_INTERNAL_PORT=$cart \
		LISTEN_ADDRESS=127.0.0.1 RUNTIME_DIR="$STATE_DIR/run/balancer-nginx" \
		nginx/render.sh balancer >"$STATE_DIR/run/balancer-nginx.conf"
}

start_nginx() {
	local configurations=("$STATE_DIR/run/$1-nginx.conf")
	[[ $1 == gateway || $1 == balancer ]] || configurations+=("$STATE_DIR/run/$1-internal.conf")
	TZ=UTC RUNTIME_DIR="$STATE_DIR/run/$1-nginx" \
		launch "$1-nginx" nginx/serve.sh . "${configurations[@]}"
}

# The cluster's scrape configuration and alert rules, with the local ports as targets.
start_prometheus() {
	local service replica targets=()
	for service in "${services[@]}"; do
		for replica in ${replicas_of[$service]}; do
			setting "$replica" HEALTH_PORT
			targets+=("$service=127.0.0.1:$REPLY")
		done
	done
	scripts/prometheus-config.sh "$PROMETHEUS_PORT" "${targets[@]}" >"$STATE_DIR/run/prometheus.yaml"
	launch prometheus prometheus --config.file="$STATE_DIR/run/prometheus.yaml" \
		--storage.tsdb.path="$STATE_DIR/data/prometheus" --storage.tsdb.retention.time=7d \
		--web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
}

prometheus_ready() {
	running prometheus && answer "http://127.0.0.1:$PROMETHEUS_PORT/-/ready"
}

# probes NAME: appends to the caller's urls the probes that answer once a replica is ready. The public
# port belongs to another nginx, which may start later.
probes() {
	setting "$1" HEALTH_PORT
	urls+=("http://127.0.0.1:$REPLY/readyz")
	setting "$1" PORT
	urls+=("http://127.0.0.1:$REPLY/")
}

ready() {
	local urls=()
	running "$1-nginx" && probes "$1" && answer "${urls[@]}"
}

# answer URL…: succeeds if each URL answers with success.
answer() {
	curl -fsS --fail-early --max-time 2 "$@" >/dev/null 2>&1
}

# make_cluster FOLDER: makes an empty one for start_cluster.
make_cluster() {
	postgres_find '' || die 'PostgreSQL is not installed'
	rm -rf "$1"
	postgres_init "$1" >>"$STATE_DIR/log/postgres.log" 2>&1 ||
		die "initdb failed: see $STATE_DIR/log/postgres.log"
}

# Sets postgres_as for the folder of the clusters.
own_clusters() {
	mkdir -p "$STATE_DIR/postgres"
	[[ $(id -u) != 0 ]] || chmod go+x "$STATE_DIR"
	postgres_own "$STATE_DIR/postgres"
	# The folder may lie below one that only root can enter. If so, run with root's capability to pass
	# it, but still not as root. The check uses the whole path, because PostgreSQL's programs do.
	if ! $postgres_as test -x "$(realpath "$STATE_DIR/postgres")"; then
		postgres_as+=' --inh-caps=+dac_override --ambient-caps=+dac_override'
	fi
}

# After a crash, the pid in PostgreSQL's lock files may belong to another process of the same user, and
# then the server would not start. All processes that work on the data, also those a killed server left
# behind, run in its folder.
forget_killed_server() {
	local folder=$STATE_DIR/postgres process tries=50
	[[ -e $folder/data/postmaster.pid || -e $folder/.s.PGSQL.5432.lock ]] || return 0
	for process in /proc/[0-9]*; do
		while [[ $process/cwd -ef $folder/data ]]; do
			((tries-- > 0)) || die "process ${process#/proc/} still works on $folder/data"
			sleep 0.1
		done
	done
	rm -f "$folder/data/postmaster.pid" "$folder/.s.PGSQL.5432.lock"
}

# The private cluster, for DB=postgres. Its data survives updates of Debian's server.
start_cluster() {
	local folder=$STATE_DIR/postgres
	own_clusters
	if [[ ! -e $folder/data ]]; then
		make_cluster "$folder/new"
		mv "$folder/new" "$folder/data"
	fi
	forget_killed_server
	launch_cluster postgres data ..
}

# launch_cluster NAME FOLDER SOCKETS: SOCKETS is relative to FOLDER
launch_cluster() {
	local folder=$STATE_DIR/postgres/$2 version
	version=$(<"$folder/PG_VERSION")
	postgres_find "$version" || die "$folder needs PostgreSQL $version, which is not installed"
	# A worker has 8 writers and a pool of readers (threads + 2).
	# shellcheck disable=SC2086 # words
	launch "$1" $postgres_as "$postgres_programs/postgres" -D "$folder" -k "$3" \
		-c listen_addresses= -c max_connections=$((20 + 3 * REPLICAS * (8 + ${DB_POOL_SIZE:-10})))
}

# cluster_query [HOST]: runs the statements on standard input.
cluster_query() {
	"${postgres_programs:+$postgres_programs/}psql" -XqAt -v ON_ERROR_STOP=1 \
		"postgresql:///postgres?host=${1:-$cluster_host}&user=postgres"
}

cluster_ready() { # cluster_ready [HOST]
	cluster_query "${1:-}" <<<'SELECT 1' >/dev/null 2>&1
}

# make_databases HOST: creates the services' databases that are missing.
make_databases() {
	cluster_query "$1" <<-END
		SELECT format('CREATE DATABASE %I', name) FROM unnest(string_to_array('${services[*]}', ' ')) AS name
			WHERE name NOT IN (SELECT datname FROM pg_database)
		\gexec
	END
}

# await_cluster NAME [HOST]: fails if it ends, or is not ready in time.
await_cluster() {
	local deadline=$((SECONDS + ready_seconds))
	until cluster_ready "${2:-}"; do
		running "$1" && ((SECONDS < deadline)) || return 1
		sleep 0.02
	done
}

# Sets taken[PORT] for every port that any process listens on: state 0A in the kernel's tables. A kernel
# without IPv6 has only one of them.
find_taken_ports() {
	local hex port
	while read -r hex; do
		port=$((16#$hex))
		# shellcheck disable=SC2004,SC2034 # the caller's, by name
		taken[$port]=yes
	done < <(awk '$4 == "0A" { print substr($2, length($2) - 3) }' /proc/net/tcp*)
}
