#!/usr/bin/env bash
# Follows all logs: JSON lines of the workers, access logs of nginx. Control characters become question
# marks: some programs (PostgreSQL) quote in their log what clients sent.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

shopt -s nullglob
files=("$STATE_DIR"/log/*.log)
((${#files[@]})) || die 'there are no logs yet: "make up" first'
# C0 but tab and line feed, DEL, and C1 as UTF-8 has it.
tail -n 20 -F "${files[@]}" |
	LC_ALL=C sed -u 's/[\x00-\x08\x0b-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g'
