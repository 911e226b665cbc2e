/*
 * Calls to a sibling service's internal port in plain HTTP/1.1: kept connections, a deadline,
 * retries of idempotent calls with backoff and full jitter, and a circuit breaker. Thread-safe; one
 * struct upstream per sibling.
 *
 * A sibling may be several pods behind one address. A connection reaches the same pod for as long
 *as it lasts. So a connection is closed after an answer of 500 or more, and each retry makes a new
 * one.
 *
 *	upstream.c    the policy of a call: tries, breaker, kept connections
 *	attempt.c     one exchange: sends the request, once more if a kept connection was dead
 *	answer.c      the response, through http-parser
 *	connection.c  sockets with deadlines
 *	credential.c  what calls show of who makes them
 *	address.c     the base URL, and names looked up with a deadline
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "base/base.h"
#include "base/json.h"
#include "upstream/breaker.h"

struct upstream;

struct upstream_options {
	const char *name;          /* "product"; for log and metrics; kept, not copied */
	const char *base_url;      /* "http://127.0.0.1:9001", "unix:/path"; kept */
	int64_t connect_timeout;   /* microseconds */
	int64_t attempt_timeout;   /* microseconds for one try */
	unsigned attempts;         /* tries of an idempotent call; 1: no retry */
	unsigned breaker_failures; /* consecutive calls that fail in spite of retries; then it opens
				    */
	int64_t breaker_pause;     /* microseconds until it admits a probe */
	size_t connections;        /* the most that are kept */
	const char *credential;    /* the file of what calls show (credential.h); NULL: nothing */
};

/* Fills in the defaults that the services use. */
struct upstream_options upstream_defaults(const char *name, const char *base_url);

/* -EINVAL: address_create() does not accept the base URL, or the file holds no credential; -EIO:
 * that file cannot be read; -ENOMEM. */
int upstream_create(const struct upstream_options *options, struct upstream **ret_upstream);
void upstream_free(struct upstream *upstream);

struct credential;

struct upstream_request {
	const char *method; /* not HEAD */
	const char *path;   /* "/internal/reservations/…", escaped where needed */
	const char *body;   /* JSON text or NULL */
	size_t body_length;
	int64_t deadline;              /* clock_monotonic() microseconds for all tries together */
	const char *request_id;        /* sent as X-Request-ID; NULL: none */
	const char *traceparent;       /* W3C Trace Context; NULL: none */
	struct credential *credential; /* upstream_call() sets it, of the options */
	bool idempotent;               /* may be sent again although it may have had its effect */
};

struct upstream_response {
	int status;
	struct json *body;   /* NULL: none; upstream_response_release() frees it */
	int64_t retry_after; /* microseconds from a Retry-After header, or 0 */
};

/*
 * Returns 0 and the answer for every status below 500. Otherwise *ret_response is empty and:
 * -EHOSTDOWN  not reachable, every try was answered by 5xx or garbage, or the breaker is open
 * -ETIMEDOUT  the deadline, or the time of the last try, passed
 * -EMSGSIZE   the answer is longer than 4 MiB, or the path than 8,000 bytes
 * -EINVAL     the path has a space or a control character
 * -ENOMEM
 * After any of them the call may have had its effect. If no connection could be made, nothing was
 * sent, so calls that are not idempotent are tried again, too.
 */
int upstream_call(struct upstream *upstream, const struct upstream_request *request,
		  struct upstream_response *ret_response);

void upstream_response_release(struct upstream_response *response);

struct upstream_stats {
	int64_t calls;
	int64_t retries;
	int64_t failures; /* calls that ended with an error */
	int64_t refused;  /* not tried, breaker open */
	enum breaker_state breaker;
};
void upstream_stats(struct upstream *upstream, struct upstream_stats *ret_stats);
const char *upstream_name(const struct upstream *upstream);

#endif
