#!/bin/sh
# Makes up a password for each service's role in PostgreSQL and puts it into .env, for
# docker-compose.postgres.yml. Those that are there already stay.
set -eu
umask 077
cd "$(dirname "$0")/.."

# Whoever wrote it may have left its last line without an end, or readable by others.
touch .env
chmod go= .env
[ -z "$(tail -c 1 .env)" ] || echo >>.env
for name in PRODUCT_PASSWORD CART_PASSWORD ORDER_PASSWORD; do
	grep -q "^$name=." .env ||
		printf '%s=%s\n' "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >>.env
done
