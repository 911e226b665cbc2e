#!/usr/bin/env bash
# Deletes the local databases.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

take_state_dir
! anything_runs || die 'the platform is up: "make down" first'
for name in "${services[@]}"; do
	rm -f "$STATE_DIR/data/$name.db"{,-wal,-shm,-sessions}
done
rm -rf "$STATE_DIR/postgres"
say "The databases in $STATE_DIR are deleted."
