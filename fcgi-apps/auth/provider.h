/*
 * A provider of tokens that a service trusts, the shop's or the cluster's: the settings about it,
 * its keys, and a verifier (verifier.h) that uses them. Thread-safe, but for provider_renew_keys()
 * and provider_put_keys(): one thread at a time.
 *
 * The keys stand in a file; as long as that cannot be read, the old ones count. Or they stand in
 * none: then there are none until somebody brings them.
 */
#ifndef AUTH_PROVIDER_H
#define AUTH_PROVIDER_H

#include "auth/verifier.h"

struct provider;

/* The texts are kept, not copied. An issuer or audience of NULL is missing, which has been
 * reported. */
struct provider_options {
	const char *issuer;
	const char *audience;
	const char *keys;         /* their file; NULL: somebody brings them */
	const char *keys_setting; /* the name of the file's setting */
	/* The known ones: contract_scopes(). AUTH_SCOPES says where tokens have them, and
	 * AUTH_ALGORITHMS by what they may be signed. NULL: tokens without scopes, of any
	 * algorithm.
	 */
	const char *const *scopes;
};

/* -EINVAL: a bad setting, which was reported, now or before; -ENOMEM. */
int provider_create(const struct provider_options *options, struct provider **ret_provider);
void provider_free(struct provider *provider); /* takes NULL */

/* Fills the principal, which has no cart's secret, if the token is fine. */
enum token_fault provider_check(struct provider *provider, const char *token, size_t length,
				struct principal *ret_principal);

/* Reads the file anew if it has changed. To be called every second. */
void provider_renew_keys(struct provider *provider);

/* Takes a set of keys. Errors and the reason as jwks_make(). */
int provider_put_keys(struct provider *provider, const struct json *set,
		      char reterr_reason[JWKS_REASON_SIZE]);

bool provider_has_keys(struct provider *provider);

struct token_cache_counts provider_cache_counts(struct provider *provider);

#endif
