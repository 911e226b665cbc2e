/*
 * The secret of a guest's cart: "gst_" and HMAC-SHA256 (RFC 2104, RFC 6234) of the cart's id under
 * a key of the platform, in base64url. Nothing is stored: a repeated request gets the same secret,
 * and who has stolen a database has none.
 *
 * The key file has one or two lines: a key each, of 32 to 128 visible ASCII characters. The first
 * one makes secrets, both are taken: to change the key put the new one in front, and remove the old
 * one when the carts of its time are gone. Keys are constants once read; all else is thread-safe.
 */
#ifndef AUTH_GUEST_H
#define AUTH_GUEST_H

#include "base/base.h"

#define GUEST_KEYS_MAX    2
#define GUEST_KEY_LENGTH  128
#define GUEST_SECRET_SIZE 48 /* with its NUL */

/* All zero: no guest has a secret. */
struct guest_keys {
	size_t count;
	char keys[GUEST_KEYS_MAX][GUEST_KEY_LENGTH + 1];
};

/* -EINVAL: not the format above; -EIO: the file cannot be read. */
int guest_keys_read(const char *path, struct guest_keys *ret_keys);

/* -EIO: there is no key, or libcrypto fails. */
int guest_secret_make(const struct guest_keys *keys, const char *cart_id,
		      char ret_secret[GUEST_SECRET_SIZE]);

/* Whether the secret is that of the cart; takes the same time whatever is wrong with it. secret may
 * be NULL, which fits none. */
bool guest_secret_fits(const struct guest_keys *keys, const char *cart_id, const char *secret);

#endif
