/* Keys of tests' own, and what a provider does with them: publish and sign. Used by unit tests,
 * fuzz targets and the benchmark. */
#ifndef TOKENS_H
#define TOKENS_H

#include <assert.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "auth/algorithm.h"
#include "auth/crypto.h"
#include "base/base64url.h"
#include "base/text.h"

#define TOKEN_MAX  100000
#define ES256_HALF 32

/* auth/ is ready before main() begins. */
__attribute__((constructor)) static void load_crypto(void)
{
	char reason[LIBRARY_REASON_SIZE];
	int r = crypto_load(reason);
	assert(r == 0);
}

static inline const char *algorithm_name(enum algorithm algorithm)
{
	static const char *const names[ALGORITHMS] = {"RS256", "PS256", "ES256", "EdDSA"};
	return names[algorithm];
}

static inline EVP_PKEY *key_make(enum algorithm algorithm)
{
	EVP_PKEY *key;
	if (algorithm == ALGORITHM_ES256)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else if (algorithm == ALGORITHM_EDDSA)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	assert(key);
	return key;
}

static inline void append_base64url(struct text *out, const void *data, size_t length)
{
	base64url_encode(data, length, out);
	assert(text_error(out) == 0);
}

/* Appends ,"name":"base64url of a number of that many bytes", or of as few as it needs for 0. */
static inline void append_number(struct text *out, EVP_PKEY *key, const char *parameter,
				 const char *name, int length)
{
	unsigned char bytes[1024];
	BIGNUM *number = NULL;
	int got = EVP_PKEY_get_bn_param(key, parameter, &number);
	assert(got == 1);
	length = BN_bn2binpad(number, bytes, length ? length : BN_num_bytes(number));
	assert(length > 0);
	BN_free(number);
	text_printf(out, ",\"%s\":\"", name);
	append_base64url(out, bytes, (size_t)length);
	text_append_char(out, '"');
}

/* Appends the public key as a JWK; more are further members, such as ,"kid":"1". */
static inline void append_jwk(struct text *out, EVP_PKEY *key, const char *more)
{
	if (EVP_PKEY_is_a(key, "RSA")) {
		text_append_string(out, "{\"kty\":\"RSA\"");
		append_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
		append_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
	} else if (EVP_PKEY_is_a(key, "EC")) {
		text_append_string(out, "{\"kty\":\"EC\",\"crv\":\"P-256\"");
		append_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", ES256_HALF);
		append_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", ES256_HALF);
	} else {
		unsigned char x[32];
		size_t length = sizeof(x);
		int got = EVP_PKEY_get_raw_public_key(key, x, &length);
		assert(got == 1);
		text_append_string(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		append_base64url(out, x, length);
		text_append_char(out, '"');
	}
	text_printf(out, "%s}", more);
	assert(text_error(out) == 0);
}

/* Turns libcrypto's DER into R and S; returns the length. */
static inline size_t es256_raw(unsigned char *signature, size_t length)
{
	const unsigned char *der = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
	assert(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, ES256_HALF);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + ES256_HALF, ES256_HALF);
	ECDSA_SIG_free(pair);
	return (size_t)2 * ES256_HALF;
}

/* Salt lengths other than the digest's are what tests refuse. */
static inline size_t sign_bytes(EVP_PKEY *key, enum algorithm algorithm, int salt,
				const struct text *input, unsigned char *out, size_t size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	const EVP_MD *digest = algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
	int done = EVP_DigestSignInit(context, &parameters, digest, NULL, key);
	assert(done == 1);
	if (algorithm == ALGORITHM_PS256) {
		EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt);
	}
	done = EVP_DigestSign(context, out, &size, (const unsigned char *)text_string(input),
			      input->length);
	assert(done == 1);
	EVP_MD_CTX_free(context);
	return algorithm == ALGORITHM_ES256 ? es256_raw(out, size) : size;
}

/* Appends the compact JWS of any header and payload. */
static inline void append_token(struct text *out, EVP_PKEY *key, enum algorithm algorithm,
				const char *header, const char *payload)
{
	unsigned char signature[1024];
	struct text input CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	append_base64url(&input, header, strlen(header));
	text_append_char(&input, '.');
	append_base64url(&input, payload, strlen(payload));
	size_t length = sign_bytes(key, algorithm, RSA_PSS_SALTLEN_DIGEST, &input, signature,
				   sizeof(signature));
	text_printf(out, "%s.", text_string(&input));
	append_base64url(out, signature, length);
}

#endif
