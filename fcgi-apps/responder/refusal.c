#include "responder/refusal.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "responder/service.h"

#define CHALLENGE "Bearer realm=\"shop\""
#define NAMES_MAX 1024

static void refuse(struct response *response, int status, const char *code, const char *detail)
{
	response_problem(response, status, code, "%s", detail);
}

void refuse_unknown(const struct request *request, struct response *response)
{
	bool secret_helps =
		(request->operation->access.callers & ACCESS_GUEST) && !request->cart_secret;

	refuse(response, 401, "unauthorized",
	       secret_helps ? "This needs a token, or the cart's secret as Cart-Secret"
			    : "This needs a token");
	response_header(response, "WWW-Authenticate", CHALLENGE);
}

void refuse_bad_token(struct response *response)
{
	refuse(response, 401, "invalid-token", "The token is not valid here, or not any more");
	response_header(response, "WWW-Authenticate", CHALLENGE ", error=\"invalid_token\"");
}

static void append_scopes(struct text *out, const struct request *request, uint64_t scopes)
{
	const char *const *known = contract_scopes(request->runtime->contract);

	for (size_t i = 0; known[i]; i++) {
		if (scopes >> i & 1)
			text_printf(out, "%s%s", out->length > 0 ? " " : "", known[i]);
	}
}

void refuse_scopes(const struct request *request, struct response *response, uint64_t scopes)
{
	struct text names CLEANUP(text_release) = TEXT_INIT(NAMES_MAX);
	struct text given CLEANUP(text_release) = TEXT_INIT(NAMES_MAX);

	append_scopes(&names, request, scopes);
	append_scopes(&given, request, request->principal.scopes);
	log_write(LOG_DEBUG, "a token's scopes do not suffice",
		  log_text("user.roles", text_string(&given)));
	response_problem(response, 403, "insufficient-scope", "This needs the scope %s",
			 text_string(&names));
	response_header(response, "WWW-Authenticate",
			CHALLENGE ", error=\"insufficient_scope\", scope=\"%s\"",
			text_string(&names));
}

void refuse_user(struct response *response)
{
	refuse(response, 403, "forbidden", "The user_id is another user's");
}

void refuse_caller(struct response *response)
{
	refuse(response, 403, "forbidden", "This operation is not for the service that calls it");
}

void refuse_too_many(struct response *response, int64_t wait)
{
	refuse(response, 429, "too-many-requests", "Too many requests of this user: slow down");
	response_header(response, "Retry-After", "%" PRId64,
			(wait + CLOCK_SECOND - 1) / CLOCK_SECOND);
}

void refuse_without_keys(struct response *response)
{
	refuse(response, 503, "unavailable", "Tokens cannot be checked at the moment");
	response_header(response, "Retry-After", "1");
}
