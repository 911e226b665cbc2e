/*
 * Why a token is refused. The names are labels of a metric (auth_refused_total{reason}) and words
 * of a log line; a client is told invalid_token for all of them (RFC 6750 section 3.1), except for
 * the last two, which are the service's own state: 503. Thread-safe (no state).
 */
#ifndef AUTH_TOKEN_FAULT_H
#define AUTH_TOKEN_FAULT_H

enum token_fault {
	TOKEN_FINE,
	TOKEN_TOO_LONG,
	TOKEN_MALFORMED, /* no compact JWS: its parts, their base64url, the header's JSON */
	TOKEN_HEADER,    /* a header parameter that is never accepted, such as jku or crit */
	TOKEN_ALGORITHM, /* not on the list: none, HS256 */
	TOKEN_TYPE,      /* "typ" says that it is something else */
	TOKEN_UNKNOWN_KEY,
	TOKEN_SIGNATURE,
	TOKEN_CLAIMS, /* the payload is no JSON object, or a claim is missing or of another type */
	TOKEN_ISSUER,
	TOKEN_AUDIENCE,
	TOKEN_EXPIRED,
	TOKEN_NOT_YET, /* nbf or iat lies in the future */
	TOKEN_SUBJECT, /* cannot be the id of a user of this shop */
	TOKEN_NO_KEYS, /* none has been read yet */
	TOKEN_NO_MEMORY,
};

#define TOKEN_FAULTS (TOKEN_NO_MEMORY + 1)

/* "too_long"; "fine" for TOKEN_FINE. */
const char *token_fault_name(enum token_fault fault);

#endif
