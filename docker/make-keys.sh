#!/bin/sh
# Makes up the keys of docker-compose.auth.yml, in var/keys (scripts/make-keys.sh). Existing ones stay.
#
# Only their owner can enter the folder. To containers, whose user is another, its files are lent one by one.
set -eu
umask 022
cd "$(dirname "$0")/.."

mkdir -p var/keys
chmod 700 var/keys
scripts/make-keys.sh var/keys
