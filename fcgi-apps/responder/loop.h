/* The event threads: each takes connections that have a request, and dispatches the requests. For
 * the thread that starts and stops the process. */
#ifndef RESPONDER_LOOP_H
#define RESPONDER_LOOP_H

#include "responder/connections.h"
#include "responder/dispatch.h"

struct loop;

/* The caller keeps all of this until the loop is freed. */
struct loop_options {
	struct connections *connections;
	struct exchanges *exchanges;
	const struct dispatcher *dispatcher;
	size_t threads;
	size_t share_limit; /* the most requests that a thread takes at once: db_batch_limit() */
};

/* -ENOMEM, -EAGAIN: only some threads could be started. */
int loop_start(const struct loop_options *options, struct loop **ret_loop);

/* Stops accepting and answers all received requests, for at most timeout microseconds; then ends
 * the threads. False: requests are left, and the threads go on. */
bool loop_drain(struct loop *loop, int64_t timeout);

/* Only after a drain that returned true. */
void loop_free(struct loop *loop);

#endif
