#include "auth/token_fault.h"

static const char *const names[TOKEN_FAULTS] = {
	[TOKEN_FINE] = "fine",
	[TOKEN_TOO_LONG] = "too_long",
	[TOKEN_MALFORMED] = "malformed",
	[TOKEN_HEADER] = "header",
	[TOKEN_ALGORITHM] = "algorithm",
	[TOKEN_TYPE] = "type",
	[TOKEN_UNKNOWN_KEY] = "unknown_key",
	[TOKEN_SIGNATURE] = "signature",
	[TOKEN_CLAIMS] = "claims",
	[TOKEN_ISSUER] = "issuer",
	[TOKEN_AUDIENCE] = "audience",
	[TOKEN_EXPIRED] = "expired",
	[TOKEN_NOT_YET] = "not_yet",
	[TOKEN_SUBJECT] = "subject",
	[TOKEN_NO_KEYS] = "no_keys",
	[TOKEN_NO_MEMORY] = "no_memory",
};

const char *token_fault_name(enum token_fault fault)
{
	return names[fault];
}
