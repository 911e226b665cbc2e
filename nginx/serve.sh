#!/usr/bin/env -S --default-signal=QUIT,INT bash
# Runs one nginx per configuration until all have ended, and looks like one process from outside:
#
#	nginx/serve.sh DIRECTORY nginx.conf [internal.conf]
#
# Relative paths in the configurations start from DIRECTORY. SIGQUIT finishes requests in flight, SIGTERM
# and SIGINT do not. When one nginx ends, the others are stopped; the exit status is that of the first
# that failed.
#
# nginx writes clients' input into its error log unchanged. Everything in it that is not printable ASCII
# becomes a question mark, so a Referer cannot send control codes to a terminal or forge a line.
#
# (A shell ignores these signals in the processes that it starts in the background, and those cannot trap
# them.)
set -eu

directory=$1
shift
asked=

# Repeats the signal until all have ended: nginx ignores it while starting. An idle nginx ends within 20
# ms.
end() { # end SIGNAL
	local running tries=0
	asked=$1
	while running=$(jobs -pr) && [[ -n $running ]]; do
		# shellcheck disable=SC2086 # one word each
		kill "-$1" $running 2>/dev/null || true
		sleep "0.0$((tries++ < 10 ? 2 : 9))"
	done
}

for signal in QUIT TERM INT; do
	# shellcheck disable=SC2064 # this signal
	trap "end $signal" "$signal"
done
exec 2> >(trap '' QUIT TERM INT && LC_ALL=C exec sed -u 's/[^\t -~]/?/g' >&2)
# Sockets left by a killed nginx would be in the way.
sed -n -e 's/^\t*listen "unix:\([^"]*\)".*/\1/p' -e 's/^\t*listen unix:\([^ ;]*\).*/\1/p' "$@" |
	while read -r left; do rm -f "$left"; done
masters=()
for configuration; do
	[[ -z $asked ]] || break
	nginx -e stderr -p "$directory" -c "$configuration" -g 'daemon off;' &
	masters+=($!)
done
# One may have been started just after the signal was handled.
[[ -z $asked ]] || end "$asked"
((${#masters[@]} == 0)) || wait -n "${masters[@]}" || true
end QUIT

status=0
for master in "${masters[@]}"; do
	result=0
	wait "$master" || result=$?
	((status)) || status=$result
done
exit "$status"
