/*
 * A provider of tokens that a service trusts, the shop's or the cluster's: the settings about it,
 * its keys, and a verifier (verifier.h) that uses them.
 *
 * The keys stand in a file, which is looked at once a second and read anew when it has changed; as
 * long as it cannot be read, the old ones count. Or they stand in none: then there are none until
 * somebody brings them (provider_put_keys()). Thread-safe.
 *
 * The settings AUTH_SCOPES, AUTH_ALGORITHMS and AUTH_CLOCK_SKEW (docs/SECURITY.md) are for all.
 */
#ifndef AUTH_PROVIDER_H
#define AUTH_PROVIDER_H

#include "auth/verifier.h"

struct provider;

/* Of its own settings; the texts are kept, not copied. An issuer or audience of NULL is missing,
 * which has been reported. */
struct provider_options {
	const char *issuer;
	const char *audience;
	const char *keys;          /* their file; NULL: somebody brings them */
	const char *keys_setting;  /* the name of the file's setting */
	const char *const *scopes; /* the known ones: contract_scopes() */
};

/* -EINVAL: a bad setting, which was reported, now or before; -ENOMEM. */
int provider_create(const struct provider_options *options, struct provider **ret_provider);
void provider_free(struct provider *provider); /* takes NULL */

/* Fills the principal, which has no cart's secret, if the token is fine. */
enum token_fault provider_check(struct provider *provider, const char *token, size_t length,
				struct principal *ret_principal);

/* Takes a set of keys, as text. Errors and the reason as jwks_read(). */
int provider_put_keys(struct provider *provider, const char *text, size_t length,
		      char reterr_reason[JWKS_REASON_SIZE]);

struct token_cache_counts provider_cache_counts(struct provider *provider);

#endif
