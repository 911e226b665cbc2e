#include "storage/pool.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"

void pool_init(struct pool *pool, int64_t patience)
{
	*pool = (struct pool){.patience = patience};
	wait_init(&pool->returned);
	pthread_mutex_init(&pool->lock, NULL);
}

void pool_release(struct pool *pool)
{
	assert(pool->in_use == 0);
	while (pool->idle) {
		struct db_conn *conn = pool->idle;
		pool->idle = conn->next;
		conn->driver->close(conn);
	}
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
}

void pool_add(struct pool *pool, struct db_conn *conn)
{
	pthread_mutex_lock(&pool->lock);
	conn->next = pool->idle;
	pool->idle = conn;
	pool->size++;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_signal(&pool->returned);
}

int pool_take(struct pool *pool, struct db_conn **ret_conn)
{
	int64_t deadline = clock_monotonic() + pool->patience;
	pthread_mutex_lock(&pool->lock);
	while (!pool->idle && wait_until(&pool->returned, &pool->lock, deadline))
		;
	struct db_conn *conn = pool->idle;
	size_t size = pool->size;
	if (conn) {
		pool->idle = conn->next;
		pool->in_use++;
	} else {
		pool->timeouts++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!conn) {
		log_write(LOG_WARN, "no free database connection",
			  log_int("db.pool.size", (int64_t)size));
		return -EAGAIN;
	}
	*ret_conn = conn;
	return 0;
}

void pool_return(struct pool *pool, struct db_conn *conn)
{
	assert(!conn->open && !conn->driver->in_transaction(conn));
	pthread_mutex_lock(&pool->lock);
	assert(pool->in_use > 0);
	conn->next = pool->idle;
	pool->idle = conn;
	pool->in_use--;
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_signal(&pool->returned);
}

void pool_stats(struct pool *pool, struct db_stats *ret_stats)
{
	pthread_mutex_lock(&pool->lock);
	ret_stats->readers_in_use = (int64_t)pool->in_use;
	ret_stats->readers = (int64_t)pool->size;
	ret_stats->reader_timeouts = pool->timeouts;
	pthread_mutex_unlock(&pool->lock);
}
