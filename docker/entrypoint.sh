#!/bin/sh
# What a container does, by its first argument:
#
#	worker                 the service, listening on WORKER_SOCKET; SIGTERM drains it
#	nginx                  its sidecar; SIGTERM, SIGINT and SIGQUIT drain it
#	gateway                the stand-in for a cluster's ingress (docker-compose.yml); same signals
#	await-sidecar SECONDS  returns once the sidecar that shares the socket's folder has ended, or
#	                       after that time: a worker's preStop hook
#
# Settings: those of the worker (docs/OPERATIONS.md) and of nginx (head of nginx/render.sh).
set -eu

WORKER_SOCKET=${WORKER_SOCKET:-/run/app/worker.sock}
# Exists as long as the sidecar runs; both containers see it.
running=${WORKER_SOCKET%/*}/sidecar.running

# nginx drains on SIGQUIT, but container engines send SIGTERM, on which nginx drops requests in flight.
# The signal is repeated until nginx has ended, because an nginx that is starting ignores it.
nginx=
asked=
drain() {
	asked=yes
	while [ -n "$nginx" ] && kill -QUIT "$nginx" 2>/dev/null; do
		sleep 0.1
	done
}

serve() { # serve TEMPLATE [MARKER]
	# Comes first: signals that process 1 has no trap for are lost.
	trap drain TERM INT QUIT
	RUNTIME_DIR=${RUNTIME_DIR:-/tmp}
	ROUTES=$RUNTIME_DIR/routes
	export RUNTIME_DIR ROUTES WORKER_SOCKET
	configurations=/usr/local/share/nginx
	internal=
	if [ "$1" = sidecar ]; then
		service --routes >"$ROUTES"
		internal=$RUNTIME_DIR/internal.conf
		"$configurations/render.sh" internal >"$internal"
	fi
	"$configurations/render.sh" "$1" >"$RUNTIME_DIR/nginx.conf"
	[ -z "$asked" ] || exit 0
	[ $# = 1 ] || : >"$2"
	"$configurations/serve.sh" "$RUNTIME_DIR" "$RUNTIME_DIR/nginx.conf" ${internal:+"$internal"} &
	nginx=$!
	[ -z "$asked" ] || drain
	# A trapped signal ends the wait as well: only a wait that was not interrupted returns nginx's
	# status.
	asked=yes
	while [ -n "$asked" ]; do
		asked=
		status=0
		wait "$nginx" || status=$?
	done
	[ $# = 1 ] || rm -f "$2"
	# Ended by SIGQUIT: it had not started yet.
	[ "$status" != 131 ] || status=0
	exit "$status"
}

case ${1:-} in
worker)
	exec spawn-fcgi -n -s "$WORKER_SOCKET" -M 0600 -b 4096 -- /usr/local/bin/service
	;;
nginx) serve sidecar "$running" ;;
gateway) serve gateway ;;
await-sidecar)
	tries=$((${2:?seconds} * 10))
	while [ -e "$running" ] && [ "$tries" -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	;;
*)
	echo 'usage: entrypoint worker|nginx|gateway|await-sidecar SECONDS' >&2
	exit 2
	;;
esac
