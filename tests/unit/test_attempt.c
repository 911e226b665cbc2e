/* Against a server of the test's own on loopback, which follows a script. */
#include "upstream/attempt.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "loopback.h"
#include "unit.h"
#include "upstream/connection.h"

#define CONNECTIONS_MAX 3
#define ANSWERS_MAX     3
#define BODY_LIMIT      64
#define TIMEOUT         (10 * CLOCK_SECOND)

#define GOOD  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define CLOSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
#define HALF  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"
#define NONE  "" /* the request is read, then the connection ends */
#define HANG  "hang"

/* What each connection answers, request by request; then it is closed. */
static const char *script[CONNECTIONS_MAX][ANSWERS_MAX];
static char requests[CONNECTIONS_MAX * ANSWERS_MAX][1024];
static size_t request_count;
static int listener;
static pthread_t server;
static struct address *address;
static struct answer answer;

/* A head; no request here has a body of more than it says. */
static bool read_request(int fd)
{
	char *request = requests[request_count];
	size_t length = 0;

	while (length < sizeof(requests[0]) - 1) {
		ssize_t got = recv(fd, request + length, sizeof(requests[0]) - 1 - length, 0);

		if (got <= 0)
			return false;
		length += (size_t)got;
		request[length] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	request_count++;
	return true;
}

static void *serve(UNUSED void *argument)
{
	for (size_t c = 0; c < CONNECTIONS_MAX && script[c][0]; c++) {
		int fd = accept(listener, NULL, NULL);

		for (size_t a = 0; a < ANSWERS_MAX && script[c][a] && read_request(fd); a++) {
			const char *text = script[c][a];

			if (strcmp(text, HANG) == 0)
				read_request(fd); /* until the caller gives up */
			else if (*text)
				send(fd, text, strlen(text), MSG_NOSIGNAL);
		}
		close(fd);
	}
	return NULL;
}

static void start(void)
{
	char url[64];

	memset(script, 0, sizeof(script));
	request_count = 0;
	listener = loopback_listen("/base", url);
	ck_assert_int_eq(address_create(url, &address), 0);
	text_init(&answer.body, BODY_LIMIT);
}

static void stop(void)
{
	close(listener);
	address_free(address);
	text_release(&answer.body);
}

static void run_server(void)
{
	ck_assert_int_eq(pthread_create(&server, NULL, serve, NULL), 0);
}

static enum attempt_end get(int *connection, int64_t timeout)
{
	struct upstream_request request = {.method = "GET", .path = "/x", .idempotent = true};

	text_release(&answer.body);
	return attempt_run(address, connection, &request, timeout, timeout, &answer);
}

static void is_good(void)
{
	ck_assert_int_eq(answer.status, 200);
	ck_assert_str_eq(text_string(&answer.body), "{}");
}

/* Until the server's close has arrived. */
static void wait_for_the_end(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&poll_fd, 1, 10000), 1);
	ck_assert(!connection_is_idle(fd));
}

/* With a kept connection from a first good answer, if the case wants one; then one call. */
static const struct {
	const char *name;
	const char *script[CONNECTIONS_MAX][ANSWERS_MAX];
	bool kept;
	enum attempt_end end;
	size_t requests; /* the first included */
	bool keeps;
} cases[] = {
	{"a new one, kept", {{GOOD}}, false, ATTEMPT_ANSWERED, 1, true},
	{"a new one, not kept", {{CLOSE}}, false, ATTEMPT_ANSWERED, 1, false},
	{"used again", {{GOOD, GOOD}}, true, ATTEMPT_ANSWERED, 2, true},
	{"closed while idle", {{GOOD}, {GOOD}}, true, ATTEMPT_ANSWERED, 2, true},
	{"closed instead of an answer", {{GOOD, NONE}, {GOOD}}, true, ATTEMPT_ANSWERED, 3, true},
	{"twice", {{GOOD, NONE}, {NONE}}, true, ATTEMPT_LOST, 3, false},
	{"a new one closed", {{NONE}}, false, ATTEMPT_LOST, 1, false},
	{"cut off in its answer", {{GOOD, HALF}}, true, ATTEMPT_LOST, 2, false},
	{"more than was asked for", {{GOOD GOOD}}, false, ATTEMPT_ANSWERED, 1, false},
	{"garbage", {{GOOD, "220 mail\r\n"}}, true, ATTEMPT_LOST, 2, false},
	{"too long",
	 {{"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n"
	   "01234567890123456789012345678901234567890123456789012345678901234"}},
	 false,
	 ATTEMPT_TOO_LONG,
	 1,
	 false},
};

