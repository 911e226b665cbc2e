#include "auth/jwk.h"

#include <openssl/core_names.h>

#include "auth/crypto_error.h"
#include "auth/crypto_library.h"
#include "base/base64url.h"

#define RSA_BYTES_MIN     256
#define RSA_BYTES_MAX     SIGNATURE_MAX
#define EXPONENT_MAX      8 /* bytes: a longer one only makes verifying slow */
#define COORDINATE_LENGTH 32

#define POINT_UNCOMPRESSED 4 /* SEC 1, section 2.3.3 */

/* What is being read, and why it cannot be. */
struct reader {
	const struct json *object;
	const char **reterr_reason;
};

static int refuse(const struct reader *reader, int error, const char *reason)
{
	*reader->reterr_reason = reason;
	return error;
}

/* After a failure of libcrypto. */
static int refuse_by_library(const struct reader *reader, const char *reason)
{
	if (crypto_error_take() == CRYPTO_OTHER)
		return refuse(reader, -EINVAL, reason);
	return refuse(reader, -ENOMEM, "out of memory");
}

/* The bytes of a base64url member of at most size bytes: their number, or 0 if it is none. */
static size_t read_bytes(const struct reader *reader, const char *name, unsigned char *out,
			 size_t size)
{
	const struct json *value = json_get(reader->object, name);
	size_t length;
	if (!value || json_type(value) != JSON_STRING)
		return 0;
	const char *text = json_string(value, &length);
	if (length > BASE64URL_LENGTH(size))
		return 0;
	int64_t r = base64url_decode(text, length, (char *)out);
	return r < 0 ? 0 : (size_t)r;
}

static int make_key(const struct reader *reader, const char *type, OSSL_PARAM *parameters,
		    EVP_PKEY **ret_key)
{
	EVP_PKEY_CTX *context = libcrypto.EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;
	bool made =
		context && libcrypto.EVP_PKEY_fromdata_init(context) == 1 &&
		libcrypto.EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
	libcrypto.EVP_PKEY_CTX_free(context);
	if (!made)
		return refuse_by_library(reader, "the key has impossible values");
	*ret_key = key;
	return 0;
}

/* libcrypto wants a number's bytes in the machine's order. */
static OSSL_PARAM number(const char *name, unsigned char *bytes, size_t length)
{
	for (size_t i = 0; __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && i < length / 2; i++) {
		unsigned char byte = bytes[i];
		bytes[i] = bytes[length - 1 - i];
		bytes[length - 1 - i] = byte;
	}
	return libcrypto.OSSL_PARAM_construct_BN(name, bytes, length);
}

static int read_rsa(const struct reader *reader, EVP_PKEY **ret_key)
{
	unsigned char n[RSA_BYTES_MAX], e[EXPONENT_MAX];
	size_t n_length = read_bytes(reader, "n", n, sizeof(n));
	size_t e_length = read_bytes(reader, "e", e, sizeof(e));
	if (n_length == 0 || n[0] == 0)
		return refuse(reader, -EINVAL, "\"n\" is not a number of at most 8192 bits");
	if (n_length < RSA_BYTES_MIN || (n_length == RSA_BYTES_MIN && n[0] < 0x80))
		return refuse(reader, -EINVAL, "an RSA key of less than 2048 bits");
	if (e_length == 0 || e[0] == 0)
		return refuse(reader, -EINVAL, "\"e\" is not a number of at most 64 bits");
	if (e[e_length - 1] % 2 == 0 || (e_length == 1 && e[0] == 1))
		return refuse(reader, -EINVAL, "\"e\" is even, or 1");
	OSSL_PARAM parameters[] = {
		number(OSSL_PKEY_PARAM_RSA_N, n, n_length),
		number(OSSL_PKEY_PARAM_RSA_E, e, e_length),
		libcrypto.OSSL_PARAM_construct_end(),
	};
	return make_key(reader, "RSA", parameters, ret_key);
}

static int read_ec(const struct reader *reader, EVP_PKEY **ret_key)
{
	unsigned char point[1 + 2 * COORDINATE_LENGTH] = {POINT_UNCOMPRESSED};
	char curve[] = "P-256";
	if (strcmp(json_get_string(reader->object, "crv", ""), curve) != 0)
		return refuse(reader, -EOPNOTSUPP, "a curve other than P-256");
	unsigned char *x = point + 1, *y = x + COORDINATE_LENGTH;
	if (read_bytes(reader, "x", x, COORDINATE_LENGTH) != COORDINATE_LENGTH ||
	    read_bytes(reader, "y", y, COORDINATE_LENGTH) != COORDINATE_LENGTH)
		return refuse(reader, -EINVAL, "\"x\" and \"y\" are not 32 bytes each");
	OSSL_PARAM parameters[] = {
		libcrypto.OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		libcrypto.OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
							    sizeof(point)),
		libcrypto.OSSL_PARAM_construct_end(),
	};
	return make_key(reader, "EC", parameters, ret_key);
}

