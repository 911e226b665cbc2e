#!/bin/sh
# Has spin look at every state of tests/proofs/checkout.pml, and then at the protocol with one thing
# taken away at a time, which must fail: else the model would prove nothing. Exit status 1 where one
# of them came out otherwise, or was not searched to the end.
#
#	tests/proofs/model.sh
#
# docs/CHECKOUT.md says what is proved, and how to read the way in which a variant fails.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/checkout.pml
for tool in spin gcc; do
	command -v "$tool" >/dev/null || {
		echo "model: $tool is missing (scripts/install-packages.sh build test)" >&2
		exit 1
	}
done
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 1' HUP INT TERM
cd "$directory"
failures=0

# generate FLAGS: makes ./pan, the program that searches, in at most 2000 MB.
generate() {
	# shellcheck disable=SC2086 # a list of flags
	if ! spin $1 -a "$model" >spin.log 2>&1; then
		cat spin.log >&2
		exit 1
	fi
	# The code is spin's: its warnings are nobody's.
	gcc -O2 -w -DCOLLAPSE -DMEMLIM=2000 -o pan pan.c
}

# search CLAIM: prints complete, violated or unfinished; pan.log has the details.
search() {
	status=0
	timeout 300 ./pan -a -m100000 -N "$1" >pan.log 2>&1 || status=$?
	if grep -q 'errors: [1-9]' pan.log && grep -qE '^pan:1: (assertion violated|acceptance cycle)' pan.log; then
		echo violated
	elif [ "$status" = 0 ] && grep -q 'errors: 0$' pan.log &&
		! grep -qiE 'max search depth too small|out of memory|not completed|^pan: error|interrupted' pan.log; then
		echo complete
	else
		echo unfinished
	fi
}

details() {
	case $1 in
	complete) sed -n 's/^ *\([0-9][0-9]*\) states, stored.*/all \1 states/p' pan.log ;;
	violated)
		# A claim is printed as the whole formula: its name says more.
		sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' pan.log |
			sed 's/^assertion violated  !( .*/the claim/; s/^assertion violated/not/; s/^acceptance cycle/a run that never settles/'
		;;
	*) cat pan.log ;;
	esac
}

# expect complete|violated CLAIM WHAT
expect() {
	outcome=$(search "$2")
	if [ "$outcome" = "$1" ]; then
		verdict=ok
	else
		verdict=WRONG
		failures=$((failures + 1))
	fi
	printf '  %-5s  %-47s %s: %s\n' "$verdict" "$3" "$outcome" "$(details "$outcome")"
}

for carts in 1 2; do
	generate "-DCARTS=$carts"
	expect complete final "carts: $carts; invariants, decisions are final"
	expect complete in_time "carts: $carts; invariants, placed in time"
	expect complete settles "carts: $carts; invariants, every order settles"
	expect violated nobody_buys "carts: $carts; claim that nobody buys must fail"
done
for without in NO_STOCK_TOMBSTONE NO_CART_TOMBSTONE NO_CONDITIONAL_COMMIT NO_SAGA_CONDITION \
	NO_SWEEPER; do
	generate "-D$without"
	expect violated settles "$without must fail"
done
generate -DNO_LEASE_CONDITION
expect violated in_time 'NO_LEASE_CONDITION must place an order too late'
expect complete settles 'NO_LEASE_CONDITION must break nothing else'

if [ "$failures" -gt 0 ]; then
	echo "model: $failures of the searches came out wrong" >&2
	exit 1
fi
echo 'model: the protocol holds, and fails without each of the things taken away'
