/*
 * A circuit breaker: after some failures in a row calls are refused for a while, then one probe at
 * a time is let through until one succeeds. A pure state machine: time is passed in, locking is
 * the owner's.
 */
#ifndef UPSTREAM_BREAKER_H
#define UPSTREAM_BREAKER_H

#include "base/base.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	unsigned threshold; /* failures in a row that open it */
	int64_t pause;      /* microseconds until a probe is let through */
	enum breaker_state state;
	unsigned failures;
	int64_t next_probe; /* open, half-open: when the next probe may go */
};

void breaker_init(struct breaker *breaker, unsigned threshold, int64_t pause);

/* Whether a call may go out now. Each call let out should report its end, but a probe that never
 * does delays the next one by a pause and no more. */
bool breaker_allow(struct breaker *breaker, int64_t now);

/* How a call ended. Calls let out before the breaker opened count too: their success closes it.
 * Both return whether the breaker closed or opened by that. */
bool breaker_success(struct breaker *breaker);
bool breaker_failure(struct breaker *breaker, int64_t now);

#endif
