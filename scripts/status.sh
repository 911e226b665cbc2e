#!/usr/bin/env bash
# Shows what runs, where, and whether it is ready. Exit status 1 unless everything is.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

all=0
pid_of() {
	running "$1" || REPLY=down
	printf '%s' "$REPLY"
}

# row NAME WORKER NGINX PUBLIC INTERNAL HEALTH STATE
row() {
	printf '%-10s %-8s %-8s %-7s %-9s %-7s %s\n' "$@"
}

row '' worker nginx public internal health state
for name in "${replicas[@]}"; do
	ports=()
	for kind in PORT INTERNAL_PORT HEALTH_PORT; do
		setting "$name" "$kind"
		ports+=("$REPLY")
	done
	state=ready
	ready "$name" || state='not ready' all=1
	row "$name" "$(pid_of "$name-worker")" "$(pid_of "$name-nginx")" "${ports[@]}" "$state"
done
if ((REPLICAS > 1)); then
	state=ready
	running balancer-nginx || state='not ready' all=1
	row balancer - "$(pid_of balancer-nginx)" - "$PRODUCT_BALANCER_PORT" - "$state"
fi
if [[ $DB == postgres ]]; then
	state=ready
	cluster_ready || state='not ready' all=1
	row postgres "$(pid_of postgres)" - - - - "$state"
fi
if [[ -e $STATE_DIR/run/prometheus.pid ]]; then
	state=ready
	prometheus_ready || state='not ready' all=1
	row prometheus "$(pid_of prometheus)" - "$PROMETHEUS_PORT" - - "$state"
fi
state=ready
{ running gateway-nginx && answer "$gateway_url/products?limit=1"; } || state='not ready' all=1
row gateway - "$(pid_of gateway-nginx)" "$GATEWAY_PORT" - - "$state"
exit $all
