#include "auth/verifier.h"

#include <pthread.h>

#include "auth/jws.h"

struct verifier {
	struct jwt_rules rules;
	unsigned algorithms;
	struct token_cache *cache;
	pthread_mutex_t mutex; /* of jwks */
	struct jwks *jwks;     /* NULL before the first set */
};

struct verifier *verifier_create(const struct jwt_rules *rules, unsigned algorithms,
				 size_t cache_bytes)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));
	struct token_cache *cache = token_cache_create(cache_bytes);
	if (!verifier || !cache) {
		free(verifier);
		token_cache_free(cache);
		return NULL;
	}
	*verifier = (struct verifier){.rules = *rules, .algorithms = algorithms, .cache = cache};
	pthread_mutex_init(&verifier->mutex, NULL);
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	token_cache_free(verifier->cache);
	jwks_unref(verifier->jwks);
	pthread_mutex_destroy(&verifier->mutex);
	free(verifier);
}

bool verifier_set_keys(struct verifier *verifier, struct jwks *jwks)
{
	pthread_mutex_lock(&verifier->mutex);
	struct jwks *before = verifier->jwks;
	bool changed = !before || !jwks_equal(before, jwks);
	verifier->jwks = jwks;
	pthread_mutex_unlock(&verifier->mutex);
	/* After the exchange: who reads the new generation finds the new keys. */
	if (changed)
		token_cache_clear(verifier->cache);
	jwks_unref(before);
	return changed;
}

static struct jwks *current_keys(struct verifier *verifier)
{
	pthread_mutex_lock(&verifier->mutex);
	struct jwks *jwks = verifier->jwks ? jwks_ref(verifier->jwks) : NULL;
	pthread_mutex_unlock(&verifier->mutex);
	return jwks;
}

bool verifier_has_keys(struct verifier *verifier)
{
	struct jwks *jwks CLEANUP(jwks_unref_p) = current_keys(verifier);
	return jwks;
}

/* Appends the payload of a token that one of the keys signed. */
static enum token_fault open_token(const struct verifier *verifier, const struct jwks *jwks,
				   const char *token, size_t length, struct text *payload)
{
	struct jws jws CLEANUP(jws_release) = {0};
	enum token_fault fault = jws_read(token, length, &jws);
	if (fault)
		return fault;
	if (!(verifier->algorithms & ALGORITHM_BIT(jws.algorithm)))
		return TOKEN_ALGORITHM;
	if (!jwt_is_access_token(jws.type))
		return TOKEN_TYPE;
	const struct jwk *jwk = jwks_find(jwks, jws.kid, jws.algorithm);
	if (!jwk)
		return TOKEN_UNKNOWN_KEY;
	fault = jws_verify(&jws, jwk);
	return fault ? fault : jws_payload(&jws, payload);
}

enum token_fault verifier_check(struct verifier *verifier, const char *token, size_t length,
				int64_t now, struct principal *ret_principal)
{
	struct text payload CLEANUP(text_release) = TEXT_INIT(JWS_LENGTH_MAX);
	uint64_t generation;
	int64_t expires;
	if (token_cache_find(verifier->cache, token, length, now, ret_principal, &generation))
		return TOKEN_FINE;
	/* After the generation: keys of a later one do no harm, those of an earlier one would. */
	struct jwks *jwks CLEANUP(jwks_unref_p) = current_keys(verifier);
	if (!jwks)
		return TOKEN_NO_KEYS;
	enum token_fault fault = open_token(verifier, jwks, token, length, &payload);
	if (!fault)
		fault = jwt_read(&verifier->rules, text_string(&payload), payload.length, now,
				 ret_principal, &expires);
	if (!fault)
		token_cache_store(verifier->cache, generation, token, length, ret_principal,
				  expires);
	return fault;
}

struct token_cache_counts verifier_cache_counts(struct verifier *verifier)
{
	return token_cache_counts(verifier->cache);
}
