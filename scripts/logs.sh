#!/usr/bin/env bash
# Follows all logs: JSON lines of the workers, access logs of nginx.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

shopt -s nullglob
files=("$STATE_DIR"/log/*.log)
((${#files[@]})) || die 'there are no logs yet: "make up" first'
exec tail -n 20 -F "${files[@]}"
