#!/bin/bash
# What the documentation of PostgreSQL's official image says of its start, for a user who is not root:
#
#	POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, each also as …_FILE
#	POSTGRES_HOST_AUTH_METHOD      scram-sha-256; no password is needed with trust only
#	PGDATA                         where the cluster is; made and filled if it is empty
#	/docker-entrypoint-initdb.d    then *.sh (sourced unless executable), *.sql and *.sql.gz, in order
set -euo pipefail
umask 077

die() {
	printf 'postgres stand-in: %s\n' "$*" >&2
	exit 1
}

# setting NAME DEFAULT
setting() {
	local file=$1_FILE
	if [[ -n ${!1:-} && -n ${!file:-} ]]; then
		die "both $1 and $file are set"
	elif [[ -n ${!file:-} ]]; then
		export "$1=$(<"${!file}")"
	else
		export "$1=${!1:-$2}"
	fi
}

run_sql() {
	psql -v ON_ERROR_STOP=1 -X -w -U "$POSTGRES_USER" "$@"
}

fill() {
	local script
	setting POSTGRES_USER postgres
	setting POSTGRES_PASSWORD ''
	setting POSTGRES_DB "$POSTGRES_USER"
	setting POSTGRES_INITDB_ARGS ''
	setting POSTGRES_HOST_AUTH_METHOD scram-sha-256
	[[ -n $POSTGRES_PASSWORD || $POSTGRES_HOST_AUTH_METHOD = trust ]] || die 'POSTGRES_PASSWORD is not set'
	# shellcheck disable=SC2086 # words
	initdb -D "$PGDATA" -U "$POSTGRES_USER" ${POSTGRES_PASSWORD:+--pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")} \
		$POSTGRES_INITDB_ARGS
	echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
	pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
	[[ $POSTGRES_DB = postgres ]] || run_sql -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
	for script in /docker-entrypoint-initdb.d/*; do
		printf '%s: %s\n' "$0" "$script"
		case $script in
		*.sh)
			if [[ -x $script ]]; then
				"$script"
			else
				# shellcheck source=/dev/null
				. "$script"
			fi
			;;
		*.sql) run_sql -d "$POSTGRES_DB" -f "$script" ;;
		*.sql.gz) gunzip -c "$script" | run_sql -d "$POSTGRES_DB" ;;
		esac
	done
	pg_ctl -D "$PGDATA" -w -m fast stop
}

[[ $(id -u) != 0 ]] || die 'this stand-in never runs as root'
[[ $# -gt 0 && $1 != -* ]] || set -- postgres "$@"
if [[ $1 = postgres ]]; then
	mkdir -p "$PGDATA"
	chmod 700 "$PGDATA" 2>/dev/null || true
	[[ -s $PGDATA/PG_VERSION ]] || fill
fi
exec "$@"
