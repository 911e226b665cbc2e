/*
 * How long to wait before trying again: exponential with full jitter ("Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015), so that callers that failed together do not retry
 * together. Microseconds. Thread-safe (no state).
 */
#ifndef UPSTREAM_BACKOFF_H
#define UPSTREAM_BACKOFF_H

#include "base/base.h"

/* base * 2^failures, at most longest, never overflowing; base and longest are positive. */
int64_t backoff_ceiling(int64_t base, int64_t longest, unsigned failures);

/* A random delay in [0, backoff_ceiling()]. */
int64_t backoff_delay(int64_t base, int64_t longest, unsigned failures);

#endif
