/*
 * Whose things a request finds. It stands in the SQL of each statement that finds a cart or an
 * order for a client, so that another's thing is as unknown as none: -ENOENT, and the same 404.
 *
 *	"SELECT … FROM carts WHERE id = $1 AND " OWNED_BY("$2", "$3", "$4"),
 *	DB_VALUES(db_text(id), OWNED_BY_VALUES(owner))
 *
 * A guest's things have the user_id ''; a secret opens those of one cart (auth/guest.h). Where
 * nobody is asked (AUTH=off) everything is found, and a request has to name its user.
 */
#ifndef RESPONDER_OWNERSHIP_H
#define RESPONDER_OWNERSHIP_H

#include "responder/service.h"

/* The condition on the column user_id, also where two tables have one, and its three values. */
#define OWNED_BY_OF(table, any, user, guest)                                                       \
	"(" any " <> 0 OR " table "user_id = " user " OR " table "user_id = " guest ")"
#define OWNED_BY(any, user, guest) OWNED_BY_OF("", any, user, guest)
#define OWNED_BY_VALUES(owner)                                                                     \
	db_int((owner)->any), db_text((owner)->user_id), db_text((owner)->guest)

/* The owner for what is not a client's request. */
#define EVERYBODYS (&(const struct owner){.any = true})

/* Whether the request has shown the secret of that cart. */
bool ownership_has_secret(const struct request *request, const char *cart_id);

/* The owner for that cart: the request's, and a guest where the secret is shown. */
struct owner ownership_of_cart(const struct request *request, const char *cart_id);

/*
 * The user whom a request is about. named is who it names, in the part in ("body", "query"), or
 * NULL. Staff may name anybody, customers only themselves; "" is a guest. False: the response is a
 * 401, 403 or 422 now.
 */
bool ownership_user(const struct request *request, struct response *response, const char *in,
		    const char *named, const char **ret_user_id);

/* Whether the request is of staff, who may see who did what. */
bool ownership_is_staff(const struct request *request);

/* Room for any actor with its NUL. */
#define ACTOR_SIZE (PRINCIPAL_SUBJECT_SIZE + sizeof("service:") - 1)

/* Who is to be noted down as having done it: "user:<sub>", "service:<name>" or "guest", so that no
 * sub is taken for another kind. In the buffer, or constant; NULL where nobody is asked. */
const char *ownership_actor(const struct request *request, char buffer[ACTOR_SIZE]);

#endif
