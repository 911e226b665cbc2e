#include "responder/sign_in.h"

#include "auth/discovery.h"
#include "base/config.h"

/* Up to where the path begins. */
static size_t origin_length(const char *url)
{
	size_t host = strcspn(url, ":") + strlen("://");

	return host + strcspn(url + host, "/");
}

void sign_in_read(struct sign_in *ret_sign_in)
{
	struct sign_in sign_in = {.client = config_text("AUTH_DOCS_CLIENT", NULL)};

	if (sign_in.client) {
		sign_in.issuer = config_text("AUTH_ISSUER", "");
		sign_in.audience = config_text("AUTH_AUDIENCE", "");
		if (!discovery_is_issuer(sign_in.issuer))
			config_reject("AUTH_ISSUER", sign_in.issuer,
				      "an https:// address without a query, since people sign in "
				      "there at /docs (AUTH_DOCS_CLIENT)");
		else
			sign_in.origin = origin_length(sign_in.issuer);
	}
	*ret_sign_in = sign_in;
}
