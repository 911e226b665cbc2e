#!/bin/sh
# Runs a command with a PostgreSQL cluster of its own, and removes the cluster afterwards.
#
#	scripts/with-postgres.sh COMMAND [ARGUMENT...]
#
# The command finds the cluster in TEST_DATABASE_URL (as superuser, database "postgres"). It is reachable
# only by a Unix socket in a private folder, so any number may run at the same time. POSTGRES_FSYNC=on
# makes it as slow as a real one. POSTGRES_LOG names a file for its log.
set -eu

die() {
	printf 'with-postgres: %s\n' "$*" >&2
	exit 1
}

[ $# -gt 0 ] || die 'which command?'

# shellcheck source-path=SCRIPTDIR source=postgres.sh
. "$(dirname "$0")/postgres.sh"
postgres_find '' || die 'needs PostgreSQL: scripts/install-packages.sh test'

# A socket's path is limited to 107 characters, and TMPDIR may be deep.
folder=$(mktemp -d /tmp/postgres-XXXXXX)
server=
command=
# shellcheck disable=SC2317 # called by the trap
finish() {
	status=$?
	trap '' INT TERM HUP
	# SIGQUIT: the data is thrown away, so no checkpoint is needed.
	if [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null; then
		wait "$server" || true
	fi
	[ -z "${POSTGRES_LOG:-}" ] || cp "$folder/log" "$POSTGRES_LOG" 2>/dev/null || true
	rm -rf "$folder"
	exit "$status"
}
trap finish EXIT
trap '[ -z "$command" ] || kill "$command" 2>/dev/null; exit 130' INT TERM HUP

chmod 711 "$folder"
postgres_own "$folder"
cd "$folder"
postgres_init "$folder/data" --no-sync >"$folder/log" 2>&1 || {
	cat "$folder/log" >&2
	die 'initdb failed'
}
# shellcheck disable=SC2086 # words
$postgres_as "$postgres_programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= \
	-c fsync="${POSTGRES_FSYNC:-off}" -c shared_buffers=32MB -c max_connections=500 \
	>>"$folder/log" 2>&1 &
server=$!
cd - >/dev/null

tries=0
until "$postgres_programs/pg_isready" -q -h "$folder"; do
	tries=$((tries + 1))
	if [ $tries = 300 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$folder/log" >&2
		die 'the server does not start'
	fi
	sleep 0.1
done

export TEST_DATABASE_URL="postgresql:///postgres?host=$folder&user=postgres"
# Runs in the background, so that a signal ends the wait; with our own standard input.
"$@" <&0 &
command=$!
status=0
wait "$command" || status=$?
exit "$status"
