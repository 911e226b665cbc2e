/* auth/jwk.h and auth/jwks.h: which keys are taken, what for, and which one a token means. */
#include "auth/jwks.h"

#include "tokens.h"
#include "unit.h"

/* RFC 7515 appendix A.2.1, also RFC 7638 section 3.1; A.3.1; RFC 8037 appendix A.2. */
#define RSA_N                                                                                      \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSo"    \
	"c_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YG"    \
	"jQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt"    \
	"-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define EC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define OKP_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RSA   "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""
#define EC    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define OKP   "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\""
/* RFC 7515 appendix A.3.1's point with the last bit of y turned; P-256's p. */
#define EC_OFF                                                                                     \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X                                          \
	"\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\""
#define P_256 "_____wAAAAEAAAAAAAAAAAAAAAD_______________8"

#define RS256 ALGORITHM_BIT(ALGORITHM_RS256)
#define PS256 ALGORITHM_BIT(ALGORITHM_PS256)
#define ES256 ALGORITHM_BIT(ALGORITHM_ES256)
#define EDDSA ALGORITHM_BIT(ALGORITHM_EDDSA)

static int read_jwk(const char *text, struct jwk *ret_jwk, const char **reterr_reason)
{
	struct json *value CLEANUP(json_free_p) = NULL;
	struct json_error error;
	ck_assert_int_eq(json_parse(text, strlen(text), 8, &value, &error), 0);
	return jwk_read(value, ret_jwk, reterr_reason);
}

