/*
 * How often a subject may do something: at a rate, with a burst above it. Bounded: where too many
 * subjects are active at once, one that has used least is forgotten, and starts anew. Thread-safe.
 */
#ifndef AUTH_QUOTA_H
#define AUTH_QUOTA_H

#include "base/base.h"

struct quota;

/* NULL when out of memory. */
struct quota *quota_create(void);
void quota_free(struct quota *quota); /* takes NULL */

/*
 * Counts one of the subject's at now (clock_monotonic()): per_second of them may come, and at once
 * as many more as in burst (microseconds). 0: it may; else the microseconds until one may, and
 * it was not counted. A per_second of 0 is no limit.
 */
int64_t quota_take(struct quota *quota, const char *subject, int64_t per_second, int64_t burst,
		   int64_t now);

#endif
