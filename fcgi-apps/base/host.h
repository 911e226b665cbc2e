/*
 * Resolves a host's name with a deadline. A separate thread does the lookup, since the system's
 * resolver has no deadline. Known addresses are looked up again only when they are old, and used
 * meanwhile and when the lookup fails. Thread-safe.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <sys/socket.h>

#include "base/base.h"

#define ADDRESSES_MAX 4

struct host;

struct addresses {
	struct sockaddr_storage list[ADDRESSES_MAX];
	socklen_t lengths[ADDRESSES_MAX];
	size_t count;
};

/* name: a host's, or an address of IPv4 or IPv6; port: a number; both copied. Addresses are old
 * after fresh_for microseconds. -ENOMEM. */
int host_create(const char *name, const char *port, int64_t fresh_for, struct host **ret_host);
void host_free(struct host *host);

/* At least one address. -EHOSTDOWN: the name is unknown; -ETIMEDOUT: not known by the deadline
 * (clock_monotonic() microseconds); -ENOMEM. Waits only where nothing is known. */
int host_find(struct host *host, int64_t deadline, struct addresses *ret_addresses);

#endif
