#include "auth/signature.h"

#include "auth/crypto_error.h"
#include "auth/crypto_library.h"

#define ES256_HALF    32
#define ES256_DER_MAX 72 /* two numbers of 33 bytes with two bytes before each, and before both */

/* RFC 7518 section 3.5: the salt is as long as the digest, the mask's digest is the same. */
static bool choose_padding(EVP_PKEY_CTX *parameters, enum algorithm algorithm)
{
	if (algorithm != ALGORITHM_PS256)
		return true;
	return libcrypto.EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
	       libcrypto.EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) ==
		       1 &&
	       libcrypto.EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, libcrypto.EVP_sha256()) == 1;
}

EVP_MD_CTX *signature_prepare(enum algorithm algorithm, EVP_PKEY *key)
{
	EVP_PKEY_CTX *parameters;
	const EVP_MD *digest = algorithm == ALGORITHM_EDDSA ? NULL : libcrypto.EVP_sha256();
	EVP_MD_CTX *context = libcrypto.EVP_MD_CTX_new();
	if (context &&
	    libcrypto.EVP_DigestVerifyInit(context, &parameters, digest, NULL, key) == 1 &&
	    choose_padding(parameters, algorithm))
		return context;
	libcrypto.EVP_MD_CTX_free(context);
	crypto_error_take();
	return NULL;
}

void signature_free(EVP_MD_CTX *prepared)
{
	libcrypto.EVP_MD_CTX_free(prepared);
}

/* libcrypto wants R and S in DER, the token has 32 bytes of each (RFC 7518 section 3.4). */
static enum token_fault make_der(const unsigned char *raw, size_t raw_length,
				 unsigned char der[ES256_DER_MAX], size_t *ret_length)
{
	if (raw_length != (size_t)2 * ES256_HALF)
		return TOKEN_SIGNATURE;
	ECDSA_SIG *pair = libcrypto.ECDSA_SIG_new();
	BIGNUM *r = libcrypto.BN_bin2bn(raw, ES256_HALF, NULL);
	BIGNUM *s = libcrypto.BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
	int length = 0;
	if (pair && r && s && libcrypto.ECDSA_SIG_set0(pair, r, s) == 1) {
		length = libcrypto.i2d_ECDSA_SIG(pair, &der);
	} else {
		libcrypto.BN_free(r);
		libcrypto.BN_free(s);
	}
	libcrypto.ECDSA_SIG_free(pair);
	if (length <= 0)
		return TOKEN_NO_MEMORY;
	*ret_length = (size_t)length;
	return TOKEN_FINE;
}

static enum token_fault verify(const EVP_MD_CTX *prepared, const char *data, size_t length,
			       const unsigned char *signature, size_t signature_length)
{
	EVP_MD_CTX *context = libcrypto.EVP_MD_CTX_new();
	enum token_fault fault = TOKEN_NO_MEMORY;
	if (context && libcrypto.EVP_MD_CTX_copy_ex(context, prepared) == 1) {
		/* It verifies once: libcrypto needs no further copy of it. */
		libcrypto.EVP_MD_CTX_set_flags(context, EVP_MD_CTX_FLAG_FINALISE);
		int valid = libcrypto.EVP_DigestVerify(context, signature, signature_length,
						       (const unsigned char *)data, length);
		fault = valid == 1 ? TOKEN_FINE : TOKEN_SIGNATURE;
	}
	libcrypto.EVP_MD_CTX_free(context);
	return fault;
}

enum token_fault signature_verify(enum algorithm algorithm, const EVP_MD_CTX *prepared,
				  const char *data, size_t length, const unsigned char *signature,
				  size_t signature_length)
{
	unsigned char der[ES256_DER_MAX];
	enum token_fault fault = TOKEN_FINE;
	if (algorithm == ALGORITHM_ES256) {
		fault = make_der(signature, signature_length, der, &signature_length);
		signature = der;
	}
	if (!fault)
		fault = verify(prepared, data, length, signature, signature_length);
	if (fault && crypto_error_take() == CRYPTO_NO_MEMORY)
		return TOKEN_NO_MEMORY;
	return fault;
}
