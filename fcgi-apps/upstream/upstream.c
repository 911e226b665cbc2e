#include "upstream/upstream.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/attempt.h"
#include "upstream/backoff.h"
#include "upstream/connection.h"
#include "upstream/credential.h"

#define RESPONSE_LIMIT (4u << 20)
#define RETRY_BASE     (CLOCK_SECOND / 20)
#define RETRY_LONGEST  CLOCK_SECOND

struct upstream {
	struct upstream_options options;
	struct address *address;
	struct credential *credential; /* or NULL */
	pthread_mutex_t lock;          /* guards the members below */
	struct breaker breaker;
	struct upstream_stats stats;
	size_t idle_count;
	size_t turn;
	int idle[]; /* kept connections, used in turn: each may lead to another pod */
};

struct upstream_options upstream_defaults(const char *name, const char *base_url)
{
	return (struct upstream_options){
		.name = name,
		.base_url = base_url,
		.connect_timeout = CLOCK_SECOND / 2,
		.attempt_timeout = 2 * CLOCK_SECOND,
		/* Each attempt after the first reaches a random pod. If one of two pods has lost
		 * its worker, one call in 64 meets only that one. */
		.attempts = 6,
		.breaker_failures = 10,
		.breaker_pause = CLOCK_SECOND,
		.connections = 32,
	};
}

int upstream_create(const struct upstream_options *options, struct upstream **ret_upstream)
{
	struct upstream *upstream =
		calloc(1, sizeof(*upstream) + options->connections * sizeof(upstream->idle[0]));

	if (!upstream)
		return -ENOMEM;

	int r = address_create(options->base_url, &upstream->address);

	if (r == 0 && options->credential)
		r = credential_create(options->credential, &upstream->credential);
	if (r < 0) {
		address_free(upstream->address);
		free(upstream);
		return r;
	}
	upstream->options = *options;
	breaker_init(&upstream->breaker, options->breaker_failures, options->breaker_pause);
	pthread_mutex_init(&upstream->lock, NULL);
	*ret_upstream = upstream;
	return 0;
}

/* The lock is held, or this is the only thread left. */
static void close_connections(struct upstream *upstream)
{
	while (upstream->idle_count > 0)
		connection_close(upstream->idle[--upstream->idle_count]);
}

void upstream_free(struct upstream *upstream)
{
	if (!upstream)
		return;
	close_connections(upstream);
	pthread_mutex_destroy(&upstream->lock);
	credential_free(upstream->credential);
	address_free(upstream->address);
	free(upstream);
}

void upstream_stats(struct upstream *upstream, struct upstream_stats *ret_stats)
{
	pthread_mutex_lock(&upstream->lock);
	*ret_stats = upstream->stats;
	ret_stats->breaker = upstream->breaker.state;
	pthread_mutex_unlock(&upstream->lock);
}

const char *upstream_name(const struct upstream *upstream)
{
	return upstream->options.name;
}

/* -1: none is kept. */
static int take_connection(struct upstream *upstream)
{
	int connection = -1;

	pthread_mutex_lock(&upstream->lock);
	if (upstream->idle_count > 0) {
		int *taken = &upstream->idle[upstream->turn++ % upstream->idle_count];

		connection = *taken;
		*taken = upstream->idle[--upstream->idle_count];
	}
	pthread_mutex_unlock(&upstream->lock);
	return connection;
}

static void give_connection(struct upstream *upstream, int connection)
{
	if (connection < 0)
		return;
	pthread_mutex_lock(&upstream->lock);
	if (upstream->idle_count < upstream->options.connections) {
		upstream->idle[upstream->idle_count++] = connection;
		connection = -1;
	}
	pthread_mutex_unlock(&upstream->lock);
	connection_close(connection);
}

/* The other kept connections may be dead as well. If the peer's machine vanished, none of them ever
 * gets an answer, and each would cost one more attempt. */
static void distrust_connections(struct upstream *upstream)
{
	pthread_mutex_lock(&upstream->lock);
	close_connections(upstream);
	pthread_mutex_unlock(&upstream->lock);
}

/* How one attempt ended, for the policy. */
struct outcome {
	int error;           /* 0: *response is filled */
	bool failure;        /* counts against the sibling */
	bool sent;           /* it may have had its effect */
	bool retryable;      /* another attempt may succeed */
	int64_t retry_after; /* the delay that the sibling asked for */
};

/* Statuses with which a sidecar reports trouble with its worker: another pod's worker may be up. */
static bool is_of_proxy(int status)
{
	return status == 502 || status == 504;
}

static struct outcome judge_answer(const struct answer *answer, struct upstream_response *ret)
{
	struct json_error parse_error;
	struct upstream_response response = {
		.status = answer->status,
		.retry_after = answer->retry_after,
	};

	if (answer->status >= 500)
		return (struct outcome){
			.error = -EHOSTDOWN,
			.failure = true,
			.sent = true,
			.retryable = true,
			.retry_after = is_of_proxy(answer->status) ? 0 : answer->retry_after};

	int r = answer->body.length == 0 ? 0
					 : json_parse(answer->body.data, answer->body.length,
						      JSON_DEPTH_MAX, &response.body, &parse_error);

	if (r == -ENOMEM)
		return (struct outcome){.error = r, .sent = true};
	if (r < 0) /* something other than our sibling answers there */
		return (struct outcome){
			.error = -EHOSTDOWN, .failure = true, .sent = true, .retryable = true};
	*ret = response;
	return (struct outcome){.sent = true};
}

static void release_answer(struct answer *answer)
{
	text_release(&answer->body);
}

