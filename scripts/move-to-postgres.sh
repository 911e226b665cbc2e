#!/usr/bin/env bash
# Copies the databases of a platform that ran on SQLite into its private PostgreSQL cluster, for
# `make up DB=postgres` to go on with. Nothing may run meanwhile; the files stay as they are.
set -euo pipefail
export DB=postgres
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

for file in "$STATE_DIR"/run/*.pid; do
	name=${file##*/}
	! running "${name%.pid}" >/dev/null || die 'it is up: "make down" first'
done
for name in "${services[@]}"; do
	[[ -e $STATE_DIR/data/$name.db ]] || die "there is no $STATE_DIR/data/$name.db to move"
done

umask 077
mkdir -p "$STATE_DIR"/{run,log,postgres}
[[ $(id -u) != 0 ]] || chmod go+x "$STATE_DIR"
trap 'stop postgres INT' EXIT
start_cluster
deadline=$((SECONDS + ready_seconds))
until cluster_ready; do
	running postgres >/dev/null || die "PostgreSQL ended: see $STATE_DIR/log/postgres.log"
	((SECONDS < deadline)) || die "PostgreSQL is not ready after $ready_seconds s"
	sleep 0.1
done
for name in "${services[@]}"; do
	[[ -n $(cluster_query "SELECT 1 FROM pg_database WHERE datname = '$name'") ]] ||
		cluster_query "CREATE DATABASE \"$name\""
	DATABASE_URL="sqlite:///$STATE_DIR/data/$name.db" "build/$VARIANT/$name-service" \
		--copy-to "postgresql:///$name?host=$(cluster_host)&user=postgres"
done
say 'Moved. "make up DB=postgres" goes on with it.'
