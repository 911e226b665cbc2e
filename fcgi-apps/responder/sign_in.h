/*
 * How people sign in at /docs: by the provider's client AUTH_DOCS_CLIENT, where it is set, and the
 * authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636), which the page itself runs.
 * The worker only tells it whom to ask.
 */
#ifndef RESPONDER_SIGN_IN_H
#define RESPONDER_SIGN_IN_H

#include "base/base.h"

struct sign_in {
	const char *client; /* NULL: nobody can, and nothing else is set */
	const char *issuer;
	const char *audience;
	size_t origin; /* length of the issuer's origin: of "https://id.example" */
};

/* Reads the settings; a bad one is reported (base/config.h). */
void sign_in_read(struct sign_in *ret_sign_in);

#endif
