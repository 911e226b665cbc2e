#!/usr/bin/env bash
# Follows all logs: JSON lines of the workers, access logs of nginx. Control characters become question
# marks, because some programs (PostgreSQL) log what clients sent.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

shopt -s nullglob
files=("$STATE_DIR"/log/*.log)
((${#files[@]})) || die 'there are no logs yet: "make up" first'
# C0 except tab and line feed, DEL, and C1 in UTF-8.
tail -n 20 -F "${files[@]}" |
	LC_ALL=C sed -u 's/[\x00-\x08\x0b-\x1f\x7f]/?/g; s/\xc2[\x80-\x9f]/?/g'
