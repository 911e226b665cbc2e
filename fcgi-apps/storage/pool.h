/*
 * The connections for reading, each lent to one thread at a time. Thread-safe. Internal to
 * storage/.
 */
#ifndef STORAGE_POOL_H
#define STORAGE_POOL_H

#include <pthread.h>

#include "storage/driver.h"

struct pool {
	int64_t patience;     /* microseconds to wait for a free connection */
	pthread_mutex_t lock; /* guards the members below */
	pthread_cond_t returned;
	struct db_conn *idle; /* last used first: its cache is warm */
	size_t size;
	size_t in_use;
	int64_t timeouts;
};

void pool_init(struct pool *pool, int64_t patience);

/* Closes the connections, all of which must have been returned. */
void pool_release(struct pool *pool);

/* The connection becomes the pool's. */
void pool_add(struct pool *pool, struct db_conn *conn);

/* -EAGAIN: none was returned in time. */
MUST_CHECK int pool_take(struct pool *pool, struct db_conn **ret_conn);

void pool_return(struct pool *pool, struct db_conn *conn);

/* Fills in the figures about readers. */
void pool_stats(struct pool *pool, struct db_stats *ret_stats);

#endif
