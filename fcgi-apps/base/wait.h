/*
 * Condition variables that are waited for until a time of clock_monotonic(), which no change of the
 * wall clock shortens or prolongs.
 */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>

#include "base/base.h"

void wait_init(pthread_cond_t *condition);

/* Waits once, as pthread_cond_timedwait() does: woken or not, the caller looks again. Whether there
 * is time left. Called with the mutex held, by any thread. */
bool wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);

#endif
