#!/usr/bin/env -S --default-signal=QUIT,INT bash
# Runs an nginx for each configuration until all have ended, and looks like one process from outside:
#
#	nginx/serve.sh DIRECTORY nginx.conf [internal.conf]
#
# DIRECTORY is what relative paths in them start from. SIGQUIT lets them finish what is in flight, SIGTERM
# and SIGINT do not. When one ends, the others are stopped; the status is that of the first that failed.
#
# nginx writes what clients send into its error log as it came. Whatever is not printable ASCII in there
# becomes a question mark: no terminal is steered, and no line forged, by a Referer.
#
# (What a shell starts in the background would have these signals ignored, and could not trap them.)
set -eu

directory=$1
shift
asked=
for signal in QUIT TERM INT; do
	# shellcheck disable=SC2064 # this signal
	trap "end $signal" "$signal"
done

# Repeats the signal until all have ended: nginx ignores it while it starts. An idle one ends within 20 ms.
end() { # end SIGNAL
	local running tries=0
	asked=yes
	while running=$(jobs -pr) && [[ -n $running ]]; do
		# shellcheck disable=SC2086 # one word each
		kill "-$1" $running 2>/dev/null || true
		sleep "0.0$((tries++ < 10 ? 2 : 9))"
	done
}

exec 2> >(trap '' QUIT TERM INT && LC_ALL=C exec sed -u 's/[^\t -~]/?/g' >&2)
# Sockets that a killed nginx left would be in the way.
sed -n -e 's/^\t*listen "unix:\([^"]*\)".*/\1/p' -e 's/^\t*listen unix:\([^ ;]*\).*/\1/p' "$@" |
	while read -r left; do rm -f "$left"; done
masters=()
for configuration; do
	[[ -z $asked ]] || break
	nginx -e stderr -p "$directory" -c "$configuration" -g 'daemon off;' &
	masters+=($!)
done
((${#masters[@]} == 0)) || wait -n "${masters[@]}" || true
end QUIT

status=0
for master in "${masters[@]}"; do
	result=0
	wait "$master" || result=$?
	((status)) || status=$result
done
exit "$status"
