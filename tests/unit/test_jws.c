/* auth/jws.h: the vectors of the RFCs, what each algorithm's signature must be, and all that is
 * refused without a look at any key. */
#include "auth/jws.h"

#include "tokens.h"
#include "unit.h"

/* RFC 7515 appendix A. */
#define CLAIMS                                                                                     \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define CLAIMS_JSON                                                                                \
	"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define A1                                                                                         \
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." CLAIMS                                         \
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A2                                                                                         \
	"eyJhbGciOiJSUzI1NiJ9." CLAIMS                                                             \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"   \
	"O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"  \
	"PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1"  \
	"phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define A3                                                                                         \
	"eyJhbGciOiJFUzI1NiJ9." CLAIMS                                                             \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define A4                                                                                         \
	"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKP"  \
	"WROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7i"  \
	"KvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
#define A5 "eyJhbGciOiJub25lIn0." CLAIMS "."
/* RFC 8037 appendix A.4. */
#define ED                                                                                         \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"                                 \
	".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

#define RSA_JWK                                                                                    \
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfH"  \
	"Qp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9"  \
	"wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQ"  \
	"Y4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAc"  \
	"DTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define EC_JWK                                                                                     \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define OKP_JWK                                                                                    \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"                              \
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static void read_jwk(const char *text, struct jwk *ret_jwk)
{
	struct json *value CLEANUP(json_free_p) = NULL;
	struct json_error error;
	const char *reason = NULL;
	ck_assert_int_eq(json_parse(text, strlen(text), 8, &value, &error), 0);
	ck_assert_msg(jwk_read(value, ret_jwk, &reason) == 0, "%s", reason);
}

static enum token_fault verify(const char *token, const struct jwk *jwk)
{
	struct jws jws CLEANUP(jws_release) = {0};
	enum token_fault fault = jws_read(token, strlen(token), &jws);
	return fault ? fault : jws_verify(&jws, jwk);
}

static const struct {
	const char *jwk;
	const char *token;
	const char *payload;
} vectors[] = {
	{RSA_JWK, A2, CLAIMS_JSON},
	{EC_JWK, A3, CLAIMS_JSON},
	{OKP_JWK, ED, "Example of Ed25519 signing"},
};

START_TEST(vectors_of_the_rfcs)
{
	struct text payload CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	struct jwk jwk CLEANUP(jwk_release) = {0};
	read_jwk(vectors[_i].jwk, &jwk);
	ck_assert_int_eq(jws_read(vectors[_i].token, strlen(vectors[_i].token), &jws), TOKEN_FINE);
	ck_assert_int_eq(jws_verify(&jws, &jwk), TOKEN_FINE);
	ck_assert_int_eq(jws_payload(&jws, &payload), TOKEN_FINE);
	ck_assert_str_eq(text_string(&payload), vectors[_i].payload);
	ck_assert_ptr_null(jws.kid);
	ck_assert_ptr_null(jws.type);
}
END_TEST

/* One bit more or less anywhere, and it is no longer what was signed. */
START_TEST(any_changed_bit)
{
	struct jwk jwk CLEANUP(jwk_release) = {0};
	read_jwk(EC_JWK, &jwk);
	char token[] = A3;
	for (size_t i = 0; i < strlen(A3); i++) {
		for (int bit = 0; bit < 7; bit++) {
			token[i] = (char)(token[i] ^ 1 << bit);
			ck_assert_int_ne(verify(token, &jwk), TOKEN_FINE);
			token[i] = (char)(token[i] ^ 1 << bit);
		}
	}
	ck_assert_int_eq(verify(token, &jwk), TOKEN_FINE);
}
END_TEST

