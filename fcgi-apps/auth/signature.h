/*
 * Signatures over libcrypto: RSASSA-PKCS1-v1_5 and RSASSA-PSS with SHA-256, ECDSA with P-256 and
 * SHA-256, Ed25519 (RFC 7518 section 3, RFC 8037 section 3.1). A key is prepared once for an
 * algorithm; libcrypto takes 5 µs and several locks to find its own functions.
 */
#ifndef AUTH_SIGNATURE_H
#define AUTH_SIGNATURE_H

#include "auth/algorithm.h"
#include "auth/token_fault.h"

#define SIGNATURE_MAX 1024 /* bytes: an RSA key of 8192 bits */

/* libcrypto's EVP_PKEY and EVP_MD_CTX. */
struct evp_pkey_st;
struct evp_md_ctx_st;

/* The key, ready to verify by an algorithm that is for its type; signature_free() it. It never
 * changes: any number of threads may use it. NULL when out of memory. */
struct evp_md_ctx_st *signature_prepare(enum algorithm algorithm, struct evp_pkey_st *key);
void signature_free(struct evp_md_ctx_st *prepared);

/* TOKEN_SIGNATURE if the key did not make it, as the algorithm says; TOKEN_NO_MEMORY, as far as
 * libcrypto tells. */
enum token_fault signature_verify(enum algorithm algorithm, const struct evp_md_ctx_st *prepared,
				  const char *data, size_t length, const unsigned char *signature,
				  size_t signature_length);

#endif
