/*
 * A circuit breaker: after some consecutive failures, calls are refused for a while; then one probe
 * at a time is admitted until one succeeds. A pure state machine: the caller passes the time and
 * does the locking.
 */
#ifndef UPSTREAM_BREAKER_H
#define UPSTREAM_BREAKER_H

#include "base/base.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	unsigned threshold; /* consecutive failures that open it */
	int64_t pause;      /* microseconds until a probe is admitted */
	enum breaker_state state;
	unsigned failures;
	int64_t next_probe; /* open, half-open: when the next probe may go */
};

void breaker_init(struct breaker *breaker, unsigned threshold, int64_t pause);

/* Whether a call may be made now. Each such call should report its end; a probe that never does
 * delays the next one by one pause only. */
bool breaker_allow(struct breaker *breaker, int64_t now);

/* How a call ended. Calls made before the breaker opened count, too: their success closes it. Both
 * return whether this closed or opened the breaker. */
bool breaker_success(struct breaker *breaker);
bool breaker_failure(struct breaker *breaker, int64_t now);

#endif
