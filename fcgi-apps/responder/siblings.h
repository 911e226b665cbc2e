/*
 * Which sibling service calls, as the settings SERVICE_* say: by the secret that it shows
 * (auth/secrets.h), or by its account's token, where a cluster vouches for it. Thread-safe once
 * read.
 */
#ifndef RESPONDER_SIBLINGS_H
#define RESPONDER_SIBLINGS_H

#include "auth/secrets.h"
#include "contract/contract.h"
#include "responder/issuer.h"

/* All zero: there are none. */
struct siblings {
	struct secrets secrets;
	struct issuer *cluster; /* NULL: none vouches for them */
	const char *namespace;  /* of their accounts */
};

/* Reads the settings; the secrets are of siblings that may call one of the contract's operations.
 * -EINVAL: a bad one, which was reported, now or before; -ENOMEM. */
int siblings_read(const struct contract *contract, struct siblings *ret_siblings);
void siblings_release(struct siblings *siblings);

/* Whether the operation asks which sibling calls, and is for that one. */
bool siblings_may_call(const struct operation *operation, const char *name);

/* Fills the principal, a PRINCIPAL_SERVICE, if that is what the secret or token shows. */
enum token_fault siblings_identify(const struct siblings *siblings, const char *token,
				   struct principal *ret_service);

#endif
