#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "responder/exchange.h"
#include "responder/server.h"

#define STACK_SIZE (1u << 20)
#define IDLE_TIME  CLOCK_SECOND

struct worker {
	struct blocking *blocking;
	pthread_t thread;
	enum { NO_THREAD, RUNS, ENDED } state; /* ENDED: to be joined */
};

/*
 * Threads are made when work waits and none is idle, and end when none came for a while: a service
 * that does not block has none. Each keeps memory of its own, its stack and what malloc() caches
 * for it, all over the heap.
 */
struct blocking {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct exchange *head;
	struct exchange **tail;
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

int blocking_create(size_t threads, size_t queue_limit, int niceness,
		    struct blocking **ret_blocking)
{
	struct blocking *blocking =
		calloc(1, sizeof(*blocking) + threads * sizeof(blocking->workers[0]));
	if (!blocking)
		return -ENOMEM;
	pthread_mutex_init(&blocking->lock, NULL);
	wait_init(&blocking->work);
	blocking->tail = &blocking->head;
	blocking->limit = threads;
	blocking->queue_limit = queue_limit;
	blocking->niceness = niceness;
	*ret_blocking = blocking;
	return 0;
}

/* NULL: the thread is to end. */
static struct exchange *take(struct worker *worker)
{
	struct blocking *blocking = worker->blocking;
	int64_t until = clock_monotonic() + IDLE_TIME;
	pthread_mutex_lock(&blocking->lock);
	blocking->idle++;
	while (!blocking->head && !blocking->stopping &&
	       wait_until(&blocking->work, &blocking->lock, until))
		;
	blocking->idle--;
	struct exchange *exchange = blocking->head;
	if (exchange) {
		blocking->head = exchange->next;
		if (!blocking->head)
			blocking->tail = &blocking->head;
		blocking->queued--;
	} else {
		worker->state = ENDED;
		blocking->running--;
	}
	pthread_mutex_unlock(&blocking->lock);
	return exchange;
}

static void *run(void *argument)
{
	struct worker *worker = argument;
	struct exchange *exchange;
	/* Linux keeps it for each thread (setpriority(2), "C library/kernel differences"). */
	if (worker->blocking->niceness)
		setpriority(PRIO_PROCESS, (id_t)gettid(), worker->blocking->niceness);
	while ((exchange = take(worker)))
		dispatch_blocking(exchange);
	return NULL;
}

static void start_thread(struct blocking *blocking)
{
	struct worker *worker = blocking->workers;
	while (worker->state == RUNS)
		worker++;
	if (worker->state == ENDED)
		pthread_join(worker->thread, NULL);
	*worker = (struct worker){.blocking = blocking, .state = RUNS};
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = pthread_create(&worker->thread, &attributes, run, worker);
	pthread_attr_destroy(&attributes);
	if (r == 0) {
		blocking->running++;
		return;
	}
	worker->state = NO_THREAD;
	log_write(LOG_ERROR, "cannot start a thread", log_error_code(-r));
}

int blocking_submit(struct blocking *blocking, struct exchange *exchange)
{
	pthread_mutex_lock(&blocking->lock);
	if (blocking->idle <= blocking->queued && blocking->running < blocking->limit)
		start_thread(blocking);
	bool accepted = blocking->queued < blocking->queue_limit && blocking->running > 0;
	if (accepted) {
		exchange->next = NULL;
		*blocking->tail = exchange;
		blocking->tail = &exchange->next;
		blocking->queued++;
		pthread_cond_signal(&blocking->work);
	} else {
		blocking->refused++;
	}
	pthread_mutex_unlock(&blocking->lock);
	return accepted ? 0 : -EAGAIN;
}

void blocking_stats(struct blocking *blocking, struct blocking_stats *ret_stats)
{
	pthread_mutex_lock(&blocking->lock);
	*ret_stats = (struct blocking_stats){.waiting = (int64_t)blocking->queued,
					     .refused = blocking->refused};
	pthread_mutex_unlock(&blocking->lock);
}

void blocking_free(struct blocking *blocking)
{
	if (!blocking)
		return;
	pthread_mutex_lock(&blocking->lock);
	blocking->stopping = true;
	pthread_cond_broadcast(&blocking->work);
	for (size_t i = 0; i < blocking->limit; i++) {
		bool joinable = blocking->workers[i].state != NO_THREAD;
		pthread_mutex_unlock(&blocking->lock);
		if (joinable)
			pthread_join(blocking->workers[i].thread, NULL);
		pthread_mutex_lock(&blocking->lock);
	}
	pthread_mutex_unlock(&blocking->lock);
	pthread_cond_destroy(&blocking->work);
	pthread_mutex_destroy(&blocking->lock);
	free(blocking);
}
