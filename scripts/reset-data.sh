#!/usr/bin/env bash
# Deletes the local databases.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

for name in "${services[@]}"; do
	for replica in $(replicas_of "$name"); do
		! running "$replica-worker" >/dev/null || die 'the platform is up: "make down" first'
	done
done
! running postgres >/dev/null || die 'PostgreSQL runs: "make down" first'
for name in "${services[@]}"; do
	rm -f "$STATE_DIR/data/$name.db" "$STATE_DIR/data/$name.db-wal" "$STATE_DIR/data/$name.db-shm"
done
rm -rf "$STATE_DIR/postgres"
say "The databases in $STATE_DIR are deleted."
