#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "responder/exchange.h"
#include "responder/server.h"

#define STACK_SIZE (1u << 20)

/* Threads are made when work waits and none is idle: a service that never blocks has none. */
struct blocking {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct exchange *head;
	struct exchange **tail;
	size_t queued;
	size_t queue_limit;
	int64_t refused;
	size_t idle;
	size_t started;
	size_t limit;
	int niceness;
	bool stopping;
	pthread_t threads[];
};

int blocking_create(size_t threads, size_t queue_limit, int niceness,
		    struct blocking **ret_blocking)
{
	struct blocking *blocking =
		calloc(1, sizeof(*blocking) + threads * sizeof(blocking->threads[0]));
	if (!blocking)
		return -ENOMEM;
	pthread_mutex_init(&blocking->lock, NULL);
	pthread_cond_init(&blocking->work, NULL);
	blocking->tail = &blocking->head;
	blocking->limit = threads;
	blocking->queue_limit = queue_limit;
	blocking->niceness = niceness;
	*ret_blocking = blocking;
	return 0;
}

static struct exchange *take(struct blocking *blocking)
{
	pthread_mutex_lock(&blocking->lock);
	blocking->idle++;
	while (!blocking->head && !blocking->stopping)
		pthread_cond_wait(&blocking->work, &blocking->lock);
	blocking->idle--;
	struct exchange *exchange = blocking->head;
	if (exchange) {
		blocking->head = exchange->next;
		if (!blocking->head)
			blocking->tail = &blocking->head;
		blocking->queued--;
	}
	pthread_mutex_unlock(&blocking->lock);
	return exchange;
}

static void *run(void *argument)
{
	struct blocking *blocking = argument;
	struct exchange *exchange;
	/* Linux keeps it for each thread (setpriority(2), "C library/kernel differences"). */
	if (blocking->niceness)
		setpriority(PRIO_PROCESS, (id_t)gettid(), blocking->niceness);
	while ((exchange = take(blocking)))
		dispatch_blocking(exchange);
	return NULL;
}

static void start_thread(struct blocking *blocking)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = pthread_create(&blocking->threads[blocking->started], &attributes, run, blocking);
	pthread_attr_destroy(&attributes);
	if (r == 0)
		blocking->started++;
	else
		log_write(LOG_ERROR, "cannot start a thread", log_error_code(-r));
}

int blocking_submit(struct blocking *blocking, struct exchange *exchange)
{
	pthread_mutex_lock(&blocking->lock);
	if (blocking->idle <= blocking->queued && blocking->started < blocking->limit)
		start_thread(blocking);
	bool accepted = blocking->queued < blocking->queue_limit && blocking->started > 0;
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
	pthread_mutex_unlock(&blocking->lock);
	for (size_t i = 0; i < blocking->started; i++)
		pthread_join(blocking->threads[i], NULL);
	pthread_cond_destroy(&blocking->work);
	pthread_mutex_destroy(&blocking->lock);
	free(blocking);
}
