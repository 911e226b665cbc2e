/*
 * A received request on its way: routed, checked, run as its operation says, answered.
 */
#ifndef RESPONDER_DISPATCH_H
#define RESPONDER_DISPATCH_H

#include "responder/exchange.h"
#include "responder/gate.h"
#include "responder/thread_pool.h"

/* What requests are run with: of all threads, and not changed while they run. */
struct dispatcher {
	struct gate *gate;         /* for RUN_TRANSACTION */
	struct thread_pool *calls; /* for RUN_BLOCKING */
	struct thread_pool *reads; /* for RUN_READ */
	bool check_responses;      /* CONTRACT_CHECK_RESPONSES */
};

/* The look-ups that a thread sends to the store in one round trip; the argument of each is its
 * exchange. */
struct lookups {
	struct db_batched list[DB_BATCH_MAX];
	size_t count;
};

/* Answers the request that was received, and gives the exchange back; on this thread or later on
 * another. A look-up is only added to the list, in which there must be room. */
void dispatch(const struct dispatcher *dispatcher, struct exchange *exchange,
	      struct lookups *lookups);

/* Answers those of the list, and empties it. */
void dispatch_lookups(struct lookups *lookups);

#endif
