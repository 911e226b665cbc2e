/*
 * What sibling services show each other where no cluster vouches for them: a secret each. The file
 * has a line for each, "order <secret>", the secret of 32 to 128 visible ASCII characters. A name
 * with two lines has two secrets, for as long as one replaces the other. Constants once read, and
 * thread-safe.
 */
#ifndef AUTH_SERVICE_KEYS_H
#define AUTH_SERVICE_KEYS_H

#include "base/base.h"

#define SERVICE_KEYS_MAX          8
#define SERVICE_NAME_LENGTH       31
#define SERVICE_SECRET_LENGTH     128
#define SERVICE_SECRET_LENGTH_MIN 32

struct service_key {
	char name[SERVICE_NAME_LENGTH + 1];
	char secret[SERVICE_SECRET_LENGTH + 1];
};

struct service_keys {
	size_t count;
	struct service_key list[SERVICE_KEYS_MAX];
};

/* -EINVAL: not the format above, or no line; -EIO: the file cannot be read. */
int service_keys_read(const char *path, struct service_keys *ret_keys);

/* The service whose secret it is, or NULL; takes the same time for all secrets of one length. */
const char *service_keys_find(const struct service_keys *keys, const char *secret);

#endif
