/*
 * The provider's keys from an address: what a sidecar of this worker fetches from the provider. The
 * worker itself has no TLS, so the address is plain HTTP, on loopback.
 *
 * They are fetched when the worker starts, and again every key_source_options.renew; and where a
 * token names a key that is not among them, but not more often than key_source_options.cooldown
 * allows: a flood of made-up names causes one fetch in that time. As long as nothing comes, the old
 * keys count.
 */
#ifndef RESPONDER_KEY_SOURCE_H
#define RESPONDER_KEY_SOURCE_H

#include "auth/provider.h"

struct key_source_options {
	int64_t renew;    /* microseconds between fetches */
	int64_t retry;    /* after one that failed */
	int64_t cooldown; /* least time between fetches that tokens cause */
	/* The file of what a fetch shows (upstream/credential.h); NULL: nothing. */
	const char *credential;
};

struct key_source_options key_source_defaults(void);

struct key_source;

/* The keys become the provider's, which outlives the source. -EINVAL: no such address, or nothing
 * that could be a credential; -EIO: its file cannot be read; -ENOMEM. */
int key_source_create(const char *url, const struct key_source_options *options,
		      struct provider *provider, struct key_source **ret_source);
void key_source_free(struct key_source *source); /* takes NULL */

/* Fetches them if it is time to. One thread; blocks for as long as a call may take. */
void key_source_run(struct key_source *source);

/* A token named an unknown key. Whether that causes a fetch: then it may be known in a second. Any
 * thread. */
bool key_source_want(struct key_source *source);

/* Microseconds since the keys were last fetched; since the start if they never were. Any thread. */
int64_t key_source_age(struct key_source *source);

#endif
