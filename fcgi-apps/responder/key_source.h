/*
 * A provider's keys from an address. The worker has no TLS: its sidecar fetches them, at a Unix
 * socket of which the worker asks for them (nginx/provider.conf.template). An answer with a
 * Retry-After is an old one, since the provider does not answer.
 *
 * They are fetched when the worker starts, and again every key_source_options.renew; and where a
 * token names a key that is not among them, but not more often than key_source_options.cooldown
 * allows: a flood of made-up names causes one fetch in that time. As long as nothing comes, the old
 * keys count.
 */
#ifndef RESPONDER_KEY_SOURCE_H
#define RESPONDER_KEY_SOURCE_H

#include "auth/verifier.h"

struct key_source_options {
	int64_t renew;    /* microseconds between fetches */
	int64_t retry;    /* after one that failed */
	int64_t cooldown; /* least time between fetches that tokens cause */
	/* The following are kept, not copied. */
	const char *path; /* "/keys": what the sidecar is asked for */
	/* Whose "/configuration" says where the keys are (auth/discovery.h), which goes after the
	 * path as a query; NULL: the sidecar knows. */
	const char *issuer;
	/* The file of what a fetch shows (upstream/credential.h); NULL: nothing. */
	const char *credential;
	int64_t starting; /* microseconds in which the first keys are tried for at each run */
};

struct key_source_options key_source_defaults(void);

struct key_source;

/* The keys become the verifier's, which outlives the source. -EINVAL: no path of a socket,
 * or nothing that could be a credential; -EIO: its file cannot be read; -ENOMEM. */
int key_source_create(const char *socket, const struct key_source_options *options,
		      struct verifier *verifier, struct key_source **ret_source);
void key_source_free(struct key_source *source); /* takes NULL */

/* Fetches them if it is time to. One thread; blocks for as long as a call may take. */
void key_source_run(struct key_source *source);

/* A token named an unknown key. Whether that causes a fetch, or one is under way: then it may be
 * known in a second. Any thread. */
bool key_source_want(struct key_source *source);

/* Microseconds since the keys were last fetched; since the start if they never were. Any thread. */
int64_t key_source_age(struct key_source *source);

#endif
