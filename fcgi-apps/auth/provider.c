#include "auth/provider.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "base/json_pointer.h"
#include "base/log.h"

#define POINTERS_MAX       8
#define CACHE_BYTES        (2u << 20) /* a thousand tokens */
#define SKEW_SECONDS       30
#define SKEW_LONGEST       300
#define SCOPES_DEFAULT     "/scope,/roles"
#define ALGORITHMS_DEFAULT "RS256,PS256,ES256,EdDSA"
#define KEYS_WANTED        "the file of a JWK set, or its https:// address"
#define POINTERS_WANTED                                                                            \
	"up to 8 JSON Pointers (RFC 6901) with commas between, such as /scope,/roles"

struct provider {
	char *pointer_list;                     /* what the pointers point into */
	const char *pointers[POINTERS_MAX + 1]; /* ends with NULL */
	const char *path;                       /* of the keys' file; NULL: somebody brings them */
	struct stat seen;                       /* the file when it was last read */
	int error;                              /* of that, which has been logged */
	struct verifier *verifier;
};

/* ---- settings ------------------------------------------------------------------------------- */

static int read_pointers(struct provider *provider)
{
	const char *text = config_text("AUTH_SCOPES", SCOPES_DEFAULT);
	size_t count = 0;

	provider->pointer_list = strdup(text);
	if (!provider->pointer_list)
		return -ENOMEM;
	char *rest = provider->pointer_list;
	for (char *next = strsep(&rest, ","); next; next = strsep(&rest, ",")) {
		if (count == POINTERS_MAX || !*next || !json_pointer_is_valid(next)) {
			config_reject("AUTH_SCOPES", text, POINTERS_WANTED);
			break;
		}
		provider->pointers[count++] = next;
	}
	return 0;
}

static int read_algorithms(unsigned *ret_algorithms)
{
	const char *text = config_text("AUTH_ALGORITHMS", ALGORITHMS_DEFAULT);
	char *list CLEANUP(free_p) = strdup(text);
	char *rest = list;
	unsigned algorithms = 0;

	if (!list)
		return -ENOMEM;
	for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
		enum algorithm algorithm;

		if (algorithm_find(name, &algorithm) < 0) {
			config_reject("AUTH_ALGORITHMS", text,
				      "some of " ALGORITHMS_DEFAULT " with commas between");
			break;
		}
		algorithms |= ALGORITHM_BIT(algorithm);
	}
	*ret_algorithms = algorithms;
	return 0;
}

static int create_verifier(struct provider *provider, const struct provider_options *options)
{
	const struct jwt_rules rules = {
		.issuer = options->issuer,
		.audience = options->audience,
		.skew = config_int("AUTH_CLOCK_SKEW", SKEW_SECONDS, 0, SKEW_LONGEST) * CLOCK_SECOND,
		.pointers = provider->pointers,
		.scopes = options->scopes,
	};
	unsigned algorithms = ALGORITHM_ALL;
	int r = options->scopes ? read_pointers(provider) : 0;

	if (r == 0 && options->scopes)
		r = read_algorithms(&algorithms);
	if (r < 0)
		return r;
	provider->verifier = verifier_create(&rules, algorithms, CACHE_BYTES);
	return provider->verifier ? 0 : -ENOMEM;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static int read_file(struct provider *provider, char reterr_reason[JWKS_REASON_SIZE])
{
	struct text text CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX);
	struct jwks *keys = NULL;
	int r = file_read(provider->path, &text);

	if (r < 0) {
		snprintf(reterr_reason, JWKS_REASON_SIZE, "%s",
			 r == -EMSGSIZE ? "it is too long" : "it cannot be read");
		return r;
	}
	r = jwks_read(text_string(&text), text.length, &keys, reterr_reason);
	if (r == 0)
		verifier_set_keys(provider->verifier, keys);
	return r;
}

static int start_keys(struct provider *provider, const char *setting)
{
	char reason[JWKS_REASON_SIZE] = "";
	char expected[JWKS_REASON_SIZE + sizeof(KEYS_WANTED) + 8];

	file_changed(provider->path, &provider->seen);
	int r = read_file(provider, reason);
	if (r == 0 || r == -ENOMEM)
		return r;
	snprintf(expected, sizeof(expected), KEYS_WANTED ": %s", reason);
	config_reject(setting, provider->path, expected);
	return 0;
}

void provider_renew_keys(struct provider *provider)
{
	char reason[JWKS_REASON_SIZE] = "";

	if (!provider->path || !file_changed(provider->path, &provider->seen))
		return;
	int before = provider->error;
	int r = provider->error = read_file(provider, reason);
	/* Short of memory or descriptors, the next call tries again. */
	if (r == -ENOMEM || r == -EIO)
		provider->seen = (struct stat){0};
	if (r == 0)
		log_write(LOG_INFO, "the provider's keys were read anew",
			  log_text("file.path", provider->path));
	else if (r != before)
		log_write(LOG_ERROR, "cannot read the provider's keys anew",
			  log_text("file.path", provider->path), log_text("error.message", reason),
			  log_error_code(r));
}

int provider_put_keys(struct provider *provider, const struct json *set,
		      char reterr_reason[JWKS_REASON_SIZE])
{
	struct jwks *keys = NULL;
	int r = jwks_make(set, &keys, reterr_reason);

	if (r == 0)
		verifier_set_keys(provider->verifier, keys);
	return r;
}

/* ---- the whole ------------------------------------------------------------------------------ */

int provider_create(const struct provider_options *options, struct provider **ret_provider)
{
	struct provider *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return -ENOMEM;
	provider->path = options->keys;
	int r = create_verifier(provider, options);
	if (r == 0 && provider->path)
		r = start_keys(provider, options->keys_setting);
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r < 0)
		provider_free(provider);
	else
		*ret_provider = provider;
	return r;
}

void provider_free(struct provider *provider)
{
	if (!provider)
		return;
	verifier_free(provider->verifier);
	free(provider->pointer_list);
	free(provider);
}

enum token_fault provider_check(struct provider *provider, const char *token, size_t length,
				struct principal *ret_principal)
{
	return verifier_check(provider->verifier, token, length, clock_now(), ret_principal);
}

bool provider_has_keys(struct provider *provider)
{
	return verifier_has_keys(provider->verifier);
}

struct token_cache_counts provider_cache_counts(struct provider *provider)
{
	return verifier_cache_counts(provider->verifier);
}
