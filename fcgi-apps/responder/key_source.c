#include "responder/key_source.h"

#include <stdatomic.h>

#include "auth/jwks.h"
#include "base/clock.h"
#include "base/log.h"
#include "upstream/upstream.h"

#define SCHEME   "http://"
#define PATIENCE (5 * CLOCK_SECOND) /* for one fetch, all tries together */

struct key_source {
	struct key_source_options options;
	struct provider *provider;
	struct upstream *upstream;
	char *url;               /* ends where the path begins: the base of the calls */
	char *path;              /* with its slash */
	bool failed;             /* the last fetch */
	atomic_bool wanted;      /* by a token */
	_Atomic int64_t tried;   /* clock_monotonic(), when the last fetch began; 0: never */
	_Atomic int64_t fetched; /* likewise, when one last succeeded, or the start */
};

struct key_source_options key_source_defaults(void)
{
	return (struct key_source_options){
		.renew = 600 * CLOCK_SECOND,
		.retry = 5 * CLOCK_SECOND,
		.cooldown = 30 * CLOCK_SECOND,
	};
}

/* "http://host:port" and "/path". False: out of memory. */
static bool split(struct key_source *source, const char *url)
{
	size_t host = strlen(SCHEME);
	size_t base = host + strcspn(url + host, "/");

	source->url = strndup(url, base);
	source->path = strdup(url[base] ? url + base : "/");
	return source->url && source->path;
}

int key_source_create(const char *url, const struct key_source_options *options,
		      struct provider *provider, struct key_source **ret_source)
{
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	struct key_source *source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->options = *options;
	source->provider = provider;
	source->fetched = clock_monotonic();
	int r = -ENOMEM;
	if (split(source, url)) {
		struct upstream_options calls = upstream_defaults("provider", source->url);

		/* It is tried again later anyway. */
		calls.attempts = 2;
		calls.connections = 0;
		calls.credential = options->credential;
		r = upstream_create(&calls, &source->upstream);
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
	upstream_free(source->upstream);
	free(source->url);
	free(source->path);
	free(source);
}

static int take(struct key_source *source, const struct json *body,
		char reterr_reason[JWKS_REASON_SIZE])
{
	struct text text CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX + 1);

	snprintf(reterr_reason, JWKS_REASON_SIZE, "it is no JSON, or too long");
	if (!body)
		return -EINVAL;
	json_print(body, &text);
	if (text_error(&text))
		return text_error(&text);
	return provider_put_keys(source->provider, text_string(&text), text.length, reterr_reason);
}

static int fetch(struct key_source *source)
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	const struct upstream_request request = {
		.method = "GET",
		.path = source->path,
		.deadline = clock_monotonic() + PATIENCE,
		.idempotent = true,
	};
	char reason[JWKS_REASON_SIZE] = "it does not answer";
	int r = upstream_call(source->upstream, &request, &response);

	if (r == 0 && response.status != 200) {
		snprintf(reason, sizeof(reason), "it answers %d", response.status);
		r = -EINVAL;
	}
	if (r == 0)
		r = take(source, response.body, reason);
	if (r < 0)
		log_write(LOG_ERROR, "cannot fetch the keys of tokens",
			  log_text("url.full", provider_keys_url(source->provider)),
			  log_text("error.message", reason), log_error_code(r));
	return r;
}

static bool is_due(struct key_source *source, int64_t now)
{
	int64_t since = now - atomic_load(&source->tried);

	if (atomic_load(&source->tried) == 0)
		return true;
	if (source->failed)
		return since >= source->options.retry;
	return since >= source->options.renew ||
	       (atomic_load(&source->wanted) && since >= source->options.cooldown);
}

void key_source_run(struct key_source *source)
{
	int64_t now = clock_monotonic();

	if (!is_due(source, now))
		return;
	atomic_store(&source->tried, now);
	source->failed = fetch(source) < 0;
	/* Those who asked meanwhile asked for what has come now. */
	atomic_store(&source->wanted, false);
	if (!source->failed)
		atomic_store(&source->fetched, clock_monotonic());
}

bool key_source_want(struct key_source *source)
{
	int64_t tried = atomic_load(&source->tried);

	if (tried != 0 && clock_monotonic() - tried < source->options.cooldown)
		return false;
	atomic_store(&source->wanted, true);
	return true;
}

int64_t key_source_age(struct key_source *source)
{
	return clock_monotonic() - atomic_load(&source->fetched);
}
