#!/bin/sh
# Makes up the keys that workers with AUTH=jwt have among themselves (docs/SECURITY.md), in a folder:
#
#	guest-keys                   GUEST_KEYS of Cart and Order
#	service-keys                 SERVICE_KEYS of Product and Cart
#	order/product, order/cart    SERVICE_TOKENS of Order
#
# Existing ones stay. The caller's umask says who can read them.
set -eu
folder=${1:?usage: scripts/make-keys.sh FOLDER}

random_key() {
	od -An -N32 -v -tx1 /dev/urandom | tr -d ' \n'
}

if [ ! -s "$folder/guest-keys" ]; then
	printf '%s\n' "$(random_key)" >"$folder/guest-keys"
fi
if [ ! -s "$folder/service-keys" ]; then
	key=$(random_key)
	mkdir -p "$folder/order"
	printf '%s\n' "$key" | tee "$folder/order/product" >"$folder/order/cart"
	printf 'order %s\n' "$key" >"$folder/service-keys"
fi