static const struct {
	const char *token;
	enum token_fault fault;
} refused[] = {
	{A1, TOKEN_ALGORITHM},
	{A4, TOKEN_ALGORITHM},
	{A5, TOKEN_ALGORITHM},
	{"", TOKEN_MALFORMED},
	{".", TOKEN_MALFORMED},
	{"..", TOKEN_MALFORMED},
	{"...", TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9", TOKEN_MALFORMED},
	{"eyJhbGciOiJSUzI1NiJ9." CLAIMS, TOKEN_MALFORMED},
	{A2 ".", TOKEN_MALFORMED},
	{A2 "." CLAIMS ".AAAA", TOKEN_MALFORMED}, /* JWE: five parts */
	{A2 "=", TOKEN_MALFORMED},
	{A2 "\n", TOKEN_MALFORMED},
	{" " A2, TOKEN_MALFORMED},
	{"eyJhbGciOiJFZERTQSJ9.AA.A", TOKEN_MALFORMED},
	{"eyJhbGciOiJFZERTQSJ9.AA.AB", TOKEN_MALFORMED}, /* bits left over */
	{"eyJhbGciOiJFZERTQSJ9.AA.+/8A", TOKEN_MALFORMED},
	{"{\"payload\":\"\",\"protected\":\"\",\"signature\":\"\"}", TOKEN_MALFORMED},
};

START_TEST(refused_without_a_key)
{
	struct jws jws = {0};
	ck_assert_int_eq(jws_read(refused[_i].token, strlen(refused[_i].token), &jws),
			 refused[_i].fault);
	ck_assert_ptr_null(jws.header);
}
END_TEST

static const struct {
	const char *header;
	enum token_fault fault;
} headers[] = {
	{"{\"alg\":\"ES256\"}", TOKEN_FINE},
	{"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"x5t\":\"AAAA\",\"cty\":1,\"extra\":{}}", TOKEN_FINE},
	{" {\"\\u0061lg\": \"ES256\"} ", TOKEN_FINE},
	{"", TOKEN_MALFORMED},
	{"[]", TOKEN_MALFORMED},
	{"\"ES256\"", TOKEN_MALFORMED},
	{"{}", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\"", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\"}x", TOKEN_MALFORMED},
	{"{\"alg\":[\"ES256\"]}", TOKEN_MALFORMED},
	{"{\"alg\":null}", TOKEN_MALFORMED},
	{"{\"alg\":\"none\",\"alg\":\"ES256\"}", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\",\"kid\":7}", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\",\"kid\":\"\\u0000\"}", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\",\"kid\":\"\xff\"}", TOKEN_MALFORMED},
	{"{\"alg\":\"ES256\",\"typ\":[]}", TOKEN_MALFORMED},
	{"{\"alg\":\"es256\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"ES256 \"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"none\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"None\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"HS256\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"RS384\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"RS1\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"ES384\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"ES256K\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"RSA-OAEP\",\"enc\":\"A128GCM\"}", TOKEN_ALGORITHM},
	{"{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"crit\":[]}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"b64\":false}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"b64\":true}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"jku\":\"https://evil.example/keys\"}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\"}}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"x5u\":\"https://evil.example/chain\"}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"x5c\":[]}", TOKEN_HEADER},
	{"{\"alg\":\"ES256\",\"zip\":\"DEF\"}", TOKEN_HEADER},
};

START_TEST(headers_taken_and_refused)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	append_base64url(&token, headers[_i].header, strlen(headers[_i].header));
	text_append_string(&token, ".e30.AAAA");
	ck_assert_int_eq(jws_read(text_string(&token), token.length, &jws), headers[_i].fault);
}
END_TEST

START_TEST(the_longest_token)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	text_append_string(&token, "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.");
	while (token.length < JWS_LENGTH_MAX - 1)
		text_append_char(&token, 'A');
	text_append_char(&token, '.');
	ck_assert_int_eq(jws_read(text_string(&token), token.length, &jws), TOKEN_FINE);
	ck_assert_str_eq(jws.kid, "a");
	jws_release(&jws);
	text_append_char(&token, 'A');
	ck_assert_int_eq(jws_read(text_string(&token), token.length, &jws), TOKEN_TOO_LONG);
}
END_TEST

