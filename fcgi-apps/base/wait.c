#include "base/wait.h"

#include "base/clock.h"

void wait_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline)
{
	struct timespec until = {.tv_sec = deadline / CLOCK_SECOND,
				 .tv_nsec = deadline % CLOCK_SECOND * 1000};
	return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}
