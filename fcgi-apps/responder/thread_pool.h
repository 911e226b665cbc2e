/*
 * Threads for work that blocks or takes long. They are started when work waits and none is idle,
 * and end after a second without work. Thread-safe, except for creating and freeing.
 */
#ifndef RESPONDER_THREAD_POOL_H
#define RESPONDER_THREAD_POOL_H

#include "base/base.h"

struct thread_pool;

/* A piece of work, which the caller keeps until run is called with the argument. */
struct pool_work {
	void (*run)(void *argument);
	void *argument;
	struct pool_work *next; /* the pool's own */
};

/* Up to `threads` threads; up to queue_limit pieces of work may wait. With a niceness above 0,
 * other threads come first when processors are short. -ENOMEM. */
int thread_pool_create(size_t threads, size_t queue_limit, int niceness,
		       struct thread_pool **ret_pool);

/* Runs it later on one of the threads. -EAGAIN: the queue is full. */
int thread_pool_submit(struct thread_pool *pool, struct pool_work *work);

struct thread_pool_stats {
	int64_t waiting; /* for a thread, now */
	int64_t refused; /* ever, since the queue was full */
};
void thread_pool_stats(struct thread_pool *pool, struct thread_pool_stats *ret_stats);

/* Ends the threads once the queue is empty, and frees. Takes NULL. */
void thread_pool_free(struct thread_pool *pool);

#endif