static const struct {
	const char *text;
	unsigned algorithms;
	const char *thumbprint;
} good[] = {
	{RSA ",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}", RS256,
	 "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},                 /* RFC 7638 section 3.1 */
	{OKP "}", EDDSA, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}, /* RFC 8037 A.3 */
	{RSA "}", RS256 | PS256, NULL},
	{RSA ",\"alg\":\"PS256\",\"use\":\"sig\"}", PS256, NULL},
	{EC "}", ES256, NULL},
	{EC ",\"alg\":\"ES256\",\"key_ops\":[\"sign\",\"verify\"]}", ES256, NULL},
	{OKP ",\"alg\":\"EdDSA\",\"x5c\":[1],\"x5t\":null,\"ext\":true}", EDDSA, NULL},
};

START_TEST(keys_that_can_be_used)
{
	struct jwk jwk = {0};
	const char *reason = NULL;
	ck_assert_msg(read_jwk(good[_i].text, &jwk, &reason) == 0, "%s", reason);
	ck_assert_uint_eq(jwk.algorithms, good[_i].algorithms);
	if (good[_i].thumbprint)
		ck_assert_str_eq(jwk.thumbprint, good[_i].thumbprint);
	if (!strstr(good[_i].text, "\"kid\""))
		ck_assert_str_eq(jwk.kid, jwk.thumbprint);
	jwk_release(&jwk);
}
END_TEST

static const struct {
	const char *text;
	int error;
	const char *reason;
} bad[] = {
	{"[]", -EOPNOTSUPP, "kty"},
	{"{}", -EOPNOTSUPP, "kty"},
	{"{\"kty\":1}", -EOPNOTSUPP, "kty"},
	{"{\"kty\":\"rsa\"}", -EOPNOTSUPP, "kty"},
	{"{\"kty\":\"oct\",\"k\":\"AAAA\"}", -EOPNOTSUPP, "kty"},
	{RSA ",\"d\":\"AQAB\"}", -EINVAL, "private"},
	{OKP ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", -EINVAL, "private"},
	{RSA ",\"use\":\"enc\"}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"use\":1}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"use\":null}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"key_ops\":[\"sign\"]}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"key_ops\":[1,[]]}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"key_ops\":\"verify\"}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"use\":\"enc\",\"key_ops\":[\"verify\"]}", -EOPNOTSUPP, "purpose"},
	{RSA ",\"alg\":\"RS384\"}", -EOPNOTSUPP, "alg"},
	{RSA ",\"alg\":\"ES256\"}", -EOPNOTSUPP, "alg"},
	{RSA ",\"alg\":\"none\"}", -EOPNOTSUPP, "alg"},
	{RSA ",\"alg\":[\"RS256\"]}", -EOPNOTSUPP, "alg"},
	{EC ",\"alg\":\"EdDSA\"}", -EOPNOTSUPP, "alg"},
	{RSA ",\"kid\":7}", -EINVAL, "kid"},
	{"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", -EINVAL, "\"n\""},
	{"{\"kty\":\"RSA\",\"n\":[],\"e\":\"AQAB\"}", -EINVAL, "\"n\""},
	{"{\"kty\":\"RSA\",\"n\":\"AA" RSA_N "\",\"e\":\"AQAB\"}", -EINVAL, "\"n\""},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "=\",\"e\":\"AQAB\"}", -EINVAL, "\"n\""},
	{"{\"kty\":\"RSA\",\"n\":\"sXchDaQ\",\"e\":\"AQAB\"}", -EINVAL, "2048"},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}", -EINVAL, "\"e\""},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", -EINVAL, "\"e\""},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAC\"}", -EINVAL, "\"e\""},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AAEAAQ\"}", -EINVAL, "\"e\""},
	{"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAAAAAAAAAB\"}", -EINVAL, "\"e\""},
	{EC_OFF "}", -EINVAL, "impossible"},
	{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P_256 "\",\"y\":\"" EC_Y "\"}", -EINVAL,
	 "impossible"},
	{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", -EINVAL, "32 bytes"},
	{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"AAAA\"}", -EINVAL,
	 "32 bytes"},
	{"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", -EOPNOTSUPP,
	 "curve"},
	{"{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", -EOPNOTSUPP, "curve"},
	{"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" OKP_X "\"}", -EOPNOTSUPP, "curve"},
	{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", -EINVAL, "32 bytes"},
	{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "AA\"}", -EINVAL, "32 bytes"},
};

START_TEST(keys_that_cannot)
{
	struct jwk jwk = {0};
	const char *reason = "none given";
	ck_assert_int_eq(read_jwk(bad[_i].text, &jwk, &reason), bad[_i].error);
	ck_assert_msg(strstr(reason, bad[_i].reason), "%s", reason);
	ck_assert_ptr_null(jwk.kid);
}
END_TEST

/* Each y of a point of order 1, 2, 4 or 8 that 255 bits can hold, with both signs of x: 0, 1, the
 * prime less 1, the prime, the prime and 1, and the two of order 8. */
static const char *const anybodys[] = {
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
	"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA",
	"7P_______________________________________38",
	"7P________________________________________8",
	"7f_______________________________________38",
	"7f________________________________________8",
	"7v_______________________________________38",
	"7v________________________________________8",
	"JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
	"JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU",
	"xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
	"xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA_o",
};

START_TEST(a_point_for_which_anybody_signs)
{
	struct jwk jwk = {0};
	const char *reason = "none given";
	char text[128];
	snprintf(text, sizeof(text), "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}",
		 anybodys[_i]);
	ck_assert_int_eq(read_jwk(text, &jwk, &reason), -EINVAL);
	ck_assert_msg(strstr(reason, "impossible"), "%s", reason);
}
END_TEST

/* 2048 bits, but 3 divides it. */
START_TEST(a_modulus_with_a_small_factor)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	unsigned char n[256];
	struct jwk jwk = {0};
	const char *reason = NULL;
	memset(n, 0xFF, sizeof(n));
	text_append_string(&text, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
	append_base64url(&text, n, sizeof(n));
	text_append_string(&text, "\"}");
	ck_assert_int_eq(read_jwk(text_string(&text), &jwk, &reason), -EINVAL);
	ck_assert_msg(strstr(reason, "impossible"), "%s", reason);
}
END_TEST

static struct jwks *read_set(const char *text)
{
	struct jwks *jwks = NULL;
	char reason[JWKS_REASON_SIZE];
	int r = jwks_read(text, strlen(text), &jwks, reason);
	ck_assert_msg(r == 0, "%s", reason);
	return jwks;
}

START_TEST(the_key_that_a_token_means)
{
	struct jwks *jwks CLEANUP(jwks_free_p) =
		read_set("{\"keys\":[" RSA ",\"kid\":\"a\"}," EC ",\"kid\":\"a\"}," EC
			 ",\"kid\":\"b\"},{\"kty\":\"oct\"},7]}");
	ck_assert_uint_eq(jwks_count(jwks), 3);
	const struct jwk *found = jwks_find(jwks, "a", ALGORITHM_PS256);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found->algorithms, RS256 | PS256);
	ck_assert_ptr_eq(jwks_find(jwks, NULL, ALGORITHM_RS256), found);
	found = jwks_find(jwks, "a", ALGORITHM_ES256);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found->algorithms, ES256);
	ck_assert_ptr_nonnull(jwks_find(jwks, "b", ALGORITHM_ES256));
	ck_assert_ptr_null(jwks_find(jwks, NULL, ALGORITHM_ES256)); /* which of the two? */
	ck_assert_ptr_null(jwks_find(jwks, "b", ALGORITHM_RS256));
	ck_assert_ptr_null(jwks_find(jwks, "c", ALGORITHM_RS256));
	ck_assert_ptr_null(jwks_find(jwks, "", ALGORITHM_RS256));
	ck_assert_ptr_null(jwks_find(jwks, NULL, ALGORITHM_EDDSA));
}
END_TEST

START_TEST(the_first_of_two_with_one_name)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	EVP_PKEY *other = key_make(ALGORITHM_ES256);
	text_append_string(&text, "{\"keys\":[" EC ",\"kid\":\"a\"},");
	append_jwk(&text, other, ",\"kid\":\"a\"");
	text_append_string(&text, "]}");
	struct jwks *jwks CLEANUP(jwks_free_p) = read_set(text_string(&text));
	struct jwks *first CLEANUP(jwks_free_p) = read_set("{\"keys\":[" EC ",\"kid\":\"a\"}]}");
	ck_assert_uint_eq(jwks_count(jwks), 1);
	ck_assert(jwks_equal(jwks, first));
	EVP_PKEY_free(other);
}
END_TEST

