/*
 * Where a sibling listens: the parts of its base URL, and the addresses that its name stands for. A
 * name is looked up on a thread of its own, since the system's resolver knows no deadline, and at
 * most every ten seconds; what was found before is used meanwhile, and when the lookup fails.
 * Thread-safe.
 */
#ifndef UPSTREAM_ADDRESS_H
#define UPSTREAM_ADDRESS_H

#include <sys/socket.h>

#include "base/base.h"

#define ADDRESSES_MAX         4
#define ADDRESS_AUTHORITY_MAX 300 /* a name of 255 bytes (RFC 1035) and a port */

struct address;

struct addresses {
	struct sockaddr_storage list[ADDRESSES_MAX];
	socklen_t lengths[ADDRESSES_MAX];
	size_t count;
};

/* base_url is what config_url() accepts ("http://host[:port][/path]"); copied. -EINVAL, -ENOMEM. */
int address_create(const char *base_url, struct address **ret_address);
void address_free(struct address *address);

/* "host:port" or "host", for the Host header (RFC 9110 section 7.2). */
const char *address_authority(const struct address *address);

/* What goes in front of each path: "" or "/path". */
const char *address_prefix(const struct address *address);

/* At least one address. -EHOSTDOWN: the name is unknown; -ETIMEDOUT: not known by the deadline
 * (clock_monotonic() microseconds); -ENOMEM. */
int address_find(struct address *address, int64_t deadline, struct addresses *ret_addresses);

#endif
