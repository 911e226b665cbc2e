#!/usr/bin/env bash
# Copies the databases of a platform that ran on SQLite into a new private PostgreSQL cluster, for use
# with `make up DB=postgres`. If it fails or is killed, nothing is copied. The platform must not be
# running; the SQLite files stay as they are.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

folder=$STATE_DIR/postgres
host=$cluster_host/new

# Removes what has been copied.
undo() {
	stop QUIT moving || true
	rm -rf "$folder/new"
}

move() {
	local name
	own_clusters
	make_cluster "$folder/new"
	# Its socket is in its own folder, where no worker looks for it. The server ends with this script.
	postgres_as="setpriv --pdeathsig QUIT ${postgres_as#setpriv}"
	launch_cluster moving new .
	await_cluster moving "$host" || {
		tail -n 12 "$STATE_DIR/log/moving.log" >&2
		die 'PostgreSQL ended or is not ready in time'
	}
	make_databases "$host"
	for name in "${services[@]}"; do
		DATABASE_URL="sqlite:///$STATE_DIR/data/$name.db" setpriv --pdeathsig TERM \
			"build/$VARIANT/$name-service" --copy-to "postgresql:///$name?host=$host&user=postgres" ||
			die "nothing was moved, for $name's data could not be copied"
	done
	stop INT moving || die "PostgreSQL ended: see $STATE_DIR/log/moving.log"
}

take_state_dir
! anything_runs || die 'it is up: "make down" first'
for name in "${services[@]}"; do
	[[ -e $STATE_DIR/data/$name.db ]] || die "there is no $STATE_DIR/data/$name.db to move"
done
[[ ! -e $folder/data ]] ||
	die "there is a cluster with data already: to move once more, take $folder/data away first"
scripts/install-packages.sh postgres
undoable move undo
mv "$folder/new" "$folder/data"
say 'Moved. "make up DB=postgres" goes on with it.'
