#include "responder/ownership.h"

#include "auth/guest.h"
#include "responder/refusal.h"

bool ownership_has_secret(const struct request *request, const char *cart_id)
{
	const struct secrets *keys = request->runtime->guests;

	return keys && guest_secret_fits(keys, cart_id, request->principal.cart_secret);
}

struct owner ownership_of_cart(const struct request *request, const char *cart_id)
{
	struct owner owner = request->owner;

	if (!owner.any && ownership_has_secret(request, cart_id))
		owner.guest = "";
	return owner;
}

static bool refuse_unnamed(struct response *response, const char *in)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, in, "/user_id", "is required");
	response_violations(response, &violations);
	return false;
}

bool ownership_user(const struct request *request, struct response *response, const char *in,
		    const char *named, const char **ret_user_id)
{
	const struct owner *owner = &request->owner;
	const char *subject = request->principal.subject;

	if (owner->any) {
		if (!named && request->principal.kind != PRINCIPAL_USER)
			return refuse_unnamed(response, in);
		*ret_user_id = named ? named : subject;
		return true;
	}
	if (named && !owner->user_id) {
		refuse_unknown(request, response);
		return false;
	}
	if (named && strcmp(named, owner->user_id) != 0) {
		refuse_user(response);
		return false;
	}
	*ret_user_id = owner->user_id ? owner->user_id : "";
	return true;
}

bool ownership_is_staff(const struct request *request)
{
	return request->owner.any && request->principal.kind == PRINCIPAL_USER;
}

const char *ownership_actor(const struct request *request, char buffer[ACTOR_SIZE])
{
	const struct principal *principal = &request->principal;

	switch (principal->kind) {
	case PRINCIPAL_USER:
		snprintf(buffer, ACTOR_SIZE, "user:%s", principal->subject);
		return buffer;
	case PRINCIPAL_SERVICE:
		snprintf(buffer, ACTOR_SIZE, "service:%s", principal->subject);
		return buffer;
	case PRINCIPAL_NOBODY:
		return principal->cart_secret ? "guest" : NULL;
	default:
		return NULL;
	}
}