START_TEST(a_key_without_a_name_has_its_thumbprint)
{
	struct jwks *jwks CLEANUP(jwks_free_p) = read_set("{\"keys\":[" OKP "}]}");
	ck_assert_ptr_nonnull(
		jwks_find(jwks, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", ALGORITHM_EDDSA));
	ck_assert_ptr_nonnull(jwks_find(jwks, NULL, ALGORITHM_EDDSA));
	ck_assert_ptr_null(jwks_find(jwks, OKP_X, ALGORITHM_EDDSA));
}
END_TEST

START_TEST(equal_sets)
{
	static const char *const sets[] = {
		"{\"keys\":[" RSA ",\"kid\":\"a\"}]}",
		"{\"keys\":[" RSA ",\"kid\":\"b\"}]}",
		"{\"keys\":[" RSA ",\"kid\":\"a\",\"alg\":\"RS256\"}]}",
		"{\"keys\":[" EC ",\"kid\":\"a\"}]}",
		"{\"keys\":[" RSA ",\"kid\":\"a\"}," EC ",\"kid\":\"a\"}]}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(sets); j++) {
			struct jwks *a CLEANUP(jwks_free_p) = read_set(sets[i]);
			struct jwks *b CLEANUP(jwks_free_p) = read_set(sets[j]);
			ck_assert_int_eq(jwks_equal(a, b), i == j);
		}
	}
}
END_TEST

static const struct {
	const char *text;
	const char *reason;
} bad_sets[] = {
	{"", "unexpected end"},
	{"[]", "array \"keys\""},
	{"{}", "array \"keys\""},
	{"{\"keys\":{}}", "array \"keys\""},
	{"{\"keys\":null}", "array \"keys\""},
	{RSA "}", "array \"keys\""},
	{"{\"keys\":[]}", "has none"},
	{"{\"keys\":[{\"kty\":\"oct\"}]}", "kty"},
	{"{\"keys\":[" RSA ",\"d\":\"AQAB\"}]}", "private"},
	{"{\"keys\":[" RSA ",\"kty\":\"EC\"}]}", "duplicate member \"kty\""},
	{"{\"keys\":[" RSA "}],\"keys\":[]}", "duplicate member \"keys\""},
	{"{\"keys\":[" RSA "}]} x", "line 1"},
};

START_TEST(sets_that_are_none)
{
	struct jwks *jwks = NULL;
	char reason[JWKS_REASON_SIZE];
	ck_assert_int_eq(jwks_read(bad_sets[_i].text, strlen(bad_sets[_i].text), &jwks, reason),
			 -EINVAL);
	ck_assert_msg(strstr(reason, bad_sets[_i].reason), "%s", reason);
	ck_assert_ptr_null(jwks);
}
END_TEST

START_TEST(sets_that_are_too_large)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(2 * JWKS_TEXT_MAX);
	struct jwks *jwks = NULL;
	char reason[JWKS_REASON_SIZE];
	text_append_string(&text, "{\"keys\":[" RSA "}");
	for (int i = 0; i < JWKS_KEYS_MAX; i++)
		text_append_string(&text, ",{}");
	text_append_string(&text, "]}");
	ck_assert_int_eq(jwks_read(text_string(&text), text.length, &jwks, reason), -EMSGSIZE);
	ck_assert_msg(strstr(reason, "64 keys"), "%s", reason);

	text_reset(&text);
	text_append_string(&text, "{\"keys\":[" RSA "}]}");
	while (text.length < JWKS_TEXT_MAX)
		text_append_char(&text, ' ');
	ck_assert_int_eq(jwks_read(text_string(&text), text.length, &jwks, reason), 0);
	jwks_free(jwks);
	text_append_char(&text, ' ');
	ck_assert_int_eq(jwks_read(text_string(&text), text.length, &jwks, reason), -EMSGSIZE);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("jwks");
	tcase_add_loop_test(tests, keys_that_can_be_used, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tests, keys_that_cannot, 0, ARRAY_SIZE(bad));
	tcase_add_loop_test(tests, a_point_for_which_anybody_signs, 0, ARRAY_SIZE(anybodys));
	tcase_add_test(tests, a_modulus_with_a_small_factor);
	tcase_add_test(tests, the_key_that_a_token_means);
	tcase_add_test(tests, the_first_of_two_with_one_name);
	tcase_add_test(tests, a_key_without_a_name_has_its_thumbprint);
	tcase_add_test(tests, equal_sets);
	tcase_add_loop_test(tests, sets_that_are_none, 0, ARRAY_SIZE(bad_sets));
	tcase_add_test(tests, sets_that_are_too_large);
	return unit_run(tests, "jwks");
}
