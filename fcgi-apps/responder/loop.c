#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "responder/connections.h"
#include "responder/exchange.h"
#include "responder/gate.h"
#include "responder/server.h"

#define STACK_SIZE  (1u << 20)
#define DRAIN_CHECK (5 * 1000)

static void serve(struct server *server, int fd, struct lookups *lookups)
{
	struct exchange *exchange = exchange_take(server);
	if (!exchange) {
		log_write(LOG_ERROR, "out of memory: a connection is closed");
		connections_close(server->connections, fd);
		return;
	}
	if (exchange_receive(exchange, fd) < 0) {
		exchange_return(exchange);
		connections_forget(server->connections);
		return;
	}
	dispatch(exchange, lookups);
}

/*
 * How many events a thread takes next: twice as many each time while only look-ups arrive, since
 * they share round trips. Any other request may take long and must leave work to other threads.
 */
static size_t next_share(const struct server *server, size_t share, size_t taken, size_t lookups)
{
	if (lookups < taken)
		return 1;
	if (taken < share)
		return share;
	return share * 2 < server->share_limit ? share * 2 : server->share_limit;
}

/* Waits for up to most requests and runs everything but look-ups, which it adds to the list.
 * Returns the number of requests, or -ECANCELED. Those that have not arrived completely are served
 * last, so that no other request waits for them. */
static int take(struct server *server, struct lookups *lookups, size_t most, int timeout)
{
	int ready[DB_BATCH_MAX];
	int late[DB_BATCH_MAX];
	size_t late_count = 0;
	int count = connections_wait(server->connections, ready, most, timeout);
	for (int i = 0; i < count; i++) {
		bool alone = count == 1 && !lookups->count;
		if (alone || exchange_has_arrived(ready[i]))
			serve(server, ready[i], lookups);
		else
			late[late_count++] = ready[i];
	}
	for (size_t i = 0; i < late_count; i++) {
		dispatch_lookups(lookups);
		serve(server, late[i], lookups);
	}
	return count;
}

/*
 * nginx was often preempted mid-burst by waking us: yield once so that it can hand over the rest,
 * and look-ups share a round trip.
 */
static size_t gather(struct server *server, struct lookups *lookups, size_t share)
{
	size_t room = server->share_limit - lookups->count;
	sched_yield();
	int taken = take(server, lookups, share < room ? share : room, 0);
	return taken > 0 ? (size_t)taken : 0;
}

static void *run(void *argument)
{
	struct server *server = argument;
	struct lookups lookups = {.count = 0};
	size_t share = 1;
	for (;;) {
		gate_wait(server->gate);
		int count = take(server, &lookups, share, -1);
		if (count < 0)
			return NULL;
		size_t taken = (size_t)count;
		if (lookups.count && lookups.count < server->share_limit)
			taken += gather(server, &lookups, share);
		share = next_share(server, share, taken, lookups.count);
		dispatch_lookups(&lookups);
	}
}

int loop_start(struct server *server, size_t threads)
{
	server->share_limit = db_batch_limit(server->runtime.db);
	server->threads = calloc(threads, sizeof(server->threads[0]));
	if (!server->threads)
		return -ENOMEM;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = 0;
	for (size_t i = 0; i < threads && r == 0; i++) {
		r = pthread_create(&server->threads[i], &attributes, run, server);
		if (r == 0)
			server->thread_count++;
	}
	pthread_attr_destroy(&attributes);
	return -r;
}

bool loop_drain(struct server *server, int64_t timeout)
{
	int64_t end = clock_monotonic() + timeout;
	connections_shut(server->connections, end);
	while ((connections_count(server->connections) > 0 ||
		atomic_load(&server->in_flight) > 0) &&
	       clock_monotonic() < end)
		usleep(DRAIN_CHECK);
	/* A handler may hang: do not wait for its thread. */
	if (atomic_load(&server->in_flight) > 0)
		return false;

	atomic_store(&server->stopping, true);
	connections_end(server->connections);
	for (size_t i = 0; i < server->thread_count; i++)
		pthread_join(server->threads[i], NULL);
	return true;
}

void loop_release(struct server *server)
{
	free(server->threads);
}
