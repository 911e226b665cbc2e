#include "auth/verifier.h"

#include <pthread.h>

#include "auth/jws.h"

struct verifier {
	struct jwt_rules rules;
	unsigned algorithms;
	struct token_cache *cache;
	/* Held while a token is verified and stored, so that none is stored after its key has gone.
	 */
	pthread_rwlock_t lock;
	struct jwks *jwks; /* NULL before the first set */
};

/* New keys come in although tokens are verified all the time. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

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
	init_lock(&verifier->lock);
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	token_cache_free(verifier->cache);
	jwks_free(verifier->jwks);
	pthread_rwlock_destroy(&verifier->lock);
	free(verifier);
}

bool verifier_set_keys(struct verifier *verifier, struct jwks *jwks)
{
	pthread_rwlock_wrlock(&verifier->lock);
	struct jwks *before = verifier->jwks;
	bool changed = !before || !jwks_equal(before, jwks);
	verifier->jwks = jwks;
	if (changed)
		token_cache_clear(verifier->cache);
	pthread_rwlock_unlock(&verifier->lock);
	jwks_free(before);
	return changed;
}

bool verifier_has_keys(struct verifier *verifier)
{
	pthread_rwlock_rdlock(&verifier->lock);
	bool has_keys = verifier->jwks;
	pthread_rwlock_unlock(&verifier->lock);
	return has_keys;
}

/* Appends the payload of a token that one of the keys signed. */
static enum token_fault open_token(const struct verifier *verifier, const char *token,
				   size_t length, struct text *payload)
{
	struct jws jws CLEANUP(jws_release) = {0};
	enum token_fault fault = jws_read(token, length, &jws);
	if (fault)
		return fault;
	if (!(verifier->algorithms & ALGORITHM_BIT(jws.algorithm)))
		return TOKEN_ALGORITHM;
	if (!jwt_is_access_token(jws.type))
		return TOKEN_TYPE;
	const struct jwk *jwk = jwks_find(verifier->jwks, jws.kid, jws.algorithm);
	if (!jwk)
		return TOKEN_UNKNOWN_KEY;
	fault = jws_verify(&jws, jwk);
	return fault ? fault : jws_payload(&jws, payload);
}

/* The lock is held. */
static enum token_fault verify(const struct verifier *verifier, const char *token, size_t length,
			       int64_t now, struct principal *ret_principal)
{
	struct text payload CLEANUP(text_release) = TEXT_INIT(JWS_LENGTH_MAX);
	int64_t expires;
	if (!verifier->jwks)
		return TOKEN_NO_KEYS;
	enum token_fault fault = open_token(verifier, token, length, &payload);
	if (!fault)
		fault = jwt_read(&verifier->rules, text_string(&payload), payload.length, now,
				 ret_principal, &expires);
	if (!fault)
		token_cache_store(verifier->cache, token, length, ret_principal, expires);
	return fault;
}

enum token_fault verifier_check(struct verifier *verifier, const char *token, size_t length,
				int64_t now, struct principal *ret_principal)
{
	if (token_cache_find(verifier->cache, token, length, now, ret_principal))
		return TOKEN_FINE;
	pthread_rwlock_rdlock(&verifier->lock);
	enum token_fault fault = verify(verifier, token, length, now, ret_principal);
	pthread_rwlock_unlock(&verifier->lock);
	return fault;
}

struct token_cache_counts verifier_cache_counts(struct verifier *verifier)
{
	return token_cache_counts(verifier->cache);
}