START_TEST(connections)
{
	int connection = -1;

	memcpy(script, cases[_i].script, sizeof(script));
	run_server();
	if (cases[_i].kept) {
		ck_assert_int_eq(get(&connection, TIMEOUT), ATTEMPT_ANSWERED);
		ck_assert_int_ge(connection, 0);
		if (!script[0][1])
			wait_for_the_end(connection);
	}
	ck_assert_msg(get(&connection, TIMEOUT) == cases[_i].end, "%s", cases[_i].name);
	if (cases[_i].end == ATTEMPT_ANSWERED)
		is_good();
	ck_assert_msg((connection >= 0) == cases[_i].keeps, "%s", cases[_i].name);
	connection_close(connection);
	pthread_join(server, NULL);
	ck_assert_msg(request_count == cases[_i].requests, "%s: %zu requests", cases[_i].name,
		      request_count);
}
END_TEST

START_TEST(no_longer_than_the_deadline)
{
	int connection = -1;
	int64_t begin = clock_monotonic();

	script[0][0] = HANG;
	run_server();
	ck_assert_int_eq(get(&connection, CLOCK_SECOND / 10), ATTEMPT_TIMED_OUT);
	ck_assert_int_ge(clock_monotonic() - begin, CLOCK_SECOND / 10);
	ck_assert_int_lt(clock_monotonic() - begin, 5 * CLOCK_SECOND);
	ck_assert_int_eq(connection, -1);
	pthread_join(server, NULL);
}
END_TEST

START_TEST(nobody_listens)
{
	int connection = -1;

	close(listener);
	ck_assert_int_eq(get(&connection, TIMEOUT), ATTEMPT_NOT_SENT);
	ck_assert_int_eq(connection, -1);
	listener = -1;
}
END_TEST

START_TEST(bytes_of_a_request)
{
	struct upstream_request request = {
		.method = "PUT",
		.path = "/a?b=%20c",
		.body = "{}",
		.body_length = 2,
		.request_id = "id-1",
		.traceparent = "two\r\nX-Lines: 1",
	};
	char expected[512];
	int connection = -1;

	script[0][0] = CLOSE;
	run_server();
	ck_assert_int_eq(attempt_run(address, &connection, &request, TIMEOUT, TIMEOUT, &answer),
			 ATTEMPT_ANSWERED);
	pthread_join(server, NULL);
	snprintf(expected, sizeof(expected),
		 "PUT /base/a?b=%%20c HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n"
		 "X-Request-ID: id-1\r\nContent-Type: application/json\r\nContent-Length: "
		 "2\r\n\r\n{}",
		 address_authority(address));
	ck_assert_str_eq(requests[0], expected);
}
END_TEST

START_TEST(paths_that_are_refused)
{
	static char path[8010];
	struct upstream_request request = {.method = "GET", .path = "/a b"};
	int connection = -1;

	ck_assert_int_eq(attempt_run(address, &connection, &request, TIMEOUT, TIMEOUT, &answer),
			 ATTEMPT_BAD_PATH);
	request.path = "/a\r\nHost: b";
	ck_assert_int_eq(attempt_run(address, &connection, &request, TIMEOUT, TIMEOUT, &answer),
			 ATTEMPT_BAD_PATH);
	memset(path, 'x', sizeof(path) - 1);
	request.path = path;
	ck_assert_int_eq(attempt_run(address, &connection, &request, TIMEOUT, TIMEOUT, &answer),
			 ATTEMPT_TOO_LONG);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("attempt");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, connections, 0, ARRAY_SIZE(cases));
	tcase_add_test(tests, no_longer_than_the_deadline);
	tcase_add_test(tests, nobody_listens);
	tcase_add_test(tests, bytes_of_a_request);
	tcase_add_test(tests, paths_that_are_refused);
	return unit_run(tests, "attempt");
}
