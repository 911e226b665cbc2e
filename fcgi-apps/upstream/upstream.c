#include "upstream/upstream.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/attempt.h"
#include "upstream/backoff.h"
#include "upstream/state.h"

#define RESPONSE_LIMIT (4u << 20)
#define RETRY_BASE     (CLOCK_SECOND / 20)
#define RETRY_LONGEST  CLOCK_SECOND

int upstream_global_start(void)
{
	/* No TLS: siblings are reached in plain HTTP, and its tables would cost memory. */
	return curl_global_init(CURL_GLOBAL_NOTHING) == CURLE_OK ? 0 : -ENOMEM;
}

void upstream_global_stop(void)
{
	curl_global_cleanup();
}

struct upstream_options upstream_defaults(const char *name, const char *base_url)
{
	return (struct upstream_options){
		.name = name,
		.base_url = base_url,
		.connect_timeout = CLOCK_SECOND / 2,
		.attempt_timeout = 2 * CLOCK_SECOND,
		.attempts = 3,
		.breaker_failures = 10,
		.breaker_pause = CLOCK_SECOND,
		.connections = 32,
	};
}

int upstream_create(const struct upstream_options *options, struct upstream **ret_upstream)
{
	struct upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return -ENOMEM;
	upstream->options = *options;
	breaker_init(&upstream->breaker, options->breaker_failures, options->breaker_pause);
	upstream->idle = calloc(options->connections, sizeof(struct attempt_handle *));
	if (!upstream->idle || pthread_mutex_init(&upstream->lock, NULL) != 0) {
		free(upstream->idle);
		free(upstream);
		return -ENOMEM;
	}
	*ret_upstream = upstream;
	return 0;
}

void upstream_free(struct upstream *upstream)
{
	if (!upstream)
		return;
	while (upstream->idle_count > 0)
		attempt_handle_free(upstream->idle[--upstream->idle_count]);
	pthread_mutex_destroy(&upstream->lock);
	free(upstream->idle);
	free(upstream);
}

static struct attempt_handle *take_handle(struct upstream *upstream)
{
	struct attempt_handle *handle = NULL;

	pthread_mutex_lock(&upstream->lock);
	if (upstream->idle_count > 0)
		handle = upstream->idle[--upstream->idle_count];
	pthread_mutex_unlock(&upstream->lock);
	return handle ? handle : attempt_handle_create();
}

static void give_handle(struct upstream *upstream, struct attempt_handle *handle)
{
	pthread_mutex_lock(&upstream->lock);
	if (upstream->idle_count < upstream->options.connections) {
		upstream->idle[upstream->idle_count++] = handle;
		handle = NULL;
	}
	pthread_mutex_unlock(&upstream->lock);
	attempt_handle_free(handle);
}

/* How one try ended, for the policy. */
struct outcome {
	int error;           /* 0: *response is filled */
	bool failure;        /* counts against the sibling */
	bool sent;           /* may have had its effect */
	bool retryable;      /* another try may do better */
	int64_t retry_after; /* the sibling's own wish */
};

static struct outcome judge_answer(struct attempt_answer *answer, struct upstream_response *ret)
{
	struct json_error parse_error;
	struct upstream_response response = {
		.status = answer->status,
		.retry_after = answer->retry_after,
	};

	if (answer->status >= 500)
		return (struct outcome){.error = -EHOSTDOWN,
					.failure = true,
					.sent = true,
					.retryable = true,
					.retry_after = answer->retry_after};

	int error = answer->body.length == 0
			    ? 0
			    : json_parse(answer->body.data, answer->body.length, JSON_DEPTH_MAX,
					 &response.body, &parse_error);

	if (error == -ENOMEM)
		return (struct outcome){.error = error, .sent = true};
	if (error < 0) /* something that is not our sibling answers there */
		return (struct outcome){
			.error = -EHOSTDOWN, .failure = true, .sent = true, .retryable = true};
	*ret = response;
	return (struct outcome){.sent = true};
}

static struct outcome try_once(struct upstream *upstream, const struct upstream_request *request,
			       int64_t time_left, struct upstream_response *ret_response)
{
	int64_t timeout = upstream->options.attempt_timeout;
	struct attempt_answer answer CLEANUP(attempt_answer_release) = {0};
	struct attempt_handle *handle = take_handle(upstream);
	enum attempt_end end;

	if (!handle)
		return (struct outcome){.error = -ENOMEM};
	text_init(&answer.body, RESPONSE_LIMIT);
	/* When the caller has little time left, running out of it says nothing of the sibling. */
	bool whole_time = time_left >= timeout;

	end = attempt_run(handle, upstream->options.base_url, request,
			  upstream->options.connect_timeout, whole_time ? timeout : time_left,
			  &answer);
	give_handle(upstream, handle);

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
	case ATTEMPT_NO_MEMORY:
		break;
	}
	return (struct outcome){.error = -ENOMEM};
}

/* Counts a try before it starts; false while the breaker is open. */
static bool admit(struct upstream *upstream, unsigned tries)
{
	pthread_mutex_lock(&upstream->lock);
	bool allowed = breaker_allow(&upstream->breaker, clock_monotonic());

	if (!allowed)
		upstream->stats.refused++;
	else if (tries > 0)
		upstream->stats.retries++;
	pthread_mutex_unlock(&upstream->lock);
	return allowed;
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

	/* The one thing that no caller can tell: it concerns them all. */
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

static int call(struct upstream *upstream, const struct upstream_request *request,
		struct upstream_response *ret_response)
{
	struct outcome outcome = {.error = -ETIMEDOUT};

	for (unsigned tries = 0; tries < upstream->options.attempts; tries++) {
		int64_t time_left = request->deadline - clock_monotonic();

		if (time_left <= 0)
			return outcome.error;
		if (!admit(upstream, tries))
			return -EHOSTDOWN;
		outcome = try_once(upstream, request, time_left, ret_response);
		report(upstream, &outcome);
		if (!outcome.error || !outcome.retryable || (outcome.sent && !request->idempotent))
			return outcome.error;
		if (tries + 1 == upstream->options.attempts)
			break;

		/* Callers told to wait the same time do not come back together either. */
		int64_t delay =
			outcome.retry_after + backoff_delay(RETRY_BASE, RETRY_LONGEST, tries);

		if (clock_monotonic() + delay >= request->deadline)
			break;
		sleep_for(delay);
	}
	return outcome.error;
}

int upstream_call(struct upstream *upstream, const struct upstream_request *request,
		  struct upstream_response *ret_response)
{
	*ret_response = (struct upstream_response){0};
	int error = call(upstream, request, ret_response);

	pthread_mutex_lock(&upstream->lock);
	upstream->stats.calls++;
	if (error)
		upstream->stats.failures++;
	pthread_mutex_unlock(&upstream->lock);
	return error;
}

void upstream_response_release(struct upstream_response *response)
{
	json_free(response->body);
	*response = (struct upstream_response){0};
}
