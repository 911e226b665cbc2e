/* upstream/upstream.h, against a server of the test's own on loopback. */
#include "upstream/upstream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "loopback.h"
#include "unit.h"

#define KEPT 5 /* more than a call has tries */

#define ANSWER      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define BAD_GATEWAY "HTTP/1.1 502 Bad Gateway\r\nRetry-After: 60\r\nContent-Length: 2\r\n\r\n{}"

static int listener;
static atomic_bool silent; /* the connections made so far */
static pthread_barrier_t all_asked;
static struct upstream *upstream;

static bool read_request(int fd)
{
	char request[1024];
	size_t length = 0;

	do {
		ssize_t got = recv(fd, request + length, sizeof(request) - 1 - length, 0);

		if (got <= 0)
			return false;
		length += (size_t)got;
		request[length] = '\0';
	} while (!strstr(request, "\r\n\r\n"));
	return true;
}

static void answer_with(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void answer(int fd)
{
	answer_with(fd, ANSWER);
}

/* Answers once, after all connections have got a request, and then unless it is silent. */
static void *serve(void *argument)
{
	int fd = *(int *)argument;

	read_request(fd);
	pthread_barrier_wait(&all_asked);
	answer(fd);
	while (read_request(fd)) {
		if (!atomic_load(&silent))
			answer(fd);
	}
	close(fd);
	return NULL;
}

static int call(int64_t timeout)
{
	struct upstream_request request = {.method = "GET",
					   .path = "/x",
					   .deadline = clock_monotonic() + timeout,
					   .idempotent = true};
	struct upstream_response response;
	int r = upstream_call(upstream, &request, &response);

	upstream_response_release(&response);
	return r;
}

static void *call_once(UNUSED void *argument)
{
	ck_assert_int_eq(call(10 * CLOCK_SECOND), 0);
	return NULL;
}

static void start(void)
{
	static char url[64];

	listener = loopback_listen("", url);

	struct upstream_options options = upstream_defaults("test", url);

	options.attempt_timeout = CLOCK_SECOND;
	ck_assert_int_eq(upstream_create(&options, &upstream), 0);
	pthread_barrier_init(&all_asked, NULL, KEPT);
	atomic_store(&silent, false);
}

static void stop(void)
{
	upstream_free(upstream);
	pthread_barrier_destroy(&all_asked);
	close(listener);
}

/* As many calls at once: each has a connection of its own, which is kept. */
static void keep_connections(int fds[KEPT], pthread_t servers[KEPT])
{
	pthread_t callers[KEPT];

	for (size_t i = 0; i < KEPT; i++)
		ck_assert_int_eq(pthread_create(&callers[i], NULL, call_once, NULL), 0);
	for (size_t i = 0; i < KEPT; i++) {
		fds[i] = accept(listener, NULL, NULL);
		ck_assert_int_eq(pthread_create(&servers[i], NULL, serve, &fds[i]), 0);
	}
	for (size_t i = 0; i < KEPT; i++)
		pthread_join(callers[i], NULL);
}

static void *serve_one_more(UNUSED void *argument)
{
	int fd = accept(listener, NULL, NULL);

	read_request(fd);
	answer(fd);
	close(fd);
	return NULL;
}

/* The sibling's machine vanished, and another one has its address: the kept connections look good,
 * but nothing ever arrives on them. */
START_TEST(connections_that_went_silent_cost_one_try)
{
	int fds[KEPT];
	pthread_t servers[KEPT], other;

	keep_connections(fds, servers);
	atomic_store(&silent, true);
	ck_assert_int_eq(pthread_create(&other, NULL, serve_one_more, NULL), 0);
	ck_assert_int_eq(call(10 * CLOCK_SECOND), 0);
	pthread_join(other, NULL);
	for (size_t i = 0; i < KEPT; i++)
		pthread_join(servers[i], NULL);
}
END_TEST

#define ROUNDS 12 /* calls: more than failures open the breaker */

/* Answers 502 on the first connection of each call, and serves on the next, which it then
 * closes. */
static void *serve_by_turns(UNUSED void *argument)
{
	char rest;

	for (int round = 0; round < ROUNDS; round++) {
		int fd = accept(listener, NULL, NULL);

		read_request(fd);
		answer_with(fd, BAD_GATEWAY);
		/* Closed by the peer: nothing more is sent here. */
		ck_assert_int_eq(recv(fd, &rest, 1, 0), 0);
		close(fd);
		serve_one_more(NULL);
	}
	return NULL;
}

/* One of two pods has lost its worker: its sidecar answers in its place, as long as it is
 * called. */
START_TEST(a_pod_that_fails_while_others_serve_costs_one_try)
{
	struct upstream_stats stats;
	pthread_t server;

	ck_assert_int_eq(pthread_create(&server, NULL, serve_by_turns, NULL), 0);
	for (int round = 0; round < ROUNDS; round++)
		ck_assert_int_eq(call(10 * CLOCK_SECOND), 0);
	pthread_join(server, NULL);
	upstream_stats(upstream, &stats);
	ck_assert_int_eq(stats.retries, ROUNDS);
	ck_assert_int_eq(stats.failures, 0);
	ck_assert_int_eq(stats.breaker, BREAKER_CLOSED);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("upstream");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, connections_that_went_silent_cost_one_try);
	tcase_add_test(tcase, a_pod_that_fails_while_others_serve_costs_one_try);
	tcase_set_timeout(tcase, 60);
	return unit_run(tcase, "upstream");
}
