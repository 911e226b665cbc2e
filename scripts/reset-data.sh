#!/usr/bin/env bash
# Deletes the local databases.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

for name in "${services[@]}"; do
	! running "$name-worker" >/dev/null || die 'the platform is up: "make down" first'
done
for name in "${services[@]}"; do
	rm -f "$STATE_DIR/data/$name.db" "$STATE_DIR/data/$name.db-wal" "$STATE_DIR/data/$name.db-shm"
done
say "The databases in $STATE_DIR/data are deleted."
