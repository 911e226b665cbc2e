#include "responder/refusal.h"

#include <inttypes.h>

#include "base/clock.h"
#include "responder/service.h"

#define CHALLENGE  "Bearer realm=\"shop\""
#define NAMES_SIZE 1024

static void refuse(struct response *response, int status, const char *code, const char *detail)
{
	response_problem(response, status, code, "%s", detail);
}

void refuse_unknown(struct response *response)
{
	refuse(response, 401, "unauthorized", "This needs a token");
	response_header(response, "WWW-Authenticate", CHALLENGE);
}

void refuse_bad_token(struct response *response)
{
	refuse(response, 401, "invalid-token", "The token is not valid here, or not any more");
	response_header(response, "WWW-Authenticate", CHALLENGE ", error=\"invalid_token\"");
}

static void write_names(const struct contract *contract, uint64_t scopes, char names[NAMES_SIZE])
{
	const char *const *known = contract_scopes(contract);
	size_t length = 0;

	names[0] = '\0';
	for (size_t i = 0; known[i] && length < NAMES_SIZE; i++) {
		if (scopes >> i & 1)
			length += (size_t)snprintf(names + length, NAMES_SIZE - length, "%s%s",
						   length ? " " : "", known[i]);
	}
}

void refuse_scopes(const struct request *request, struct response *response, uint64_t scopes)
{
	char names[NAMES_SIZE];

	write_names(request->runtime->contract, scopes, names);
	response_problem(response, 403, "insufficient-scope", "This needs the scope %s", names);
	response_header(response, "WWW-Authenticate",
			CHALLENGE ", error=\"insufficient_scope\", scope=\"%s\"", names);
}

void refuse_user(struct response *response)
{
	refuse(response, 403, "forbidden", "The user_id is another user's");
}

void refuse_caller(struct response *response)
{
	refuse(response, 403, "forbidden", "This is not for the service that asks");
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
