#!/usr/bin/env bash
# Stops the platform; each part first finishes its requests in flight.
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "$0")/common.sh"

[[ ! -d $STATE_DIR/run ]] || take_state_dir
stopped=0
while read -ra order; do
	! stop "${order[@]}" || stopped=1
done < <(stop_order)
rm -f "$choice_file"
if ((stopped)); then
	folder=data
	[[ $DB == sqlite ]] || folder=postgres
	say "Stopped. The data stays in $STATE_DIR/$folder."
else
	say 'Nothing runs.'
fi
