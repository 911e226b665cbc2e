#include "auth/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/base64url.h"

#define ES256_HALF    32
#define ES256_DER_MAX 72 /* two numbers of 33 bytes with two bytes before each, and before both */

static enum token_fault read_header(struct jws *jws, const char *text, size_t length)
{
	char decoded[JWS_LENGTH_MAX * 3 / 4];
	struct json_error error;
	int64_t r = base64url_decode(text, length, decoded);
	if (r >= 0)
		r = json_parse_input(decoded, (size_t)r, &jws->header, &error);
	if (r == -ENOMEM)
		return TOKEN_NO_MEMORY;
	return r == 0 && json_type(jws->header) == JSON_OBJECT ? TOKEN_FINE : TOKEN_MALFORMED;
}

/* A member that is a string, or is not there: then NULL. */
static enum token_fault optional_string(const struct json *object, const char *name,
					const char **ret_string)
{
	const struct json *value = json_get(object, name);
	if (value && json_type(value) != JSON_STRING)
		return TOKEN_MALFORMED;
	*ret_string = value ? json_string(value, NULL) : NULL;
	return TOKEN_FINE;
}

static enum token_fault check_header(struct jws *jws)
{
	static const char *const refused[] = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip"};
	const char *algorithm = NULL;
	enum token_fault fault = optional_string(jws->header, "alg", &algorithm);
	if (!fault)
		fault = optional_string(jws->header, "kid", &jws->kid);
	if (!fault)
		fault = optional_string(jws->header, "typ", &jws->type);
	if (fault)
		return fault;
	if (!algorithm)
		return TOKEN_MALFORMED;
	if (algorithm_find(algorithm, &jws->algorithm) < 0)
		return TOKEN_ALGORITHM;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (json_get(jws->header, refused[i]))
			return TOKEN_HEADER;
	}
	return TOKEN_FINE;
}

static enum token_fault read_parts(struct jws *jws, const char *token, size_t length)
{
	const char *end = token + length;
	const char *first = memchr(token, '.', length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second)
		return TOKEN_MALFORMED;
	const char *signature = second + 1;
	size_t signature_length = (size_t)(end - signature);
	if (signature_length > BASE64URL_LENGTH(JWK_SIGNATURE_MAX))
		return TOKEN_MALFORMED;
	int64_t r = base64url_decode(signature, signature_length, (char *)jws->signature);
	if (r < 0)
		return TOKEN_MALFORMED;
	jws->signature_length = (size_t)r;
	jws->token = token;
	jws->payload_start = (size_t)(first + 1 - token);
	jws->signed_length = (size_t)(second - token);
	enum token_fault fault = read_header(jws, token, (size_t)(first - token));
	return fault ? fault : check_header(jws);
}

enum token_fault jws_read(const char *token, size_t length, struct jws *ret_jws)
{
	struct jws jws = {0};
	if (length > JWS_LENGTH_MAX)
		return TOKEN_TOO_LONG;
	enum token_fault fault = read_parts(&jws, token, length);
	if (fault)
		jws_release(&jws);
	else
		*ret_jws = jws;
	return fault;
}

/* libcrypto wants R and S in DER, the token has 32 bytes of each (RFC 7518 section 3.4). Returns
 * the length, 0 for a signature of another length or without memory. */
static size_t es256_der(const struct jws *jws, unsigned char der[ES256_DER_MAX])
{
	if (jws->signature_length != (size_t)2 * ES256_HALF)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(jws->signature, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(jws->signature + ES256_HALF, ES256_HALF, NULL);
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

/* RFC 7518 section 3.5: the salt is as long as the digest, the mask's digest is the same. */
static bool choose_padding(EVP_PKEY_CTX *parameters, enum algorithm algorithm)
{
	if (algorithm != ALGORITHM_PS256)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) == 1;
}

static bool is_signed(const struct jws *jws, EVP_PKEY *key, const unsigned char *signature,
		      size_t signature_length)
{
	EVP_PKEY_CTX *parameters;
	const EVP_MD *digest = jws->algorithm == ALGORITHM_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool valid = context &&
		     EVP_DigestVerifyInit(context, &parameters, digest, NULL, key) == 1 &&
		     choose_padding(parameters, jws->algorithm) &&
		     EVP_DigestVerify(context, signature, signature_length,
				      (const unsigned char *)jws->token, jws->signed_length) == 1;
	EVP_MD_CTX_free(context);
	return valid;
}

enum token_fault jws_verify(const struct jws *jws, const struct jwk *jwk)
{
	unsigned char der[ES256_DER_MAX];
	const unsigned char *signature = jws->signature;
	size_t length = jws->signature_length;
	if (!(jwk->algorithms & ALGORITHM_BIT(jws->algorithm)))
		return TOKEN_ALGORITHM;
	if (jws->algorithm == ALGORITHM_ES256) {
		signature = der;
		length = es256_der(jws, der);
	}
	if (length > 0 && is_signed(jws, jwk->key, signature, length))
		return TOKEN_FINE;
	bool no_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
	ERR_clear_error(); /* libpq's TLS uses the same queue */
	return no_memory ? TOKEN_NO_MEMORY : TOKEN_SIGNATURE;
}

enum token_fault jws_payload(const struct jws *jws, struct text *out)
{
	size_t length = jws->signed_length - jws->payload_start;
	char *end = text_reserve(out, length);
	if (!end)
		return TOKEN_NO_MEMORY;
	int64_t r = base64url_decode(jws->token + jws->payload_start, length, end);
	if (r < 0)
		return TOKEN_MALFORMED;
	text_commit(out, (size_t)r);
	return TOKEN_FINE;
}

void jws_release(struct jws *jws)
{
	json_free(jws->header);
	*jws = (struct jws){0};
}
