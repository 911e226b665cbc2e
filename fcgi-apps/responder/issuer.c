#include "responder/issuer.h"

#include "auth/discovery.h"
#include "auth/key_file.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/json_pointer.h"
#include "responder/key_source.h"

#define POINTERS_MAX       8
#define CACHE_BYTES        (2u << 20) /* a thousand tokens */
#define SKEW_SECONDS       30
#define SKEW_LONGEST       300
#define SCOPES_DEFAULT     "/scope,/roles"
#define ALGORITHMS_DEFAULT "RS256,PS256,ES256,EdDSA"
#define KEYS_WANTED        "the file of a JWK set, or its https:// address"

struct issuer {
	char *pointer_list;                     /* what the pointers point into */
	const char *pointers[POINTERS_MAX + 1]; /* ends with NULL */
	struct verifier *verifier;
	struct key_file file;      /* of its keys, or none */
	struct key_source *source; /* of them, or NULL */
};

/* ---- settings ------------------------------------------------------------------------------- */

static const char *required(const char *name, const char *expected)
{
	const char *value = config_text(name, NULL);

	if (!value)
		config_reject(name, "", expected);
	return value;
}

static int read_pointers(struct issuer *issuer)
{
	const char *text = config_text("AUTH_SCOPES", SCOPES_DEFAULT);
	size_t count = 0;

	issuer->pointer_list = strdup(text);
	if (!issuer->pointer_list)
		return -ENOMEM;
	char *rest = issuer->pointer_list;
	for (char *next = strsep(&rest, ","); next; next = strsep(&rest, ",")) {
		if (count == POINTERS_MAX || !*next || !json_pointer_is_valid(next)) {
			config_reject("AUTH_SCOPES", text,
				      "up to 8 JSON Pointers (RFC 6901) with commas between, "
				      "such as " SCOPES_DEFAULT);
			break;
		}
		issuer->pointers[count++] = next;
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

/* ---- what it is made of --------------------------------------------------------------------- */

/* Of rules without scopes no token needs any. */
static int create_verifier(struct issuer *issuer, struct jwt_rules rules)
{
	unsigned algorithms = ALGORITHM_ALL;
	int r = rules.scopes ? read_pointers(issuer) : 0;

	if (r == 0 && rules.scopes)
		r = read_algorithms(&algorithms);
	if (r < 0)
		return r;
	rules.pointers = issuer->pointers;
	rules.skew = config_int("AUTH_CLOCK_SKEW", SKEW_SECONDS, 0, SKEW_LONGEST) * CLOCK_SECOND;
	issuer->verifier = verifier_create(&rules, algorithms, CACHE_BYTES);
	return issuer->verifier ? 0 : -ENOMEM;
}

static int open_file(struct issuer *issuer, const char *setting, const char *path)
{
	char reason[JWKS_REASON_SIZE] = "";
	char expected[JWKS_REASON_SIZE + sizeof(KEYS_WANTED) + 8];
	int r = key_file_open(&issuer->file, path, issuer->verifier, reason);

	if (r == 0 || r == -ENOMEM)
		return r;
	snprintf(expected, sizeof(expected), KEYS_WANTED ": %s", reason);
	config_reject(setting, path, expected);
	return -EINVAL;
}

static int create_source(struct issuer *issuer, const struct key_source_options *options)
{
	const char *socket = config_text("PROVIDER_SOCKET", "/run/app/provider.sock");
	int r = key_source_create(socket, options, issuer->verifier, &issuer->source);

	if (r == -EINVAL && !options->credential)
		config_reject("PROVIDER_SOCKET", socket, "the path of a socket, up to 107 bytes");
	else if (r == -EINVAL || r == -EIO)
		config_reject("SERVICE_JWKS_TOKEN", options->credential,
			      "a file with the token for the address of the cluster's keys");
	return r == -EIO ? -EINVAL : r;
}

/* place: the keys' file or address, by the setting of that name; NULL: the provider's configuration
 * says. */
static int create(const struct jwt_rules *rules, const char *setting, const char *place,
		  const struct key_source_options *source, struct issuer **ret_issuer)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));

	if (!issuer)
		return -ENOMEM;
	int r = create_verifier(issuer, *rules);
	if (r == 0)
		r = !place || discovery_is_url(place) ? create_source(issuer, source)
						      : open_file(issuer, setting, place);
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r < 0)
		issuer_free(issuer);
	else
		*ret_issuer = issuer;
	return r;
}

int issuer_of_users(const char *const *scopes, struct issuer **ret_issuer)
{
	const char *place = config_text("AUTH_JWKS", NULL);
	struct key_source_options source = key_source_defaults();
	const struct jwt_rules rules = {
		.issuer = required("AUTH_ISSUER", "the issuer of the tokens, a URL"),
		.audience = required("AUTH_AUDIENCE", "the audience of the tokens, their aud"),
		.scopes = scopes,
	};

	if (!place && rules.issuer && !discovery_is_issuer(rules.issuer))
		config_reject("AUTH_ISSUER", rules.issuer,
			      "an https:// address without a query, since AUTH_JWKS is not set");
	source.issuer = place ? NULL : rules.issuer;
	return create(&rules, "AUTH_JWKS", place, &source, ret_issuer);
}

int issuer_of_accounts(struct issuer **ret_issuer)
{
	const char *place =
		required("SERVICE_JWKS", "the cluster's keys, a JWK set: a file or an address");
	struct key_source_options source = key_source_defaults();
	const struct jwt_rules rules = {
		.issuer = config_text("SERVICE_ISSUER", NULL),
		.audience = required("SERVICE_AUDIENCE",
				     "the audience of the services' tokens, their aud"),
	};

	source.path = "/service-keys";
	source.credential = config_text("SERVICE_JWKS_TOKEN", NULL);
	return create(&rules, "SERVICE_JWKS", place, &source, ret_issuer);
}

void issuer_free(struct issuer *issuer)
{
	if (!issuer)
		return;
	key_source_free(issuer->source);
	verifier_free(issuer->verifier);
	free(issuer->pointer_list);
	free(issuer);
}

/* ---- what it does --------------------------------------------------------------------------- */

enum token_fault issuer_check(struct issuer *issuer, const char *token,
			      struct principal *ret_principal)
{
	return verifier_check(issuer->verifier, token, strlen(token), clock_now(), ret_principal);
}

bool issuer_want_key(struct issuer *issuer)
{
	return issuer && issuer->source && key_source_want(issuer->source);
}

void issuer_renew_keys(struct issuer *issuer)
{
	if (issuer && issuer->source)
		key_source_run(issuer->source);
	else if (issuer)
		key_file_renew(&issuer->file);
}

bool issuer_has_keys(struct issuer *issuer)
{
	return !issuer || verifier_has_keys(issuer->verifier);
}

int64_t issuer_keys_age(struct issuer *issuer)
{
	return issuer && issuer->source ? key_source_age(issuer->source) : 0;
}

struct token_cache_counts issuer_cache_counts(struct issuer *issuer)
{
	return issuer ? verifier_cache_counts(issuer->verifier) : (struct token_cache_counts){0};
}
