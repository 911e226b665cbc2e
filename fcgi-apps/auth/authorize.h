/*
 * May this principal call this operation, and whose things is the call about? Pure functions.
 *
 * A token counts before a cart's secret, which counts in addition: what belongs to that cart is
 * open as well (guest.h).
 */
#ifndef AUTH_AUTHORIZE_H
#define AUTH_AUTHORIZE_H

#include "auth/principal.h"
#include "contract/contract.h"

enum verdict {
	VERDICT_GRANTED,
	VERDICT_UNKNOWN, /* who it is must be shown: 401 */
	VERDICT_SCOPE,   /* a scope is missing: 403 */
};

/* Whose things a request finds: nobody else's exist for it. */
struct owner {
	bool any;            /* everybody's */
	const char *user_id; /* this user's, NULL: no user's; lives as long as the principal */
	const char *guest;   /* "": a guest's as well, whose secret has been checked; else NULL */
};

/* ret_owner is filled when granted. */
enum verdict authorize(const struct access_rule *rule, const struct principal *principal,
		       struct owner *ret_owner);

/* Of these scopes, those that the principal does not have: x-scope asks for all. */
uint64_t authorize_lacking(uint64_t scopes, const struct principal *principal);

#endif
