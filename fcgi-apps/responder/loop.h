/* The event threads: each takes connections with a request, and dispatches those. For the thread
 * that starts and stops the process. */
#ifndef RESPONDER_LOOP_H
#define RESPONDER_LOOP_H

#include "responder/connections.h"
#include "responder/dispatch.h"

struct loop;

/* All of it stays the caller's, until the loop is freed. */
struct loop_options {
	struct connections *connections;
	struct exchanges *exchanges;
	const struct dispatcher *dispatcher;
	size_t threads;
	size_t share_limit; /* requests that a thread takes at once, at most: db_batch_limit() */
};

/* -ENOMEM, -EAGAIN: only some threads could be started. */
int loop_start(const struct loop_options *options, struct loop **ret_loop);

/* Stops accepting and answers all received requests, for at most timeout microseconds; then ends
 * the threads. False where requests are left: then the threads go on. */
bool loop_drain(struct loop *loop, int64_t timeout);

/* After a drain that returned true. */
void loop_free(struct loop *loop);

#endif
