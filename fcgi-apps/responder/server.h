/*
 * Inside the responder: the process-wide state, and one request's way through it.
 *
 *	listener.c      the listening socket's place: one worker at a time
 *	connections.c   epoll: accepts connections, parks idle ones, shuts them for the drain
 *	gate.c          back pressure
 *	loop.c          the event threads, and the drain
 *	exchange.c      one FastCGI request and its answer, over libfcgi
 *	request_head.c  the head of a request: FastCGI parameters of nginx
 *	dispatch.c      route, check, run by mode, answer
 *	thread_pool.c   threads that run what may block: for RUN_BLOCKING, and for RUN_READ
 *	tasks.c         background threads
 *	meta.c          the operations that every service has
 *	docs.c          the pages that render the document
 */
#ifndef RESPONDER_SERVER_H
#define RESPONDER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "responder/listener.h"
#include "responder/service.h"

struct connections;
struct exchange;
struct gate;
struct metrics;
struct tasks;
struct thread_pool;

#define TRIMS 2 /* after a burst (tasks.c) */

struct server {
	struct runtime runtime;
	void *app;
	struct listener place; /* of the listening socket */
	bool check_responses;
	int64_t keys_max;          /* Idempotency-Keys that may be stored */
	_Atomic int64_t key_count; /* of a while ago; counts no further than keys_max */

	/* exchange.c */
	pthread_mutex_t free_lock;
	struct exchange *free_exchanges;
	size_t free_count;
	atomic_int in_flight;
	atomic_int trims; /* how often memory is still to be given back after a burst */

	/* loop.c */
	size_t thread_count;
	pthread_t *threads;
	size_t share_limit; /* events that a thread takes at once, at most */
	atomic_bool stopping;

	struct connections *connections;
	struct gate *gate;
	struct metrics *metrics;
	struct thread_pool *calls; /* of RUN_BLOCKING */
	struct thread_pool *reads; /* of RUN_READ */
	struct tasks *tasks;
};

/* loop.c ------------------------------------------------------------------------------------- */

/* Starts the threads. -ENOMEM, -EAGAIN. */
int loop_start(struct server *server, size_t threads);

/* Stops accepting and answers all received requests, for at most timeout microseconds; then ends
 * the threads. False where requests are left: then the threads go on. */
bool loop_drain(struct server *server, int64_t timeout);

void loop_release(struct server *server);

/* dispatch.c --------------------------------------------------------------------------------- */

/* The RUN_LOOKUP requests that a thread sends to the store in one round trip. */
struct lookups {
	struct exchange *list[DB_BATCH_MAX];
	size_t count;
};

/* Answers the request that was received; on this thread or later on another. A look-up is only
 * added to the list, in which there must be room. */
void dispatch(struct exchange *exchange, struct lookups *lookups);

/* Answers those of the list, and empties it. */
void dispatch_lookups(struct lookups *lookups);

/* tasks.c ------------------------------------------------------------------------------------ */

/* Starts a thread for each task and sets server->tasks, also when only some could be started. */
int tasks_start(struct server *server);

/* Ends the threads after the run they are in, and frees. Takes NULL. */
void tasks_stop(struct tasks *tasks);

/* meta.c ------------------------------------------------------------------------------------- */

/* Whether requests should be sent here now: 0, or the error that says why not. */
int server_ready(struct server *server);

#endif
