#include "auth/authorize.h"

static const struct owner everybody = {.any = true};
static const struct owner no_user = {.user_id = NULL};

static enum verdict grant(struct owner owner, struct owner *ret_owner)
{
	*ret_owner = owner;
	return VERDICT_GRANTED;
}

static enum verdict authorize_user(const struct access_rule *rule,
				   const struct principal *principal, struct owner *ret_owner)
{
	if (rule->scopes & principal->scopes)
		return grant(everybody, ret_owner);
	/* Nobody without a subject owns anything: "" is the user of all guests' carts. */
	if ((rule->callers & ACCESS_CUSTOMER) && principal->subject[0])
		return grant((struct owner){.user_id = principal->subject}, ret_owner);
	if ((rule->callers & ACCESS_GUEST) && principal->cart_secret)
		return grant(no_user, ret_owner);
	return VERDICT_SCOPE;
}

enum verdict authorize(const struct access_rule *rule, const struct principal *principal,
		       struct owner *ret_owner)
{
	if (principal->kind == PRINCIPAL_ALL || (rule->callers & ACCESS_ANYONE))
		return grant(everybody, ret_owner);
	switch (principal->kind) {
	case PRINCIPAL_USER:
		return authorize_user(rule, principal, ret_owner);
	case PRINCIPAL_SERVICE:
		if (rule->callers & ACCESS_SERVICE)
			return grant(everybody, ret_owner);
		return VERDICT_UNKNOWN;
	default:
		if ((rule->callers & ACCESS_NOBODY) ||
		    ((rule->callers & ACCESS_GUEST) && principal->cart_secret))
			return grant(no_user, ret_owner);
		return VERDICT_UNKNOWN;
	}
}

uint64_t authorize_lacking(uint64_t scopes, const struct principal *principal)
{
	switch (principal->kind) {
	case PRINCIPAL_ALL:
		return 0;
	case PRINCIPAL_USER:
		return scopes & ~principal->scopes;
	default:
		return scopes;
	}
}
