#include "auth/provider.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/json_pointer.h"
#include "base/log.h"

#define POINTERS_MAX   8
#define LOOK_INTERVAL  CLOCK_SECOND
#define CACHE_BYTES    (2u << 20) /* a thousand tokens */
#define SKEW_SECONDS   30
#define SKEW_LONGEST   300
#define SCOPES_DEFAULT "/scope,/roles"
#define KEYS_WANTED    "the file of a JWK set, or its https:// address"
#define POINTERS_WANTED                                                                            \
	"up to 8 JSON Pointers (RFC 6901) with commas between, such as /scope,/roles"

struct provider {
	struct jwt_rules rules;
	unsigned algorithms;                    /* of ALGORITHM_BIT() */
	char *pointer_list;                     /* what the pointers point into */
	const char *pointers[POINTERS_MAX + 1]; /* ends with NULL */
	const char *path;                       /* of the keys' file; NULL: somebody brings them */
	_Atomic int64_t looked_at;              /* clock_monotonic(), at the file */
	pthread_mutex_t lock;                   /* guards the members below */
	struct stat seen;                       /* the file when it was read, or tried to be */
	struct verifier *verifier;
};

/* ---- settings ------------------------------------------------------------------------------- */

/* Takes the next of a list with commas between; NULL after the last. */
static char *next_of(char **list)
{
	return *list ? strsep(list, ",") : NULL;
}

static int read_pointers(struct provider *provider)
{
	const char *text = config_text("AUTH_SCOPES", SCOPES_DEFAULT);
	size_t count = 0;

	provider->pointer_list = strdup(text);
	if (!provider->pointer_list)
		return -ENOMEM;
	char *rest = provider->pointer_list;
	for (char *pointer = next_of(&rest); pointer; pointer = next_of(&rest)) {
		if (count == POINTERS_MAX || !*pointer || !json_pointer_is_valid(pointer)) {
			config_reject("AUTH_SCOPES", text, POINTERS_WANTED);
			break;
		}
		provider->pointers[count++] = pointer;
	}
	return 0;
}

static int read_algorithms(struct provider *provider)
{
	const char *text = config_text("AUTH_ALGORITHMS", NULL);
	char *list CLEANUP(free_p) = text ? strdup(text) : NULL;
	char *rest = list;

	if (!text) {
		provider->algorithms = ALGORITHM_ALL;
		return 0;
	}
	if (!list)
		return -ENOMEM;
	for (char *name = next_of(&rest); name; name = next_of(&rest)) {
		enum algorithm algorithm;

		if (algorithm_find(name, &algorithm) < 0) {
			config_reject("AUTH_ALGORITHMS", text,
				      "some of RS256,PS256,ES256,EdDSA with commas between");
			break;
		}
		provider->algorithms |= ALGORITHM_BIT(algorithm);
	}
	return 0;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static int read_file(const char *path, struct text *out)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t got;

	if (!file)
		return -EIO;
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
		text_append(out, piece, got);
	bool failed = ferror(file);
	fclose(file);
	return failed ? -EIO : text_error(out);
}

int provider_put_keys(struct provider *provider, const char *text, size_t length,
		      char reterr_reason[JWKS_REASON_SIZE])
{
	struct jwks *keys = NULL;
	int r = jwks_read(text, length, &keys, reterr_reason);

	if (r == 0)
		verifier_set_keys(provider->verifier, keys);
	return r;
}

/* The lock is held, or no other thread knows the provider. */
static int read_keys(struct provider *provider, char reterr_reason[JWKS_REASON_SIZE])
{
	struct text text CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX + 1);
	int r = read_file(provider->path, &text);

	snprintf(reterr_reason, JWKS_REASON_SIZE, "it cannot be read");
	return r < 0 ? r
		     : provider_put_keys(provider, text_string(&text), text.length, reterr_reason);
}

static int start_keys(struct provider *provider, const char *setting)
{
	char reason[JWKS_REASON_SIZE] = "";
	char expected[JWKS_REASON_SIZE + sizeof(KEYS_WANTED) + 8];

	if (!provider->path)
		return 0;
	stat(provider->path, &provider->seen);
	int r = read_keys(provider, reason);
	if (r == 0 || r == -ENOMEM)
		return r;
	snprintf(expected, sizeof(expected), KEYS_WANTED ": %s", reason);
	config_reject(setting, provider->path, expected);
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The lock is held. */
static void renew_keys(struct provider *provider)
{
	char reason[JWKS_REASON_SIZE] = "";
	struct stat now;

	if (stat(provider->path, &now) < 0 || is_same(&now, &provider->seen))
		return;
	int r = read_keys(provider, reason);
	/* Short of memory, it tries again at the next look. */
	if (r != -ENOMEM)
		provider->seen = now;
	if (r < 0)
		log_write(LOG_ERROR, "cannot read the provider's keys anew",
			  log_text("file.path", provider->path), log_text("error.message", reason),
			  log_error_code(r));
	else
		log_write(LOG_INFO, "the provider's keys were read anew",
			  log_text("file.path", provider->path));
}

/* The thread that comes by first after the interval looks; the others go on. */
static void look_at_file(struct provider *provider)
{
	int64_t now = clock_monotonic();
	int64_t before = atomic_load_explicit(&provider->looked_at, memory_order_relaxed);

	if (!provider->path || now - before < LOOK_INTERVAL ||
	    !atomic_compare_exchange_strong(&provider->looked_at, &before, now) ||
	    pthread_mutex_trylock(&provider->lock) != 0)
		return;
	renew_keys(provider);
	pthread_mutex_unlock(&provider->lock);
}

/* ---- the whole ------------------------------------------------------------------------------ */

int provider_create(const struct provider_options *options, struct provider **ret_provider)
{
	struct provider *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return -ENOMEM;
	pthread_mutex_init(&provider->lock, NULL);
	provider->rules = (struct jwt_rules){
		.issuer = options->issuer,
		.audience = options->audience,
		.skew = config_int("AUTH_CLOCK_SKEW", SKEW_SECONDS, 0, SKEW_LONGEST) * CLOCK_SECOND,
		.pointers = provider->pointers,
		.scopes = options->scopes,
	};
	provider->path = options->keys;
	int r = read_pointers(provider);
	if (r == 0)
		r = read_algorithms(provider);
	if (r == 0) {
		provider->verifier =
			verifier_create(&provider->rules, provider->algorithms, CACHE_BYTES);
		r = provider->verifier ? start_keys(provider, options->keys_setting) : -ENOMEM;
	}
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r < 0) {
		provider_free(provider);
		return r;
	}
	provider->looked_at = clock_monotonic();
	*ret_provider = provider;
	return 0;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	verifier_free(provider->verifier);
	pthread_mutex_destroy(&provider->lock);
	free(provider->pointer_list);
	free(provider);
}

enum token_fault provider_check(struct provider *provider, const char *token, size_t length,
				struct principal *ret_principal)
{
	look_at_file(provider);
	return verifier_check(provider->verifier, token, length, clock_now(), ret_principal);
}

struct token_cache_counts provider_cache_counts(struct provider *provider)
{
	return verifier_cache_counts(provider->verifier);
}
