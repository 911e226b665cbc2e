/*
 * A file of secrets, one a line, each of 32 to 128 visible ASCII characters: the keys of guests'
 * secrets (guest.h); or with a name before each, "order <secret>", of small letters: what sibling
 * services show each other where no cluster vouches for them. A name with two lines has two
 * secrets, for as long as one replaces the other.
 *
 * Constants once read; thread-safe.
 */
#ifndef AUTH_SECRETS_H
#define AUTH_SECRETS_H

#include "base/base.h"

#define SECRETS_MAX        8
#define SECRET_NAME_LENGTH 31
#define SECRET_LENGTH_MIN  32
#define SECRET_LENGTH      128

struct secret {
	char name[SECRET_NAME_LENGTH + 1]; /* "" without */
	char text[SECRET_LENGTH + 1];
};

struct secrets {
	size_t count;
	struct secret list[SECRETS_MAX];
};

/* most: lines, up to SECRETS_MAX. -EINVAL: not the format above, no line, or more; -EIO: the file
 * cannot be read; -ENOMEM. */
int secrets_read(const char *path, bool named, size_t most, struct secrets *ret_secrets);

/* The name of the secret, or NULL; takes the same time for all texts of one length. */
const char *secrets_find(const struct secrets *secrets, const char *text);

#endif
