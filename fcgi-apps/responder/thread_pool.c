#include "responder/thread_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"

#define STACK_SIZE (1u << 20)
#define IDLE_TIME  CLOCK_SECOND

struct worker {
	struct thread_pool *pool;
	pthread_t thread;
	enum { NO_THREAD, RUNS, ENDED } state; /* ENDED: must be joined */
};

/* A pool without work has no threads, because each keeps memory: its stack, and what malloc()
 * caches for it all over the heap. */
struct thread_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct pool_work *head;
	struct pool_work **tail;
	size_t queued;
	size_t queue_limit;
	int64_t refused;
	size_t idle;
	size_t running;
	size_t limit;
	int niceness;
	bool stopping;
	struct worker workers[];
};

int thread_pool_create(size_t threads, size_t queue_limit, int niceness,
		       struct thread_pool **ret_pool)
{
	struct thread_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->workers[0]));
	if (!pool)
		return -ENOMEM;
	pthread_mutex_init(&pool->lock, NULL);
	wait_init(&pool->work);
	pool->tail = &pool->head;
	pool->limit = threads;
	pool->queue_limit = queue_limit;
	pool->niceness = niceness;
	*ret_pool = pool;
	return 0;
}

/* NULL: the thread must end. */
static struct pool_work *take(struct worker *worker)
{
	struct thread_pool *pool = worker->pool;
	int64_t until = clock_monotonic() + IDLE_TIME;
	pthread_mutex_lock(&pool->lock);
	pool->idle++;
	while (!pool->head && !pool->stopping && wait_until(&pool->work, &pool->lock, until))
		;
	pool->idle--;
	struct pool_work *work = pool->head;
	if (work) {
		pool->head = work->next;
		if (!pool->head)
			pool->tail = &pool->head;
		pool->queued--;
	} else {
		worker->state = ENDED;
		pool->running--;
	}
	pthread_mutex_unlock(&pool->lock);
	return work;
}

static void *run(void *argument)
{
	struct worker *worker = argument;
	struct pool_work *work;
	/* On Linux, niceness is per thread (setpriority(2), "C library/kernel differences"). */
	if (worker->pool->niceness)
		setpriority(PRIO_PROCESS, (id_t)gettid(), worker->pool->niceness);
	while ((work = take(worker)))
		work->run(work->argument);
	return NULL;
}

static void start_thread(struct thread_pool *pool)
{
	struct worker *worker = pool->workers;
	while (worker->state == RUNS)
		worker++;
	if (worker->state == ENDED)
		pthread_join(worker->thread, NULL);
	*worker = (struct worker){.pool = pool, .state = RUNS};
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = pthread_create(&worker->thread, &attributes, run, worker);
	pthread_attr_destroy(&attributes);
	if (r == 0) {
		pool->running++;
		return;
	}
	worker->state = NO_THREAD;
	log_write(LOG_ERROR, "cannot start a thread", log_error_code(-r));
}

int thread_pool_submit(struct thread_pool *pool, struct pool_work *work)
{
	pthread_mutex_lock(&pool->lock);
	if (pool->idle <= pool->queued && pool->running < pool->limit)
		start_thread(pool);
	bool accepted = pool->queued < pool->queue_limit && pool->running > 0;
	if (accepted) {
		work->next = NULL;
		*pool->tail = work;
		pool->tail = &work->next;
		pool->queued++;
	} else {
		pool->refused++;
	}
	pthread_mutex_unlock(&pool->lock);
	/* Signal without the lock: the thread would wake only to wait for it. */
	if (accepted)
		pthread_cond_signal(&pool->work);
	return accepted ? 0 : -EAGAIN;
}

void thread_pool_stats(struct thread_pool *pool, struct thread_pool_stats *ret_stats)
{
	pthread_mutex_lock(&pool->lock);
	*ret_stats = (struct thread_pool_stats){.waiting = (int64_t)pool->queued,
						.refused = pool->refused};
	pthread_mutex_unlock(&pool->lock);
}

void thread_pool_free(struct thread_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work);
	for (size_t i = 0; i < pool->limit; i++) {
		bool joinable = pool->workers[i].state != NO_THREAD;
		pthread_mutex_unlock(&pool->lock);
		if (joinable)
			pthread_join(pool->workers[i].thread, NULL);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
