#include "auth/verifier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "auth/jwks.h"
#include "auth/jws.h"
#include "auth/jwt.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/json_pointer.h"
#include "base/log.h"

#define POINTERS_MAX   8
#define LOOK_INTERVAL  CLOCK_SECOND
#define SKEW_SECONDS   30
#define SKEW_LONGEST   300
#define SCOPES_DEFAULT "/scope,/roles"
#define POINTERS_WANTED                                                                            \
	"up to 8 JSON Pointers (RFC 6901) with commas between, such as /scope,/roles"

struct verifier {
	struct jwt_rules rules;
	unsigned algorithms;                    /* of ALGORITHM_BIT() */
	char *pointer_list;                     /* what the pointers point into */
	const char *pointers[POINTERS_MAX + 1]; /* ends with NULL */
	const char *path;                       /* of the keys' file */
	_Atomic int64_t looked_at;              /* clock_monotonic(), at the file */
	pthread_mutex_t lock;                   /* guards the members below */
	struct stat seen;                       /* the file when it was read, or tried to be */
	struct jwks *keys;
};

/* ---- settings ------------------------------------------------------------------------------- */

static const char *required(const char *name, const char *expected)
{
	const char *value = config_text(name, NULL);

	if (!value)
		config_reject(name, "", expected);
	return value;
}

/* Takes the next of a list with commas between; NULL after the last. */
static char *next_of(char **list)
{
	return *list ? strsep(list, ",") : NULL;
}

static int read_pointers(struct verifier *verifier)
{
	const char *text = config_text("AUTH_SCOPES", SCOPES_DEFAULT);
	size_t count = 0;

	verifier->pointer_list = strdup(text);
	if (!verifier->pointer_list)
		return -ENOMEM;
	char *rest = verifier->pointer_list;
	for (char *pointer = next_of(&rest); pointer; pointer = next_of(&rest)) {
		if (count == POINTERS_MAX || !*pointer || !json_pointer_is_valid(pointer)) {
			config_reject("AUTH_SCOPES", text, POINTERS_WANTED);
			break;
		}
		verifier->pointers[count++] = pointer;
	}
	return 0;
}

static int read_algorithms(struct verifier *verifier)
{
	const char *text = config_text("AUTH_ALGORITHMS", NULL);
	char *list CLEANUP(free_p) = text ? strdup(text) : NULL;
	char *rest = list;

	if (!text) {
		verifier->algorithms = ALGORITHM_ALL;
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
		verifier->algorithms |= ALGORITHM_BIT(algorithm);
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

/* The lock is held, or no other thread knows the verifier. */
static int read_keys(struct verifier *verifier, char reterr_reason[JWKS_REASON_SIZE])
{
	struct text text CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX + 1);
	struct jwks *keys = NULL;
	int r = read_file(verifier->path, &text);

	snprintf(reterr_reason, JWKS_REASON_SIZE, "it cannot be read");
	if (r < 0)
		return r;
	r = jwks_read(text_string(&text), text.length, &keys, reterr_reason);
	if (r < 0)
		return r;
	jwks_unref(verifier->keys);
	verifier->keys = keys;
	return 0;
}

static int start_keys(struct verifier *verifier)
{
	char reason[JWKS_REASON_SIZE] = "";
	char expected[JWKS_REASON_SIZE + 64];

	verifier->path = required("AUTH_JWKS", "the file of the provider's keys, a JWK set");
	if (!verifier->path)
		return 0;
	stat(verifier->path, &verifier->seen);
	int r = read_keys(verifier, reason);
	if (r == 0 || r == -ENOMEM)
		return r;
	snprintf(expected, sizeof(expected), "the file of the provider's keys, a JWK set: %s",
		 reason);
	config_reject("AUTH_JWKS", verifier->path, expected);
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The lock is held. */
static void renew_keys(struct verifier *verifier)
{
	char reason[JWKS_REASON_SIZE] = "";
	struct stat now;

	if (stat(verifier->path, &now) < 0 || is_same(&now, &verifier->seen))
		return;
	verifier->seen = now;
	int r = read_keys(verifier, reason);
	if (r < 0)
		log_write(LOG_ERROR, "cannot read the provider's keys anew (AUTH_JWKS)",
			  log_text("file.path", verifier->path), log_text("error.message", reason),
			  log_error_code(r));
	else
		log_write(LOG_INFO, "the provider's keys were read anew",
			  log_text("file.path", verifier->path));
}

static struct jwks *take_keys(struct verifier *verifier)
{
	int64_t now = clock_monotonic();
	int64_t before = atomic_load_explicit(&verifier->looked_at, memory_order_relaxed);
	bool looks = now - before >= LOOK_INTERVAL &&
		     atomic_compare_exchange_strong(&verifier->looked_at, &before, now);

	pthread_mutex_lock(&verifier->lock);
	if (looks)
		renew_keys(verifier);
	struct jwks *keys = jwks_ref(verifier->keys);
	pthread_mutex_unlock(&verifier->lock);
	return keys;
}

/* ---- the whole ------------------------------------------------------------------------------ */

int verifier_create(const char *const *scopes, struct verifier **ret_verifier)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		return -ENOMEM;
	pthread_mutex_init(&verifier->lock, NULL);
	verifier->rules = (struct jwt_rules){
		.issuer = required("AUTH_ISSUER", "the issuer of the tokens, an URL"),
		.audience = required("AUTH_AUDIENCE", "what tokens must be for"),
		.skew = config_int("AUTH_CLOCK_SKEW", SKEW_SECONDS, 0, SKEW_LONGEST) * CLOCK_SECOND,
		.pointers = verifier->pointers,
		.scopes = scopes,
	};
	int r = read_pointers(verifier);
	if (r == 0)
		r = read_algorithms(verifier);
	if (r == 0)
		r = start_keys(verifier);
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r < 0) {
		verifier_free(verifier);
		return r;
	}
	verifier->looked_at = clock_monotonic();
	*ret_verifier = verifier;
	return 0;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	jwks_unref(verifier->keys);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier->pointer_list);
	free(verifier);
}

static enum token_fault check_signature(const struct verifier *verifier, const struct jwks *keys,
					const struct jws *jws)
{
	if (!(verifier->algorithms & ALGORITHM_BIT(jws->algorithm)))
		return TOKEN_ALGORITHM;
	if (!jwt_is_access_token(jws->type))
		return TOKEN_TYPE;
	const struct jwk *key = jwks_find(keys, jws->kid, jws->algorithm);
	return key ? jws_verify(jws, key) : TOKEN_UNKNOWN_KEY;
}

enum token_fault verifier_check(struct verifier *verifier, const char *token, size_t length,
				struct principal *ret_principal)
{
	struct text payload CLEANUP(text_release) = TEXT_INIT(JWS_LENGTH_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	struct jwks *keys CLEANUP(jwks_unref_p) = take_keys(verifier);
	int64_t expires;
	enum token_fault fault = jws_read(token, length, &jws);

	if (fault == TOKEN_FINE)
		fault = check_signature(verifier, keys, &jws);
	if (fault == TOKEN_FINE)
		fault = jws_payload(&jws, &payload);
	if (fault == TOKEN_FINE)
		fault = jwt_read(&verifier->rules, text_string(&payload), payload.length,
				 clock_now(), ret_principal, &expires);
	return fault;
}
