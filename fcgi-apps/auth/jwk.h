/*
 * One public key: a JSON Web Key (RFC 7517; RFC 7518 section 6 for RSA and EC, RFC 8037 section 2
 * for Ed25519).
 *
 *	kty  accepted                                   may verify
 *	RSA  2048 to 8192 bits, an odd exponent above 1 RS256, PS256
 *	EC   crv P-256, a point of the curve            ES256
 *	OKP  crv Ed25519                                EdDSA
 *
 * "alg", where there is one, leaves that algorithm only; "use" must be sig, and "key_ops" must
 * contain verify, where they are there. Numbers and coordinates have their one spelling (RFC 7518
 * sections 2 and 6.2.1.2). A key with a private member is refused, since whoever could read it can
 * sign tokens. Certificates (x5c, x5t, x5u) are ignored.
 */
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include "auth/signature.h"
#include "base/json.h"

/* RFC 7638 with SHA-256, in base64url, and its NUL. */
#define JWK_THUMBPRINT_SIZE 44

/* Immutable once read; any number of threads may verify with it. */
struct jwk {
	char *kid;           /* the thumbprint where the key has none */
	unsigned algorithms; /* that it may verify: bits of enum algorithm */
	struct evp_md_ctx_st *verifiers[ALGORITHMS]; /* of those; else NULL */
	char thumbprint[JWK_THUMBPRINT_SIZE];
};

/*
 * Reads a key; jwk_release() it. *reterr_reason is a constant text.
 * -EOPNOTSUPP: a key of another kind or for another purpose; -EINVAL: malformed, too weak, or
 * private; -ENOMEM.
 */
int jwk_read(const struct json *object, struct jwk *ret_jwk, const char **reterr_reason);

void jwk_release(struct jwk *jwk);

#endif
