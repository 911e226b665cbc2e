/* What an upstream is made of; for this folder only. */
#ifndef UPSTREAM_STATE_H
#define UPSTREAM_STATE_H

#include <pthread.h>

#include "upstream/breaker.h"
#include "upstream/upstream.h"

struct attempt_handle;

struct upstream {
	struct upstream_options options;
	pthread_mutex_t lock; /* for everything below */
	struct breaker breaker;
	struct upstream_stats stats;
	struct attempt_handle **idle; /* last used first: the coldest connections time out */
	size_t idle_count;
};

#endif