#define TEN(byte)    byte byte byte byte byte byte byte byte byte byte
#define THIRTY(byte) TEN(byte) TEN(byte) TEN(byte)

/* The points of Ed25519 for which anybody can sign, by their y from its lowest byte: 0, 1 and -1,
 * the first two also with the field's prime added, and two more. */
static const unsigned char small_orders[][COORDINATE_LENGTH] = {
	"\x00" THIRTY("\x00") "\x00",
	"\x01" THIRTY("\x00") "\x00",
	"\xec" THIRTY("\xff") "\x7f",
	"\xed" THIRTY("\xff") "\x7f",
	"\xee" THIRTY("\xff") "\x7f",
	"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
	"\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
	"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
	"\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
};

static bool has_small_order(const unsigned char point[COORDINATE_LENGTH])
{
	unsigned char y[COORDINATE_LENGTH];

	memcpy(y, point, sizeof(y));
	y[COORDINATE_LENGTH - 1] &= 0x7f; /* without the sign of x (RFC 8032 section 5.1.2) */
	for (size_t i = 0; i < ARRAY_SIZE(small_orders); i++) {
		if (memcmp(y, small_orders[i], sizeof(y)) == 0)
			return true;
	}
	return false;
}

static int read_okp(const struct reader *reader, EVP_PKEY **ret_key)
{
	unsigned char x[COORDINATE_LENGTH];
	if (strcmp(json_get_string(reader->object, "crv", ""), "Ed25519") != 0)
		return refuse(reader, -EOPNOTSUPP, "a curve other than Ed25519");
	if (read_bytes(reader, "x", x, sizeof(x)) != sizeof(x))
		return refuse(reader, -EINVAL, "\"x\" is not 32 bytes");
	if (has_small_order(x))
		return refuse(reader, -EINVAL, "the key has impossible values");
	OSSL_PARAM parameters[] = {
		libcrypto.OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, x, sizeof(x)),
		libcrypto.OSSL_PARAM_construct_end(),
	};
	return make_key(reader, "ED25519", parameters, ret_key);
}

static const struct kind {
	const char *kty;
	unsigned algorithms;
	int (*read)(const struct reader *reader, EVP_PKEY **ret_key);
	const char *thumbprint[4]; /* members, in the order of RFC 7638 section 3.2 */
} kinds[] = {
	{"RSA",
	 ALGORITHM_BIT(ALGORITHM_RS256) | ALGORITHM_BIT(ALGORITHM_PS256),
	 read_rsa,
	 {"e", "kty", "n"}},
	{"EC", ALGORITHM_BIT(ALGORITHM_ES256), read_ec, {"crv", "kty", "x", "y"}},
	{"OKP", ALGORITHM_BIT(ALGORITHM_EDDSA), read_okp, {"crv", "kty", "x"}},
};

static const struct kind *find_kind(const struct json *object)
{
	const char *kty = json_get_string(object, "kty", "");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kty, kinds[i].kty) == 0)
			return &kinds[i];
	}
	return NULL;
}

static bool is_private(const struct json *object)
{
	static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (json_get(object, members[i]))
			return true;
	}
	return false;
}

static bool has_string(const struct json *array, const char *wanted)
{
	if (json_type(array) != JSON_ARRAY)
		return false;
	for (size_t i = 0; i < json_length(array); i++) {
		const struct json *element = json_at(array, i);
		if (json_type(element) == JSON_STRING &&
		    strcmp(json_string(element, NULL), wanted) == 0)
			return true;
	}
	return false;
}

/* RFC 7517 sections 4.2 and 4.3. */
static bool is_for_verifying(const struct json *object)
{
	const struct json *operations = json_get(object, "key_ops");
	if (json_get(object, "use") && strcmp(json_get_string(object, "use", ""), "sig") != 0)
		return false;
	return !operations || has_string(operations, "verify");
}

