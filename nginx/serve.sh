#!/usr/bin/env -S --default-signal=QUIT,INT bash
# Runs an nginx for each configuration until all have ended, as one process to whoever starts it:
#
#	nginx/serve.sh DIRECTORY nginx.conf [internal.conf]
#
# DIRECTORY is what relative paths in them start from. SIGQUIT lets them finish what is in flight, SIGTERM
# and SIGINT do not. One that ends takes the others with it, and the status is that of the first to fail.
#
# nginx writes what clients send into its error log as it came. Whatever is not printable ASCII in there
# becomes a question mark: no terminal is steered, and no line forged, by a Referer.
#
# (What a shell starts in the background would have these signals ignored, and could not trap them.)
set -eu

directory=$1
shift
masters=()
for signal in QUIT TERM INT; do
	# shellcheck disable=SC2064 # this signal
	trap "signal $signal" "$signal"
done

signal() {
	((${#masters[@]} == 0)) || kill "-$1" "${masters[@]}" 2>/dev/null || true
}

exec 2> >(trap '' QUIT TERM INT && LC_ALL=C exec sed -u 's/[^\t -~]/?/g' >&2)
# Left by one that was killed, it would be in the way.
rm -f "${RUNTIME_DIR:-/tmp}/status.sock"
for configuration; do
	nginx -e stderr -p "$directory" -c "$configuration" -g 'daemon off;' &
	masters+=($!)
done

status=0
while ((${#masters[@]} > 0)); do
	ended=
	result=0
	wait -n -p ended "${masters[@]}" || result=$?
	# A trapped signal ends the wait as well.
	[[ -n ${ended:-} ]] || continue
	((status)) || status=$result
	for index in "${!masters[@]}"; do
		[[ ${masters[index]} != "$ended" ]] || unset "masters[$index]"
	done
	signal QUIT
done
exit "$status"
