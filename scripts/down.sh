#!/usr/bin/env bash
# Stops the platform: first whoever sends requests, then who answers them, each after what is in
# flight. The order worker may still need cart and product while it finishes.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

stopped=0
for process in gateway-nginx order-nginx order-worker cart-nginx cart-worker product-nginx product-worker; do
	if running "$process" >/dev/null; then
		case $process in
		*-nginx) stop "$process" QUIT ;;
		*) stop "$process" TERM ;;
		esac
		stopped=$((stopped + 1))
	fi
done
if ((stopped)); then
	say "Stopped. The data stays in $STATE_DIR/data."
else
	say 'Nothing runs.'
fi
