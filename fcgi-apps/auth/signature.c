#include "auth/signature.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define ES256_HALF    32
#define ES256_DER_MAX 72 /* two numbers of 33 bytes with two bytes before each, and before both */

/* RFC 7518 section 3.5: the salt is as long as the digest, the mask's digest is the same. */
static bool choose_padding(EVP_PKEY_CTX *parameters, enum algorithm algorithm)
{
	if (algorithm != ALGORITHM_PS256)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) == 1;
}

EVP_MD_CTX *signature_prepare(enum algorithm algorithm, EVP_PKEY *key)
{
	EVP_PKEY_CTX *parameters;
	const EVP_MD *digest = algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context && EVP_DigestVerifyInit(context, &parameters, digest, NULL, key) == 1 &&
	    choose_padding(parameters, algorithm))
		return context;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return NULL;
}

void signature_free(EVP_MD_CTX *prepared)
{
	EVP_MD_CTX_free(prepared);
}

/* libcrypto wants R and S in DER, the token has 32 bytes of each (RFC 7518 section 3.4). Returns
 * the length, 0 for a signature of another length or without memory. */
static size_t es256_der(const unsigned char *raw, size_t raw_length,
			unsigned char der[ES256_DER_MAX])
{
	if (raw_length != (size_t)2 * ES256_HALF)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
	int length = 0;
	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		length = i2d_ECDSA_SIG(pair, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(pair);
	return length > 0 ? (size_t)length : 0;
}

static bool verify(const EVP_MD_CTX *prepared, const char *data, size_t length,
		   const unsigned char *signature, size_t signature_length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = context && EVP_MD_CTX_copy_ex(context, prepared) == 1 &&
		     EVP_DigestVerify(context, signature, signature_length,
				      (const unsigned char *)data, length) == 1;
	EVP_MD_CTX_free(context);
	return valid;
}

enum token_fault signature_verify(enum algorithm algorithm, const EVP_MD_CTX *prepared,
				  const char *data, size_t length, const unsigned char *signature,
				  size_t signature_length)
{
	unsigned char der[ES256_DER_MAX];
	if (algorithm == ALGORITHM_ES256) {
		signature_length = es256_der(signature, signature_length, der);
		signature = der;
	}
	if (signature_length > 0 && verify(prepared, data, length, signature, signature_length))
		return TOKEN_FINE;
	bool no_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
	ERR_clear_error(); /* libpq's TLS uses the same queue */
	return no_memory ? TOKEN_NO_MEMORY : TOKEN_SIGNATURE;
}
