/*
 * Verifies access tokens: a token's text becomes a principal, by the rules and the provider's
 * current keys. The keys are replaced under load; what was verified is cached. Thread-safe.
 *
 *	struct principal principal;
 *	enum token_fault fault = verifier_check(verifier, token, length, clock_now(), &principal);
 *	if (fault == TOKEN_UNKNOWN_KEY)
 *		… the provider may have a new key: ask for its set, at most once in 30 s
 */
#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/token_cache.h"

struct verifier;

/* algorithms: accepted ones, bits of enum algorithm; cache_bytes as in token_cache.h. No keys yet.
 * NULL when out of memory. */
struct verifier *verifier_create(const struct jwt_rules *rules, unsigned algorithms,
				 size_t cache_bytes);

/* When no thread uses it any more. */
void verifier_free(struct verifier *verifier);

/* Takes over the set. If it differs from the one before, cached tokens are forgotten, and it
 * returns true. Waits for the tokens that are being verified. */
bool verifier_set_keys(struct verifier *verifier, struct jwks *jwks);
bool verifier_has_keys(struct verifier *verifier);

/*
 * The compact form, without "Bearer "; now in microseconds since 1970. TOKEN_NO_KEYS before the
 * first set; any other fault as well. A token that was found in the cache was verified by the
 * current set, and has not expired.
 */
enum token_fault verifier_check(struct verifier *verifier, const char *token, size_t length,
				int64_t now, struct principal *ret_principal);

struct token_cache_counts verifier_cache_counts(struct verifier *verifier);

#endif
