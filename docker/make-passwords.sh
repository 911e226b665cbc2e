#!/bin/sh
# Makes up a password for each service's role in PostgreSQL and writes it into .env, for
# docker-compose.postgres.yml. Existing passwords stay.
set -eu
umask 077
cd "$(dirname "$0")/.."

# The file may lack a final line feed, or be readable by others.
touch .env
chmod go= .env
[ -z "$(tail -c 1 .env)" ] || echo >>.env
for name in PRODUCT_PASSWORD CART_PASSWORD ORDER_PASSWORD; do
	grep -q "^$name=." .env ||
		printf '%s=%s\n' "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >>.env
done