START_TEST(the_longest_header)
{
	struct text header CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	text_append_string(&header, "{\"alg\":\"ES256\",\"kid\":\"a\"}");
	while (header.length < JWS_HEADER_MAX * 3 / 4)
		text_append_char(&header, ' ');
	append_base64url(&token, header.data, header.length);
	ck_assert_uint_eq(token.length, JWS_HEADER_MAX);
	text_append_string(&token, ".e30.AAAA");
	ck_assert_int_eq(jws_read(text_string(&token), token.length, &jws), TOKEN_FINE);
	ck_assert_str_eq(jws.kid, "a");
	jws_release(&jws);
	text_reset(&token);
	text_append_char(&header, ' ');
	append_base64url(&token, header.data, header.length);
	text_append_string(&token, ".e30.AAAA");
	ck_assert_int_eq(jws_read(text_string(&token), token.length, &jws), TOKEN_TOO_LONG);
}
END_TEST

/* A payload that is no base64url is refused even if it was signed. */
START_TEST(a_payload_that_cannot_be_decoded)
{
	struct text payload CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	static const char token[] = "eyJhbGciOiJFUzI1NiJ9.AAA=.AAAA";
	ck_assert_int_eq(jws_read(token, strlen(token), &jws), TOKEN_FINE);
	ck_assert_int_eq(jws_payload(&jws, &payload), TOKEN_MALFORMED);
}
END_TEST

struct signer {
	enum algorithm algorithm;
	EVP_PKEY *key;
	struct jwk jwk;
};

static struct signer signers[ALGORITHMS];

static void make_signers(void)
{
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
		signers[i].algorithm = i;
		signers[i].key = key_make(i);
		append_jwk(&text, signers[i].key, "");
		read_jwk(text_string(&text), &signers[i].jwk);
	}
}

static void free_signers(void)
{
	for (enum algorithm i = 0; i < ALGORITHMS; i++) {
		EVP_PKEY_free(signers[i].key);
		jwk_release(&signers[i].jwk);
	}
}

static void append_header(struct text *out, const char *algorithm)
{
	text_printf(out, "{\"alg\":\"%s\"}", algorithm);
}

/* Every algorithm against every key, under its own name and each other one. */
START_TEST(an_algorithm_takes_its_own_keys)
{
	const struct signer *signer = &signers[_i];
	for (enum algorithm named = 0; named < ALGORITHMS; named++) {
		struct text header CLEANUP(text_release) = TEXT_INIT(100);
		struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
		append_header(&header, algorithm_name(named));
		append_token(&token, signer->key, signer->algorithm, text_string(&header), "{}");
		for (enum algorithm other = 0; other < ALGORITHMS; other++) {
			enum token_fault fault = verify(text_string(&token), &signers[other].jwk);
			bool fits = signers[other].jwk.algorithms & ALGORITHM_BIT(named);
			if (signer->algorithm == named && signer->algorithm == other)
				ck_assert_int_eq(fault, TOKEN_FINE);
			else
				ck_assert_int_eq(fault, fits ? TOKEN_SIGNATURE : TOKEN_ALGORITHM);
		}
	}
}
END_TEST

/* A key that "alg" restricts does not verify its kind's other algorithm. */
START_TEST(a_key_for_one_algorithm)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	struct jwk jwk CLEANUP(jwk_release) = {0};
	EVP_PKEY *key = signers[ALGORITHM_RS256].key;
	append_jwk(&text, key, ",\"alg\":\"PS256\"");
	read_jwk(text_string(&text), &jwk);
	append_token(&token, key, ALGORITHM_RS256, "{\"alg\":\"RS256\"}", "{}");
	ck_assert_int_eq(verify(text_string(&token), &jwk), TOKEN_ALGORITHM);
	text_reset(&token);
	append_token(&token, key, ALGORITHM_PS256, "{\"alg\":\"PS256\"}", "{}");
	ck_assert_int_eq(verify(text_string(&token), &jwk), TOKEN_FINE);
}
END_TEST

