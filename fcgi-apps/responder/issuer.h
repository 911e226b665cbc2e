/*
 * An issuer of tokens that the service trusts, as the settings say (docs/SECURITY.md): a verifier
 * (auth/verifier.h), and where its keys come from, a file (auth/key_file.h) or an address
 * (key_source.h). Thread-safe, but for issuer_renew_keys(). All functions take NULL, which is none,
 * except issuer_check().
 */
#ifndef RESPONDER_ISSUER_H
#define RESPONDER_ISSUER_H

#include "auth/verifier.h"

struct issuer;

/* Of the shop's users, by the settings AUTH_*; scopes as contract_scopes(). -EINVAL: a bad setting,
 * which was reported, now or before; -ENOMEM. */
int issuer_of_users(const char *const *scopes, struct issuer **ret_issuer);

/* Of a cluster's service accounts, by the settings SERVICE_*, of which SERVICE_ISSUER is there.
 * Their tokens have no scopes, and may be by any algorithm. Errors likewise. */
int issuer_of_accounts(struct issuer **ret_issuer);

void issuer_free(struct issuer *issuer);

/* Fills the principal, which has no cart's secret, if the token is fine. */
enum token_fault issuer_check(struct issuer *issuer, const char *token,
			      struct principal *ret_principal);

/* A token names a key that is not known. Whether it may be in a second. */
bool issuer_want_key(struct issuer *issuer);

/* Reads or fetches the keys if it is time to. To be called every second, by one thread, which it
 * may block for seconds. */
void issuer_renew_keys(struct issuer *issuer);

/* Whether it has keys, be they old ones; none needs none. */
bool issuer_has_keys(struct issuer *issuer);

/* Microseconds since the keys were fetched; 0 where they are in a file. */
int64_t issuer_keys_age(struct issuer *issuer);

struct token_cache_counts issuer_cache_counts(struct issuer *issuer);

#endif
