/*
 * Takes a received request through routing, checks and its handler to its answer.
 */
#ifndef RESPONDER_DISPATCH_H
#define RESPONDER_DISPATCH_H

#include "responder/exchange.h"
#include "responder/gate.h"
#include "responder/thread_pool.h"

/* What requests run with: shared by all threads, and not changed while they run. */
struct dispatcher {
	struct gate *gate;         /* for RUN_TRANSACTION */
	struct thread_pool *calls; /* for RUN_BLOCKING */
	struct thread_pool *reads; /* for RUN_READ */
	bool check_responses;      /* CONTRACT_CHECK_RESPONSES */
};

/* The look-ups that a thread sends to the store in one round trip. The argument of each is its
 * exchange. */
struct lookups {
	struct db_batched list[DB_BATCH_MAX];
	size_t count;
};

/* Answers a received request and gives the exchange back, on this thread or later on another one. A
 * look-up is only added to the list, which must have room. */
void dispatch(const struct dispatcher *dispatcher, struct exchange *exchange,
	      struct lookups *lookups);

/* Answers the look-ups in the list, and empties it. */
void dispatch_lookups(struct lookups *lookups);

#endif
