#!/usr/bin/env bash
# Starts whatever of the platform does not run yet, waits until it is ready, and loads the demo
# catalogue into an empty store. What it started itself it stops again where that fails.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

started=()

undo() {
	local name
	for name in "${started[@]}"; do
		case $name in
		*-nginx) stop "$name" QUIT ;;
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

check_port() {
	local variable=$1
	if port_taken "${!variable}"; then
		die "port ${!variable} is taken by another program: choose a free one, $variable=… make up"
	fi
}

start() {
	started=("$1-$2" "${started[@]}")
	"start_$2" "$1"
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
	for name in "${services[@]}"; do
		if [[ build/$VARIANT/$name-service -nt $(pid_file "$name-worker") ]]; then
			say 'The programs were built again since: "make down up" runs them.'
			return
		fi
	done
}

print_urls() {
	local name
	for name in "${services[@]}"; do
		printf '  %-9s http://127.0.0.1:%s/   internal http://127.0.0.1:%s/\n' "$name" \
			"$(setting "$name" PORT)" "$(setting "$name" INTERNAL_PORT)"
	done
	printf '  %-9s %s/products  /carts  /orders\n\nTry it:\n' gateway "$(gateway_url)"
	printf "  curl -s '%s/products?q=lamp&limit=3'\n  make demo\n" "$(gateway_url)"
}

umask 077
mkdir -p "$STATE_DIR"/{run,log,data}
for name in "${services[@]}"; do
	if ! running "$name-nginx" >/dev/null; then
		check_port "${name^^}_PORT"
		check_port "${name^^}_INTERNAL_PORT"
		render_sidecar "$name"
	fi
done
if ! running gateway-nginx >/dev/null; then
	check_port GATEWAY_PORT
	render_gateway
fi

trap 'undo; exit 130' INT TERM
for name in "${services[@]}"; do
	running "$name-worker" >/dev/null || start "$name" worker
	running "$name-nginx" >/dev/null || start "$name" nginx
	wait_ready "$name"
done
running gateway-nginx >/dev/null || start gateway nginx
wait_gateway
trap - INT TERM

if ((${#started[@]} == 0)); then
	say 'It is up already.'
	note_rebuilt
else
	seed
	say 'The platform is up.'
fi
print_urls
