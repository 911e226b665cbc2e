#!/usr/bin/env bash
# Stops the platform: first whoever sends requests, then who answers them, each after what is in
# flight. The order workers may still need cart and product while they finish.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

stopped=0
stop_if_running() {
	if running "$1" >/dev/null; then
		stop "$@"
		stopped=$((stopped + 1))
	fi
}

stop_if_running prometheus TERM
stop_if_running gateway-nginx QUIT
for service in order cart product; do
	for name in $(replicas_of "$service"); do
		stop_if_running "$name-nginx" QUIT
		stop_if_running "$name-worker" TERM
	done
done
stop_if_running balancer-nginx QUIT
stop_if_running postgres INT
rm -f "$choice_file"
if ((stopped)); then
	folder=data
	[[ $DB == sqlite ]] || folder=postgres
	say "Stopped. The data stays in $STATE_DIR/$folder."
else
	say 'Nothing runs.'
fi
