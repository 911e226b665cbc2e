/*
 * One HTTP/1.1 exchange through libcurl, without any policy. A handle keeps its connection open
 * between exchanges and serves one thread at a time.
 */
#ifndef UPSTREAM_ATTEMPT_H
#define UPSTREAM_ATTEMPT_H

#include "base/base.h"
#include "base/text.h"
#include "upstream/upstream.h"

struct attempt_handle;

/* NULL when out of memory. */
struct attempt_handle *attempt_handle_create(void);
void attempt_handle_free(struct attempt_handle *handle);

enum attempt_end {
	ATTEMPT_ANSWERED,
	ATTEMPT_NOT_SENT,  /* no connection: the sibling saw nothing of it */
	ATTEMPT_LOST,      /* broke off: the sibling may have acted on it */
	ATTEMPT_TIMED_OUT, /* as above */
	ATTEMPT_TOO_LONG,  /* the path exceeds 8,000 bytes, or the answer the limit of its body */
	ATTEMPT_NO_MEMORY,
};

struct attempt_answer {
	int status;
	int64_t retry_after; /* microseconds, 0 where the header is missing */
	struct text body;
};
void attempt_answer_release(struct attempt_answer *answer);

/*
 * Sends the request to base_url + request->path and fills *answer, whose body the caller has
 * initialised with its limit and releases. The time-outs are in microseconds.
 */
enum attempt_end attempt_run(struct attempt_handle *handle, const char *base_url,
			     const struct upstream_request *request, int64_t connect_timeout,
			     int64_t timeout, struct attempt_answer *answer);

#endif
