#include "responder/loop.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"

#define STACK_SIZE  (1u << 20)
#define DRAIN_CHECK (5 * 1000)

struct loop {
	struct loop_options options;
	size_t thread_count;
	pthread_t threads[];
};

static void serve(struct loop *loop, int fd, struct lookups *lookups)
{
	struct exchange *exchange = exchange_receive(loop->options.exchanges, fd);
	if (exchange)
		dispatch(loop->options.dispatcher, exchange, lookups);
}

/*
 * How many events a thread takes next. The number doubles while only look-ups arrive, since these
 * share round trips. Any other request may take long and must leave work to other threads.
 */
static size_t next_share(const struct loop *loop, size_t share, size_t taken, size_t lookups)
{
	if (lookups < taken)
		return 1;
	if (taken < share)
		return share;
	return share * 2 < loop->options.share_limit ? share * 2 : loop->options.share_limit;
}

/* Waits for up to most requests and runs all except look-ups, which it adds to the list. Returns
 * the number of requests, or -ECANCELED. Requests that have not arrived completely are served last,
 * so that no other request waits for them. */
static int take(struct loop *loop, struct lookups *lookups, size_t most, int timeout)
{
	int ready[DB_BATCH_MAX];
	int late[DB_BATCH_MAX];
	size_t late_count = 0;
	int count = connections_wait(loop->options.connections, ready, most, timeout);
	for (int i = 0; i < count; i++) {
		bool alone = count == 1 && !lookups->count;
		if (alone || exchange_has_arrived(ready[i]))
			serve(loop, ready[i], lookups);
		else
			late[late_count++] = ready[i];
	}
	for (size_t i = 0; i < late_count; i++) {
		dispatch_lookups(lookups);
		serve(loop, late[i], lookups);
	}
	return count;
}

/*
 * nginx was often preempted mid-burst by waking us: yield once so that it can hand over the rest,
 * and look-ups share a round trip.
 */
static size_t gather(struct loop *loop, struct lookups *lookups, size_t share)
{
	size_t room = loop->options.share_limit - lookups->count;
	sched_yield();
	int taken = take(loop, lookups, share < room ? share : room, 0);
	return taken > 0 ? (size_t)taken : 0;
}

static void *run(void *argument)
{
	struct loop *loop = argument;
	struct lookups lookups = {.count = 0};
	size_t share = 1;
	for (;;) {
		gate_wait(loop->options.dispatcher->gate);
		int count = take(loop, &lookups, share, -1);
		if (count < 0)
			return NULL;
		size_t taken = (size_t)count;
		if (lookups.count && lookups.count < loop->options.share_limit)
			taken += gather(loop, &lookups, share);
		share = next_share(loop, share, taken, lookups.count);
		dispatch_lookups(&lookups);
	}
}

int loop_start(const struct loop_options *options, struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop) + options->threads * sizeof(loop->threads[0]));
	if (!loop)
		return -ENOMEM;
	loop->options = *options;
	*ret_loop = loop;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int r = 0;
	for (size_t i = 0; i < options->threads && r == 0; i++) {
		r = pthread_create(&loop->threads[i], &attributes, run, loop);
		if (r == 0)
			loop->thread_count++;
	}
	pthread_attr_destroy(&attributes);
	return -r;
}

bool loop_drain(struct loop *loop, int64_t timeout)
{
	struct connections *connections = loop->options.connections;
	struct exchanges *exchanges = loop->options.exchanges;
	int64_t end = clock_monotonic() + timeout;
	connections_shut(connections, end);
	while ((connections_count(connections) > 0 || exchanges_in_flight(exchanges) > 0) &&
	       clock_monotonic() < end)
		usleep(DRAIN_CHECK);
	/* A handler may hang: do not wait for its thread. */
	if (exchanges_in_flight(exchanges) > 0)
		return false;

	connections_end(connections);
	for (size_t i = 0; i < loop->thread_count; i++)
		pthread_join(loop->threads[i], NULL);
	return true;
}

void loop_free(struct loop *loop)
{
	free(loop);
}
