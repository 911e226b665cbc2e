/*
 * The claims of an access token: JSON Web Token (RFC 7519) with the profile of RFC 9068 and the
 * advice of RFC 8725.
 *
 *	claim              rule
 *	iss                must be the issuer, byte by byte
 *	aud                must be the audience, or an array of strings with it
 *	exp                must be there; the token is valid before it
 *	nbf, iat           where they are there, must not lie in the future
 *	sub                must be there, and be a user_id (below)
 *	client_id, or azp  only for the log, which goes without one that is not likewise, or not of
 *	                   less than PRINCIPAL_CLIENT_SIZE bytes
 *
 * A user_id is 1 to JWT_SUBJECT_MAX characters of the format text-line. It must be in its normal
 * form (contract/schema_text.h), so that no two subjects are one user.
 *
 * Scopes are read where JSON Pointers say: a string with spaces between them ("scope", RFC 8693
 * section 4.2, RFC 6749 section 3.3) or an array of strings, such as roles (RFC 9068 section
 * 2.2.3.1). Only those that the shop knows are kept; "admin" stands for all of them. A value of
 * another type, or such a member of an array, gives none: providers put objects and null there, and
 * what is not understood is ignored (RFC 7519 section 4).
 *
 * Times are NumericDates: seconds, fractions allowed, cut to microseconds. The skew is granted at
 * both ends. Duplicate claims are refused. Thread-safe (no state).
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "auth/principal.h"
#include "auth/token_fault.h"

/* As OpenID Connect Core section 2 allows. */
#define JWT_SUBJECT_MAX 255
#define JWT_SCOPE_ADMIN "admin"

/* The texts are the caller's, and outlive all that uses the rules. */
struct jwt_rules {
	const char *issuer;
	const char *audience;
	int64_t skew;                /* microseconds, 0 to a day */
	const char *const *pointers; /* where scopes stand, each valid; ends with NULL */
	const char *const *scopes;   /* known ones, by number, at most 64; ends with NULL. NULL
				      * where there are no pointers */
};

/* Whether a token with that "typ" (NULL: none) may be an access token: at+jwt (RFC 9068 section 4)
 * or JWT, with or without "application/", in any case (RFC 7515 section 4.1.9). */
bool jwt_is_access_token(const char *type);

/*
 * Checks the payload of a token whose signature is good; now in microseconds since 1970. Fills the
 * principal, a PRINCIPAL_USER without a cart's secret, and the time at which the token expires,
 * skew included. TOKEN_CLAIMS, TOKEN_ISSUER, TOKEN_AUDIENCE, TOKEN_EXPIRED, TOKEN_NOT_YET,
 * TOKEN_SUBJECT, TOKEN_NO_MEMORY.
 */
enum token_fault jwt_read(const struct jwt_rules *rules, const char *payload, size_t length,
			  int64_t now, struct principal *ret_principal, int64_t *ret_expires);

#endif