/* Those of its kind, or the one that "alg" names; none if it names another. */
static unsigned algorithms_of(const struct json *object, const struct kind *kind)
{
	enum algorithm algorithm;
	if (!json_get(object, "alg"))
		return kind->algorithms;
	if (algorithm_find(json_get_string(object, "alg", ""), &algorithm) < 0)
		return 0;
	return kind->algorithms & ALGORITHM_BIT(algorithm);
}

/* Numbers, coordinates and names are base64url or constants: nothing needs an escape. */
static int thumbprint(const struct json *object, const struct kind *kind,
		      char out[JWK_THUMBPRINT_SIZE])
{
	struct text input CLEANUP(text_release) = TEXT_INIT(4 * RSA_BYTES_MAX);
	unsigned char digest[SHA256_DIGEST_LENGTH];
	for (size_t i = 0; i < ARRAY_SIZE(kind->thumbprint) && kind->thumbprint[i]; i++)
		text_printf(&input, "%c\"%s\":\"%s\"", i == 0 ? '{' : ',', kind->thumbprint[i],
			    json_get_string(object, kind->thumbprint[i], ""));
	text_append_char(&input, '}');
	if (text_error(&input))
		return text_error(&input);
	if (!libcrypto.SHA256((const unsigned char *)text_string(&input), input.length, digest)) {
		crypto_error_take();
		return -ENOMEM;
	}
	struct text printed = {0};
	text_init_fixed(&printed, out, JWK_THUMBPRINT_SIZE);
	base64url_encode((const char *)digest, sizeof(digest), &printed);
	return text_error(&printed);
}

/* Is the modulus composite, has it no small factor, is the point on the curve? */
static int check_key(const struct reader *reader, EVP_PKEY *key)
{
	EVP_PKEY_CTX *context = libcrypto.EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool valid = context && libcrypto.EVP_PKEY_public_check(context) == 1;
	libcrypto.EVP_PKEY_CTX_free(context);
	return valid ? 0 : refuse_by_library(reader, "the key has impossible values");
}

static int prepare(const struct reader *reader, EVP_PKEY *key, struct jwk *jwk)
{
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		if (!(jwk->algorithms & ALGORITHM_BIT(i)))
			continue;
		jwk->verifiers[i] = signature_prepare(i, key);
		if (!jwk->verifiers[i])
			return refuse(reader, -ENOMEM, "out of memory");
	}
	return 0;
}

static int read_key(const struct reader *reader, const struct kind *kind, struct jwk *jwk)
{
	EVP_PKEY *key = NULL;
	int r = kind->read(reader, &key);
	if (r < 0)
		return r;
	r = check_key(reader, key);
	if (r == 0)
		r = prepare(reader, key, jwk);
	libcrypto.EVP_PKEY_free(key);
	return r;
}

static int read_names(const struct reader *reader, const struct kind *kind, struct jwk *jwk)
{
	const struct json *kid = json_get(reader->object, "kid");
	if (kid && json_type(kid) != JSON_STRING)
		return refuse(reader, -EINVAL, "\"kid\" is not a string");
	int r = thumbprint(reader->object, kind, jwk->thumbprint);
	if (r < 0)
		return refuse(reader, r, "out of memory");
	jwk->kid = strdup(kid ? json_string(kid, NULL) : jwk->thumbprint);
	return jwk->kid ? 0 : refuse(reader, -ENOMEM, "out of memory");
}

int jwk_read(const struct json *object, struct jwk *ret_jwk, const char **reterr_reason)
{
	struct reader reader = {object, reterr_reason};
	const struct kind *kind = find_kind(object);
	if (!kind)
		return refuse(&reader, -EOPNOTSUPP, "\"kty\" is none of RSA, EC and OKP");
	if (is_private(object))
		return refuse(&reader, -EINVAL, "a private key, which must not be published");
	if (!is_for_verifying(object))
		return refuse(&reader, -EOPNOTSUPP, "a key for another purpose than signatures");
	struct jwk jwk = {.algorithms = algorithms_of(object, kind)};
	if (jwk.algorithms == 0)
		return refuse(&reader, -EOPNOTSUPP, "\"alg\" is not supported with this \"kty\"");
	int r = read_key(&reader, kind, &jwk);
	if (r == 0)
		r = read_names(&reader, kind, &jwk);
	if (r < 0) {
		jwk_release(&jwk);
		return r;
	}
	*ret_jwk = jwk;
	return 0;
}

void jwk_release(struct jwk *jwk)
{
	free(jwk->kid);
	for (enum algorithm i = 0; i < ALGORITHMS; i++)
		signature_free(jwk->verifiers[i]);
	*jwk = (struct jwk){0};
}
