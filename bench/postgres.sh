#!/bin/sh
# The benchmark's PostgreSQL, a cluster of its own in FOLDER/data with a socket in FOLDER.
#
#	bench/postgres.sh programs                  where the server's programs are
#	bench/postgres.sh init FOLDER
#	bench/postgres.sh run FOLDER [OPTION]...    becomes the server
set -eu

# shellcheck source-path=SCRIPTDIR source=../scripts/postgres.sh
. "$(dirname "$0")/../scripts/postgres.sh"

enter() {
	postgres_own "$1"
	cd "$1"
}

postgres_find '' || {
	echo 'bench/postgres.sh: needs PostgreSQL: scripts/install-packages.sh postgres' >&2
	exit 1
}
verb=${1-}
case $verb in
programs) printf '%s\n' "$postgres_programs" ;;
init)
	enter "$2"
	postgres_init "$2/data" --no-sync
	;;
run)
	folder=$2
	shift 2
	enter "$folder"
	# shellcheck disable=SC2086 # words
	exec $postgres_as "$postgres_programs/postgres" -D "$folder/data" -k "$folder" \
		-c listen_addresses= "$@"
	;;
*)
	echo 'usage: bench/postgres.sh programs | init FOLDER | run FOLDER [OPTION]...' >&2
	exit 2
	;;
esac
