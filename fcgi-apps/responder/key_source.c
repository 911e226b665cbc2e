#include "responder/key_source.h"

#include <stdatomic.h>

#include "auth/discovery.h"
#include "base/clock.h"
#include "base/log.h"
#include "upstream/upstream.h"

#define CALL_TIME     (6 * CLOCK_SECOND) /* more than nginx/provider.conf.template takes */
#define CONFIGURATION "/configuration"
#define PATH_MAX_SIZE (DISCOVERY_URL_MAX + 20)

struct key_source {
	struct key_source_options options;
	struct verifier *verifier;
	struct upstream *sidecar;
	char *socket;            /* the base of the calls to it */
	bool failed;             /* the last fetch */
	atomic_bool wanted;      /* by a token */
	atomic_bool fetching;    /* now */
	_Atomic int64_t tried;   /* clock_monotonic(), when the last fetch began; 0: never */
	_Atomic int64_t fetched; /* likewise, when one last succeeded, or the start */
};

struct key_source_options key_source_defaults(void)
{
	return (struct key_source_options){
		.renew = 600 * CLOCK_SECOND,
		.retry = 5 * CLOCK_SECOND,
		.cooldown = 30 * CLOCK_SECOND,
		.path = "/keys",
		.starting = 3 * CLOCK_SECOND,
	};
}

int key_source_create(const char *socket, const struct key_source_options *options,
		      struct verifier *verifier, struct key_source **ret_source)
{
	struct key_source *source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->options = *options;
	source->verifier = verifier;
	source->fetched = clock_monotonic();
	int r = 0;
	if (asprintf(&source->socket, "unix:%s", socket) < 0) {
		source->socket = NULL;
		r = -ENOMEM;
	} else {
		struct upstream_options calls = upstream_defaults("provider", source->socket);

		/* It is tried again later anyway. */
		calls.attempts = 1;
		calls.attempt_timeout = CALL_TIME;
		calls.connections = 0;
		calls.credential = options->credential;
		r = upstream_create(&calls, &source->sidecar);
	}
	if (r < 0) {
		key_source_free(source);
		return r;
	}
	*ret_source = source;
	return 0;
}

void key_source_free(struct key_source *source)
{
	if (!source)
		return;
	upstream_free(source->sidecar);
	free(source->socket);
	free(source);
}

/* 0: an answer with a body. reterr_reason says what came instead. */
static int ask(struct key_source *source, const char *path, struct upstream_response *ret_response,
	       char reterr_reason[JWKS_REASON_SIZE])
{
	const struct upstream_request request = {
		.method = "GET",
		.path = path,
		.deadline = clock_monotonic() + CALL_TIME,
		.idempotent = true,
	};
	int r = upstream_call(source->sidecar, &request, ret_response);

	snprintf(reterr_reason, JWKS_REASON_SIZE, "it does not answer");
	if (r < 0)
		return r;
	snprintf(reterr_reason, JWKS_REASON_SIZE, "it answers %d", ret_response->status);
	return ret_response->status == 200 && ret_response->body ? 0 : -EINVAL;
}

/* Appends where the sidecar has the keys. */
static int find_keys(struct key_source *source, struct text *path, bool *stale,
		     char reterr_reason[JWKS_REASON_SIZE])
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	const char *issuer = source->options.issuer;
	const char *url;

	text_append_string(path, source->options.path);
	if (!issuer)
		return text_error(path);
	int r = ask(source, CONFIGURATION, &response, reterr_reason);
	if (r == 0)
		r = discovery_read(response.body, issuer, &url, reterr_reason);
	if (r < 0)
		return r;
	*stale = response.retry_after > 0;
	text_printf(path, "?%s", url);
	return text_error(path);
}

static int fetch(struct key_source *source, char reterr_reason[JWKS_REASON_SIZE])
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	struct text path CLEANUP(text_release) = TEXT_INIT(PATH_MAX_SIZE);
	struct jwks *keys = NULL;
	bool stale = false;
	int r = find_keys(source, &path, &stale, reterr_reason);
	if (r == 0)
		r = ask(source, text_string(&path), &response, reterr_reason);
	if (r == 0)
		r = jwks_make(response.body, &keys, reterr_reason);
	if (r < 0)
		return r;
	verifier_set_keys(source->verifier, keys);
	if (!stale && response.retry_after == 0)
		return 0;
	snprintf(reterr_reason, JWKS_REASON_SIZE, "these are the sidecar's copies of before");
	return -EHOSTDOWN;
}

/* Logs only changes: a provider may be away for days. */
static void report(const struct key_source *source, int error, const char *reason)
{
	if (error && !source->failed)
		log_write(LOG_ERROR, "cannot fetch the keys of tokens",
			  log_text("url.path", source->options.path),
			  log_text("error.message", reason), log_error_code(error));
	if (!error && source->failed)
		log_write(LOG_INFO, "the keys of tokens were fetched again",
			  log_text("url.path", source->options.path));
}

/* The sidecar may be just about to start as well. */
static bool is_starting(struct key_source *source)
{
	return !verifier_has_keys(source->verifier) &&
	       key_source_age(source) < source->options.starting;
}

static bool is_due(struct key_source *source, int64_t now)
{
	int64_t tried = atomic_load(&source->tried);
	int64_t since = now - tried;

	if (tried == 0)
		return true;
	if (source->failed)
		return since >= source->options.retry || is_starting(source);
	return since >= source->options.renew ||
	       (atomic_load(&source->wanted) && since >= source->options.cooldown);
}

void key_source_run(struct key_source *source)
{
	char reason[JWKS_REASON_SIZE];
	int64_t now = clock_monotonic();

	if (!is_due(source, now))
		return;
	atomic_store(&source->fetching, true);
	atomic_store(&source->tried, now);
	int r = fetch(source, reason);
	report(source, r, reason);
	source->failed = r < 0;
	/* Those who asked meanwhile asked for what has come now. */
	atomic_store(&source->wanted, false);
	if (r == 0)
		atomic_store(&source->fetched, clock_monotonic());
	atomic_store(&source->fetching, false);
}

bool key_source_want(struct key_source *source)
{
	int64_t tried = atomic_load(&source->tried);

	if (atomic_load(&source->fetching))
		return true;
	if (tried != 0 && clock_monotonic() - tried < source->options.cooldown)
		return false;
	atomic_store(&source->wanted, true);
	return true;
}

int64_t key_source_age(struct key_source *source)
{
	return clock_monotonic() - atomic_load(&source->fetched);
}
