/*
 * A set of public keys: a JSON Web Key Set (RFC 7517 section 5).
 *
 * A key that cannot be used is skipped, as the RFC advises, so that a provider may publish kinds
 * that are not known here. Among keys of one "kid" and algorithm the first one counts.
 *
 * A set never changes: any number of threads may use it.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/algorithm.h"
#include "auth/jwk.h"

#define JWKS_TEXT_MAX    ((size_t)128 * 1024)
#define JWKS_KEYS_MAX    64
#define JWKS_REASON_SIZE 160

struct jwks;

/*
 * Reads a set: jwks_free() it. reterr_reason says what is wrong, for the log.
 * -EINVAL: not a set, or no key of it can be used; -EMSGSIZE: longer than JWKS_TEXT_MAX or more
 * than JWKS_KEYS_MAX keys; -ENOMEM.
 */
int jwks_read(const char *text, size_t length, struct jwks **ret_jwks,
	      char reterr_reason[JWKS_REASON_SIZE]);

/* The same of JSON that has been parsed. */
int jwks_make(const struct json *value, struct jwks **ret_jwks,
	      char reterr_reason[JWKS_REASON_SIZE]);

void jwks_free(struct jwks *jwks); /* takes NULL */
DEFINE_CLEANUP(struct jwks, jwks_free)

/* Keys that can be used. */
size_t jwks_count(const struct jwks *jwks);

/*
 * The key that a token's "kid" and "alg" name, or NULL. A token without a kid (NULL) means the only
 * key for its algorithm; where there are several it has to say which (OpenID Connect Core 1.0
 * section 10.1). Owned by the set.
 */
const struct jwk *jwks_find(const struct jwks *jwks, const char *kid, enum algorithm algorithm);

/* Whether both accept the same signatures under the same names. */
bool jwks_equal(const struct jwks *a, const struct jwks *b);

#endif
