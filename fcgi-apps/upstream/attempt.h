/* One HTTP/1.1 exchange, without any policy. Thread-safe; a connection serves one at a time. */
#ifndef UPSTREAM_ATTEMPT_H
#define UPSTREAM_ATTEMPT_H

#include "base/base.h"
#include "upstream/address.h"
#include "upstream/answer.h"
#include "upstream/upstream.h"

enum attempt_end {
	ATTEMPT_ANSWERED,
	ATTEMPT_NOT_SENT,  /* no connection: the sibling did not see it */
	ATTEMPT_LOST,      /* the connection broke: the sibling may have acted on it */
	ATTEMPT_TIMED_OUT, /* as above */
	ATTEMPT_TOO_LONG,  /* the path exceeds 8,000 bytes, or the answer's body its limit */
	ATTEMPT_BAD_PATH,  /* it has a space or a control character */
	ATTEMPT_NO_MEMORY,
};

/*
 * Sends the request and fills *answer, whose body the caller has initialised with its limit and
 * releases. The time-outs are in microseconds.
 * *connection is a kept one or -1, before and after. If a kept one turns out to be closed before a
 * byte of the answer came, the request is sent once more on a new one. So pass a kept one only with
 * idempotent requests.
 */
enum attempt_end attempt_run(struct address *address, int *connection,
			     const struct upstream_request *request, int64_t connect_timeout,
			     int64_t timeout, struct answer *answer);

#endif
