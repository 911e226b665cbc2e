/*
 * Tells whose a token is: signature (jws.h), by a key of the provider (jwks.h), claims (jwt.h).
 *
 * The keys stand in a file, which is looked at once a second and read anew when it has changed; as
 * long as it cannot be read, the old ones count. Thread-safe.
 *
 * Settings: AUTH_ISSUER, AUTH_AUDIENCE, AUTH_JWKS, AUTH_SCOPES, AUTH_ALGORITHMS, AUTH_CLOCK_SKEW
 * (docs/SECURITY.md).
 */
#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include "auth/principal.h"
#include "auth/token_fault.h"

struct verifier;

/* Reads the settings; scopes are the known ones (contract_scopes()). -EINVAL: a bad setting, which
 * was reported; -ENOMEM. */
int verifier_create(const char *const *scopes, struct verifier **ret_verifier);
void verifier_free(struct verifier *verifier); /* takes NULL */

/* Fills the principal, which has no cart's secret, if the token is fine. */
enum token_fault verifier_check(struct verifier *verifier, const char *token, size_t length,
				struct principal *ret_principal);

#endif
