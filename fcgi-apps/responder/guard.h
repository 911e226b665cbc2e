/*
 * Who sends a request, and may they? Reads Authorization and Cart-Secret, and holds what they show
 * against the operation's `security` and `x-scope` (contract/contract.h).
 *
 * With AUTH=off there is no guard, nobody is asked, and everybody may do all. Else (AUTH=jwt) the
 * settings are those that docs/SECURITY.md explains.
 */
#ifndef RESPONDER_GUARD_H
#define RESPONDER_GUARD_H

#include "responder/service.h"

struct guard;
struct sign_in;

/* Reads the settings; *ret_guard is NULL with AUTH=off. -EINVAL: a bad one, which was reported;
 * -EIO: there is no libcrypto, which was reported, too; -ENOMEM. */
int guard_create(const struct contract *contract, struct guard **ret_guard);
void guard_free(struct guard *guard); /* takes NULL */

/* Reads or fetches keys of tokens if it is time to. To be called every second, by one thread, which
 * it may block for seconds. */
void guard_renew_keys(struct guard *guard);

/* Whether it has keys, be they old ones. A worker without any is not ready, so that it takes no
 * place of one that has them. guard may be NULL. Any thread. */
bool guard_has_keys(const struct guard *guard);

/* The keys of guests' secrets; NULL: of no guard. */
const struct secrets *guard_guests(const struct guard *guard);

/* How people sign in at /docs (responder/sign_in.h), or NULL; guard may be NULL. */
const struct sign_in *guard_sign_in(const struct guard *guard);

/*
 * May the request's operation be called? Fills the request's principal and owner. Before anything
 * else of the request is looked at, but for its path. False: the response says why not: 401, 403,
 * 503.
 */
bool guard_admit(struct guard *guard, struct request *request, struct response *response);

/* May these members and parameters be sent (x-scope)? After guard_admit(); results likewise. */
bool guard_admit_scopes(struct guard *guard, struct request *request, struct response *response,
			uint64_t scopes);

/* Appends its figures in the Prometheus text format; those of no guard are 0. */
void guard_write_metrics(const struct guard *guard, struct text *out);

#endif
