/*
 * The secret of a guest's cart: "gst_" and HMAC-SHA256 (RFC 2104, RFC 6234) of the cart's id under
 * a key of the platform, in base64url. Nothing is stored: a repeated request gets the same secret,
 * and who has stolen a database has none.
 *
 * The keys are one or two secrets of a file (secrets.h). The first one makes secrets, both are
 * taken. docs/SECURITY.md says how to change the key. Thread-safe.
 */
#ifndef AUTH_GUEST_H
#define AUTH_GUEST_H

#include "auth/secrets.h"

#define GUEST_KEYS_MAX    2
#define GUEST_SECRET_SIZE 48 /* with its NUL */

/* -EIO: there is no key, or libcrypto fails; -ENOMEM. */
int guest_secret_make(const struct secrets *keys, const char *cart_id,
		      char ret_secret[GUEST_SECRET_SIZE]);

/* Whether the secret is that of the cart; takes the same time whatever is wrong with it. secret may
 * be NULL, which fits none; without memory none does. */
bool guest_secret_fits(const struct secrets *keys, const char *cart_id, const char *secret);

#endif