static void sign_input(const struct text *input, enum algorithm algorithm, int salt,
		       struct text *out)
{
	unsigned char signature[1024];
	size_t length = sign_bytes(signers[algorithm].key, algorithm, salt, input, signature,
				   sizeof(signature));
	text_append_string(out, text_string(input));
	text_append_char(out, '.');
	append_base64url(out, signature, length);
}

START_TEST(salts_of_ps256)
{
	static const struct {
		int salt;
		enum token_fault fault;
	} salts[] = {{0, TOKEN_SIGNATURE},
		     {20, TOKEN_SIGNATURE},
		     {32, TOKEN_FINE},
		     {33, TOKEN_SIGNATURE},
		     {RSA_PSS_SALTLEN_MAX, TOKEN_SIGNATURE}};
	struct text input CLEANUP(text_release) = TEXT_INIT(100);
	append_base64url(&input, "{\"alg\":\"PS256\"}", 15);
	text_append_string(&input, ".e30");
	for (size_t i = 0; i < ARRAY_SIZE(salts); i++) {
		struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
		sign_input(&input, ALGORITHM_PS256, salts[i].salt, &token);
		ck_assert_int_eq(verify(text_string(&token), &signers[ALGORITHM_PS256].jwk),
				 salts[i].fault);
	}
}
END_TEST

/* Signatures of ES256: r, s = 0 (CVE-2022-21449), the order of the curve, DER, other lengths. */
START_TEST(impossible_signatures_of_es256)
{
	static const unsigned char order[ES256_HALF] = {
		0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
		0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
	unsigned char raw[2 * ES256_HALF + 8] = {0};
	struct text input CLEANUP(text_release) = TEXT_INIT(100);
	append_base64url(&input, "{\"alg\":\"ES256\"}", 15);
	text_append_string(&input, ".e30.");
	for (int i = 0; i < 5; i++) {
		struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
		size_t length = i == 3 ? sizeof(raw) : i == 4 ? 63 : 2 * ES256_HALF;
		if (i == 1)
			memset(raw, 0xff, sizeof(raw));
		if (i == 2) {
			memcpy(raw, order, ES256_HALF);
			memcpy(raw + ES256_HALF, order, ES256_HALF);
		}
		text_append_string(&token, text_string(&input));
		append_base64url(&token, raw, length);
		ck_assert_int_eq(verify(text_string(&token), &signers[ALGORITHM_ES256].jwk),
				 TOKEN_SIGNATURE);
	}
}
END_TEST

/* What libcrypto says of a bad signature must not be taken for an error of TLS later. */
START_TEST(no_error_is_left_behind)
{
	struct text token CLEANUP(text_release) = TEXT_INIT(TOKEN_MAX);
	append_token(&token, signers[ALGORITHM_RS256].key, ALGORITHM_RS256, "{\"alg\":\"PS256\"}",
		     "{}");
	ck_assert_int_eq(verify(text_string(&token), &signers[ALGORITHM_RS256].jwk),
			 TOKEN_SIGNATURE);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("jws");
	tcase_add_unchecked_fixture(tests, make_signers, free_signers);
	tcase_add_loop_test(tests, vectors_of_the_rfcs, 0, ARRAY_SIZE(vectors));
	tcase_add_test(tests, any_changed_bit);
	tcase_add_loop_test(tests, refused_without_a_key, 0, ARRAY_SIZE(refused));
	tcase_add_loop_test(tests, headers_taken_and_refused, 0, ARRAY_SIZE(headers));
	tcase_add_test(tests, the_longest_token);
	tcase_add_test(tests, the_longest_header);
	tcase_add_test(tests, a_payload_that_cannot_be_decoded);
	tcase_add_loop_test(tests, an_algorithm_takes_its_own_keys, 0, ALGORITHMS);
	tcase_add_test(tests, a_key_for_one_algorithm);
	tcase_add_test(tests, salts_of_ps256);
	tcase_add_test(tests, impossible_signatures_of_es256);
	tcase_add_test(tests, no_error_is_left_behind);
	return unit_run(tests, "jws");
}
