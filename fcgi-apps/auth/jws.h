/*
 * A signed token before anybody has looked into it: JSON Web Signature, compact serialisation (RFC
 * 7515 section 7.1), with the restrictions of RFC 8725.
 *
 * The header may name a key of ours by "kid", and nothing else about keys: jku, x5u, x5c and jwk
 * are refused, as are crit, b64 and zip, since what they ask for is not supported. x5t is ignored.
 * Duplicate members are refused; unknown ones are ignored.
 *
 *	struct jws jws CLEANUP(jws_release) = {0};
 *	enum token_fault fault = jws_read(token, length, &jws);
 *	…
 *	fault = jws_verify(&jws, jwk);
 *	if (!fault)
 *		fault = jws_payload(&jws, &payload);
 *
 * Thread-safe (no state).
 */
#ifndef AUTH_JWS_H
#define AUTH_JWS_H

#include "auth/algorithm.h"
#include "auth/jwk.h"
#include "auth/token_fault.h"

#define JWS_LENGTH_MAX 8192
/* Of it the header, which is parsed before anybody knows who made it: a token with thousands of
 * members there costs three times what a forged signature does. */
#define JWS_HEADER_MAX 1024

struct jws {
	enum algorithm algorithm;
	const char *kid;  /* NULL without one; owned by the header */
	const char *type; /* "typ", likewise */
	/* The rest is private. The token's text is the caller's. */
	struct json *header;
	const char *token;
	size_t signed_length; /* header, dot, payload */
	size_t payload_start;
	unsigned char signature[SIGNATURE_MAX];
	size_t signature_length;
};

/* Reads the token, which must outlive ret_jws: TOKEN_TOO_LONG, TOKEN_MALFORMED, TOKEN_HEADER,
 * TOKEN_ALGORITHM, TOKEN_NO_MEMORY. */
enum token_fault jws_read(const char *token, size_t length, struct jws *ret_jws);

/* Whether the key made the signature: TOKEN_ALGORITHM if the key is not for the token's algorithm,
 * TOKEN_SIGNATURE, TOKEN_NO_MEMORY. */
enum token_fault jws_verify(const struct jws *jws, const struct jwk *jwk);

/* Appends the decoded payload, which is shorter than the token: TOKEN_MALFORMED, TOKEN_NO_MEMORY.
 */
enum token_fault jws_payload(const struct jws *jws, struct text *out);

void jws_release(struct jws *jws);

#endif
