/*
 * OpenSSL's libcrypto, loaded where AUTH=jwt: it takes 1.5 MB of resident memory, which a worker
 * with AUTH=off does not need. The types come from its own headers, so calls through this table are
 * checked like direct ones.
 */
#ifndef AUTH_CRYPTO_LIBRARY_H
#define AUTH_CRYPTO_LIBRARY_H

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#define LIBCRYPTO_FUNCTIONS(X)                                                                     \
	X(BN_bin2bn)                                                                               \
	X(BN_free)                                                                                 \
	X(CRYPTO_memcmp)                                                                           \
	X(ECDSA_SIG_free)                                                                          \
	X(ECDSA_SIG_new)                                                                           \
	X(ECDSA_SIG_set0)                                                                          \
	X(ERR_get_error)                                                                           \
	X(EVP_DigestVerify)                                                                        \
	X(EVP_DigestVerifyInit)                                                                    \
	X(EVP_MD_CTX_copy_ex)                                                                      \
	X(EVP_MD_CTX_free)                                                                         \
	X(EVP_MD_CTX_new)                                                                          \
	X(EVP_MD_CTX_set_flags)                                                                    \
	X(EVP_PKEY_CTX_free)                                                                       \
	X(EVP_PKEY_CTX_new_from_name)                                                              \
	X(EVP_PKEY_CTX_new_from_pkey)                                                              \
	X(EVP_PKEY_CTX_set_rsa_mgf1_md)                                                            \
	X(EVP_PKEY_CTX_set_rsa_padding)                                                            \
	X(EVP_PKEY_CTX_set_rsa_pss_saltlen)                                                        \
	X(EVP_PKEY_free)                                                                           \
	X(EVP_PKEY_fromdata)                                                                       \
	X(EVP_PKEY_fromdata_init)                                                                  \
	X(EVP_PKEY_public_check)                                                                   \
	X(EVP_sha256)                                                                              \
	X(HMAC)                                                                                    \
	X(OSSL_PARAM_construct_BN)                                                                 \
	X(OSSL_PARAM_construct_end)                                                                \
	X(OSSL_PARAM_construct_octet_string)                                                       \
	X(OSSL_PARAM_construct_utf8_string)                                                        \
	X(SHA256)                                                                                  \
	X(i2d_ECDSA_SIG)

#define LIBCRYPTO_MEMBER(function) __typeof__(function) *function;
struct libcrypto {
	LIBCRYPTO_FUNCTIONS(LIBCRYPTO_MEMBER)
};
#undef LIBCRYPTO_MEMBER

/* Filled by crypto_load(). */
extern struct libcrypto libcrypto;

#endif
