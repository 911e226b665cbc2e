/*
 * Where a sibling listens: the parts of its base URL, and the addresses of its name, which are
 * looked up at most every ten seconds (base/host.h). Thread-safe.
 */
#ifndef UPSTREAM_ADDRESS_H
#define UPSTREAM_ADDRESS_H

#include "base/host.h"

#define ADDRESS_AUTHORITY_MAX 300 /* a name of 255 bytes (RFC 1035) and a port */

struct address;

/* base_url is what config_url() accepts ("http://host[:port][/path]"), or "unix:" and the path of a
 * socket; copied. -EINVAL, -ENOMEM. */
int address_create(const char *base_url, struct address **ret_address);
void address_free(struct address *address);

/* "host:port" or "host", for the Host header (RFC 9110 section 7.2). */
const char *address_authority(const struct address *address);

/* The prefix of each path: "" or "/path". */
const char *address_prefix(const struct address *address);

/* As host_find(). */
int address_find(struct address *address, int64_t deadline, struct addresses *ret_addresses);

#endif