static struct outcome try_once(struct upstream *upstream, const struct upstream_request *request,
			       bool first, int64_t time_left,
			       struct upstream_response *ret_response)
{
	int64_t timeout = upstream->options.attempt_timeout;
	struct answer answer CLEANUP(release_answer) = {.body = TEXT_INIT(RESPONSE_LIMIT)};
	/* A kept connection may turn out to be dead after the request was sent. Only a new one can
	 * reach another pod. */
	int connection = request->idempotent && first ? take_connection(upstream) : -1;

	/* If the caller has little time left, a time-out proves nothing about the sibling. */
	bool whole_time = time_left >= timeout;

	enum attempt_end end = attempt_run(upstream->address, &connection, request,
					   upstream->options.connect_timeout,
					   whole_time ? timeout : time_left, &answer);
	give_connection(upstream, connection);
	/* A silence shorter than a connection may take to open proves nothing. */
	if (end == ATTEMPT_LOST ||
	    (end == ATTEMPT_TIMED_OUT && time_left >= upstream->options.connect_timeout))
		distrust_connections(upstream);

	switch (end) {
	case ATTEMPT_ANSWERED:
		return judge_answer(&answer, ret_response);
	case ATTEMPT_NOT_SENT:
		return (struct outcome){.error = -EHOSTDOWN, .failure = true, .retryable = true};
	case ATTEMPT_LOST:
		return (struct outcome){
			.error = -EHOSTDOWN, .failure = true, .sent = true, .retryable = true};
	case ATTEMPT_TIMED_OUT:
		return (struct outcome){.error = -ETIMEDOUT,
					.failure = whole_time,
					.sent = true,
					.retryable = true};
	case ATTEMPT_TOO_LONG:
		return (struct outcome){.error = -EMSGSIZE, .sent = true};
	case ATTEMPT_BAD_PATH:
		return (struct outcome){.error = -EINVAL};
	case ATTEMPT_NO_MEMORY:
		break;
	}
	return (struct outcome){.error = -ENOMEM};
}

/* False while the breaker is open. */
static bool admit(struct upstream *upstream)
{
	pthread_mutex_lock(&upstream->lock);
	bool allowed = breaker_allow(&upstream->breaker, clock_monotonic());

	if (!allowed)
		upstream->stats.refused++;
	pthread_mutex_unlock(&upstream->lock);
	return allowed;
}

static void count_retry(struct upstream *upstream)
{
	pthread_mutex_lock(&upstream->lock);
	upstream->stats.retries++;
	pthread_mutex_unlock(&upstream->lock);
}

static void report(struct upstream *upstream, const struct outcome *outcome)
{
	bool opened = false;
	bool closed = false;

	pthread_mutex_lock(&upstream->lock);
	if (outcome->failure)
		opened = breaker_failure(&upstream->breaker, clock_monotonic());
	else if (!outcome->error)
		closed = breaker_success(&upstream->breaker);
	pthread_mutex_unlock(&upstream->lock);

	/* Logged here, since it concerns all callers. */
	if (opened)
		log_write(LOG_WARN, "sibling keeps failing, calls are refused for a while",
			  log_text("upstream.name", upstream->options.name));
	if (closed)
		log_write(LOG_INFO, "sibling answers again",
			  log_text("upstream.name", upstream->options.name));
}

static void sleep_for(int64_t delay)
{
	struct timespec rest = {
		.tv_sec = (time_t)(delay / CLOCK_SECOND),
		.tv_nsec = (long)(delay % CLOCK_SECOND) * 1000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
		;
}

/* The outcome of the last attempt; a failure if any attempt failed. */
static struct outcome try_on(struct upstream *upstream, const struct upstream_request *request,
			     struct upstream_response *ret_response)
{
	struct outcome outcome = {.error = -ETIMEDOUT};
	bool failed = false;

	for (unsigned tries = 0; tries < upstream->options.attempts; tries++) {
		int64_t time_left = request->deadline - clock_monotonic();

		if (time_left <= 0)
			break;
		if (tries > 0)
			count_retry(upstream);
		outcome = try_once(upstream, request, tries == 0, time_left, ret_response);
		failed = failed || outcome.failure;
		if (!outcome.error || !outcome.retryable || (outcome.sent && !request->idempotent))
			break;
		if (tries + 1 == upstream->options.attempts)
			break;

		/* Callers that were told the same delay must not come back together. */
		int64_t delay =
			outcome.retry_after + backoff_delay(RETRY_BASE, RETRY_LONGEST, tries);

		if (clock_monotonic() + delay >= request->deadline)
			break;
		sleep_for(delay);
	}
	outcome.failure = outcome.error && failed;
	return outcome;
}

/* The breaker counts calls, not attempts: if one pod fails while others serve, the sibling
 * works. */
static int call(struct upstream *upstream, const struct upstream_request *request,
		struct upstream_response *ret_response)
{
	if (!admit(upstream))
		return -EHOSTDOWN;
	struct outcome outcome = try_on(upstream, request, ret_response);

	report(upstream, &outcome);
	return outcome.error;
}

int upstream_call(struct upstream *upstream, const struct upstream_request *request,
		  struct upstream_response *ret_response)
{
	struct upstream_request sent = *request;

	sent.credential = upstream->credential;
	*ret_response = (struct upstream_response){0};
	int r = call(upstream, &sent, ret_response);

	pthread_mutex_lock(&upstream->lock);
	upstream->stats.calls++;
	if (r)
		upstream->stats.failures++;
	pthread_mutex_unlock(&upstream->lock);
	return r;
}

void upstream_response_release(struct upstream_response *response)
{
	json_free(response->body);
	*response = (struct upstream_response){0};
}
