/* auth/jwt.h: each claim there, missing, of another type, and wrong. */
#include "auth/jwt.h"

#include "base/clock.h"
#include "base/text.h"
#include "unit.h"

#define NOW  (INT64_C(1800000000) * CLOCK_SECOND)
#define SKEW (30 * CLOCK_SECOND)

static const char *const pointers[] = {"/scope", "/roles", "/realm_access/roles", NULL};
static const char *const scopes[] = {"orders:read", "orders:write", "products:write", NULL};
static const struct jwt_rules rules = {.issuer = "https://id.example",
				       .audience = "shop",
				       .skew = SKEW,
				       .pointers = pointers,
				       .scopes = scopes};

enum { ORDERS_READ = 1, ORDERS_WRITE = 2, PRODUCTS_WRITE = 4 };

#define PARTIES "\"iss\":\"https://id.example\",\"aud\":\"shop\""
#define TIMES   "\"exp\":1800000100"
#define WHO     "\"sub\":\"ada\""

/* 129 characters */
#define EIGHT "abcdefgh"
#define LONG                                                                                       \
	EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT  \
		EIGHT "i"

static struct principal principal;
static int64_t expires;

static enum token_fault read_at(const char *payload, int64_t now)
{
	memset(&principal, 0xff, sizeof(principal));
	expires = -1;
	return jwt_read(&rules, payload, strlen(payload), now, &principal, &expires);
}

static const struct {
	const char *payload;
	enum token_fault fault;
} cases[] = {
	{"{" PARTIES "," TIMES "," WHO "}", TOKEN_FINE},
	{"", TOKEN_CLAIMS},
	{"[]", TOKEN_CLAIMS},
	{"\"ada\"", TOKEN_CLAIMS},
	{"{}", TOKEN_CLAIMS},
	{"{" PARTIES "," TIMES "," WHO, TOKEN_CLAIMS},
	{"{" PARTIES "," TIMES "," WHO "} ", TOKEN_FINE},
	{"{" PARTIES "," TIMES "," WHO "}.", TOKEN_CLAIMS},
	/* twice, though equal */
	{"{" PARTIES "," TIMES "," WHO "," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES "," TIMES "," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES "," TIMES "," WHO ",\"s\\u0075b\":\"eve\"}", TOKEN_CLAIMS},
	/* iss */
	{"{\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":7,\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":[\"https://id.example\"],\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":\"https://id.example/\",\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_ISSUER},
	{"{\"iss\":\"https://ID.example\",\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_ISSUER},
	{"{\"iss\":\"\",\"aud\":\"shop\"," TIMES "," WHO "}", TOKEN_ISSUER},
	/* aud */
	{"{\"iss\":\"https://id.example\"," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":\"https://id.example\",\"aud\":null," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":\"https://id.example\",\"aud\":{\"shop\":1}," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":\"https://id.example\",\"aud\":\"Shop\"," TIMES "," WHO "}", TOKEN_AUDIENCE},
	{"{\"iss\":\"https://id.example\",\"aud\":\"account shop\"," TIMES "," WHO "}",
	 TOKEN_AUDIENCE},
	{"{\"iss\":\"https://id.example\",\"aud\":[]," TIMES "," WHO "}", TOKEN_AUDIENCE},
	{"{\"iss\":\"https://id.example\",\"aud\":[\"account\"]," TIMES "," WHO "}",
	 TOKEN_AUDIENCE},
	{"{\"iss\":\"https://id.example\",\"aud\":[\"account\",\"shop\"]," TIMES "," WHO "}",
	 TOKEN_FINE},
	{"{\"iss\":\"https://id.example\",\"aud\":[\"shop\",7]," TIMES "," WHO "}", TOKEN_CLAIMS},
	{"{\"iss\":\"https://id.example\",\"aud\":[[\"shop\"]]," TIMES "," WHO "}", TOKEN_CLAIMS},
	/* exp */
	{"{" PARTIES "," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES ",\"exp\":null," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES ",\"exp\":\"1800000100\"," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES ",\"exp\":true," WHO "}", TOKEN_CLAIMS},
	{"{" PARTIES ",\"exp\":1799999971," WHO "}", TOKEN_FINE},
	{"{" PARTIES ",\"exp\":1799999970," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":1799999970.000001," WHO "}", TOKEN_FINE},
	{"{" PARTIES ",\"exp\":1.79999997e9," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":0," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":-1," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":-9223372036854775808," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":-1e999," WHO "}", TOKEN_EXPIRED},
	{"{" PARTIES ",\"exp\":9223372036854775807," WHO "}", TOKEN_FINE},
	{"{" PARTIES ",\"exp\":1e999," WHO "}", TOKEN_FINE},
	{"{" PARTIES ",\"exp\":1e-999," WHO "}", TOKEN_EXPIRED},
	/* nbf, iat */
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":1800000030,\"iat\":1800000030}", TOKEN_FINE},
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":1800000031}", TOKEN_NOT_YET},
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":1800000030.5}", TOKEN_NOT_YET},
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":1e999}", TOKEN_NOT_YET},
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":-1e999}", TOKEN_FINE},
	{"{" PARTIES "," TIMES "," WHO ",\"nbf\":\"0\"}", TOKEN_CLAIMS},
	{"{" PARTIES "," TIMES "," WHO ",\"iat\":1800000031}", TOKEN_NOT_YET},
	{"{" PARTIES "," TIMES "," WHO ",\"iat\":[]}", TOKEN_CLAIMS},
	/* sub */
	{"{" PARTIES "," TIMES "}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\"\"}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":7}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\" ada\"}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\"ada\\u200b\"}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\"a\\nb\"}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\"a\\u202eb\"}", TOKEN_SUBJECT},
	{"{" PARTIES "," TIMES ",\"sub\":\"Zoe\\u0308\"}", TOKEN_SUBJECT}, /* not in NFC */
	{"{" PARTIES "," TIMES ",\"sub\":\"Zo\\u00eb\"}", TOKEN_FINE},
	{"{" PARTIES "," TIMES ",\"sub\":\"auth0|5f7c8ec7c33c6c004bbafe82\"}", TOKEN_FINE},
};

START_TEST(claims)
{
	enum token_fault fault = read_at(cases[_i].payload, NOW);
	ck_assert_msg(fault == cases[_i].fault, "%s: %s", cases[_i].payload,
		      token_fault_name(fault));
	ck_assert_int_eq(principal.kind == PRINCIPAL_USER, fault == TOKEN_FINE);
	ck_assert_int_eq(expires > 0, fault == TOKEN_FINE);
}
END_TEST

START_TEST(who_it_is)
{
	ck_assert_int_eq(read_at("{" PARTIES "," TIMES "," WHO ",\"client_id\":\"till\","
				 "\"azp\":\"other\"}",
				 NOW),
			 TOKEN_FINE);
	ck_assert_str_eq(principal.subject, "ada");
	ck_assert_str_eq(principal.client_id, "till");
	ck_assert_uint_eq(principal.scopes, 0);
	ck_assert_ptr_null(principal.cart_secret);
	ck_assert_int_eq(expires, NOW + 100 * CLOCK_SECOND + SKEW);
	ck_assert_int_eq(read_at("{" PARTIES "," TIMES "," WHO ",\"azp\":\"web\"}", NOW),
			 TOKEN_FINE);
	ck_assert_str_eq(principal.client_id, "web");
	ck_assert_int_eq(read_at("{" PARTIES "," TIMES "," WHO "}", NOW), TOKEN_FINE);
	ck_assert_str_eq(principal.client_id, "");
}
END_TEST

static const char *const no_clients[] = {
	"\"client_id\":7",
	"\"client_id\":null",
	"\"client_id\":\"a\\nb\"",
	"\"client_id\":\"\"",
	"\"azp\":[]",
	"\"azp\":null",
	"\"client_id\":\"" LONG "\"",
	"\"azp\":{\"client_id\":\"web\"}",
};

START_TEST(clients_that_cannot_be_shown)
{
	char payload[500];
	snprintf(payload, sizeof(payload), "{" PARTIES "," TIMES "," WHO ",%s}", no_clients[_i]);
	ck_assert_int_eq(read_at(payload, NOW), TOKEN_FINE);
	ck_assert_str_eq(principal.subject, "ada");
	ck_assert_str_eq(principal.client_id, "");
}
END_TEST

static const struct {
	const char *claims;
	uint64_t scopes;
} scope_cases[] = {
	{"\"scope\":\"orders:read\"", ORDERS_READ},
	{"\"scope\":\"openid orders:write profile orders:read\"", ORDERS_READ | ORDERS_WRITE},
	{"\"scope\":\"  orders:read  \"", ORDERS_READ},
	{"\"scope\":\"\"", 0},
	{"\"scope\":\" \"", 0},
	{"\"scope\":null", 0},
	{"\"scope\":\"orders\"", 0},
	{"\"scope\":\"orders:rea\"", 0},
	{"\"scope\":\"orders:reads\"", 0},
	{"\"scope\":\"Orders:read\"", 0},
	{"\"scope\":\"orders:read,orders:write\"", 0},
	{"\"scope\":\"orders:read\\torders:write\"", 0},
	{"\"scope\":[\"orders:read\",\"products:write\"]", ORDERS_READ | PRODUCTS_WRITE},
	{"\"roles\":[\"orders:read orders:write\"]", 0}, /* one role, with a space in its name */
	{"\"roles\":[]", 0},
	{"\"roles\":[\"\"]", 0},
	{"\"roles\":[\"orders:write\"],\"scope\":\"orders:read\"", ORDERS_READ | ORDERS_WRITE},
	{"\"realm_access\":{\"roles\":[\"offline_access\",\"products:write\"]}", PRODUCTS_WRITE},
	{"\"scope\":\"admin\"", UINT64_MAX},
	{"\"roles\":[\"admin\"]", UINT64_MAX},
	{"\"scope\":\"administrator\"", 0},
	/* of another type */
	{"\"scope\":{}", 0},
	{"\"scope\":true", 0},
	{"\"scope\":7", 0},
	{"\"roles\":null", 0},
	{"\"roles\":{\"admin\":{\"1\":\"shop.example\"},\"orders:read\":true}", 0},
	{"\"roles\":{\"0\":\"orders:read\"}", 0},
	{"\"roles\":[{\"value\":\"orders:read\"},[\"admin\"],null,7,true]", 0},
	{"\"roles\":[7,\"orders:read\",null]", ORDERS_READ},
	{"\"roles\":{\"admin\":{}},\"scope\":\"orders:read\"", ORDERS_READ},
	{"\"scope\":{},\"roles\":[\"orders:write\"]", ORDERS_WRITE},
	{"\"realm_access\":7", 0},
	{"\"realm_access\":[\"admin\"]", 0},
	{"\"realm_access\":{\"roles\":{\"admin\":1}}", 0},
};

START_TEST(scopes_that_are_known)
{
	char payload[500];
	snprintf(payload, sizeof(payload), "{" PARTIES "," TIMES "," WHO ",%s}",
		 scope_cases[_i].claims);
	ck_assert_int_eq(read_at(payload, NOW), TOKEN_FINE);
	ck_assert_uint_eq(principal.scopes, scope_cases[_i].scopes);
}
END_TEST

/* 255 characters, of one byte or of four. */
START_TEST(longest_subjects)
{
	static const char *const characters[] = {"x", "\xf0\x9f\xa6\x80"};
	for (size_t i = 0; i < ARRAY_SIZE(characters); i++) {
		for (int count = JWT_SUBJECT_MAX; count <= JWT_SUBJECT_MAX + 1; count++) {
			struct text payload CLEANUP(text_release) = TEXT_INIT(4000);
			text_append_string(&payload, "{" PARTIES "," TIMES ",\"sub\":\"");
			for (int j = 0; j < count; j++)
				text_append_string(&payload, characters[i]);
			text_append_string(&payload, "\"}");
			ck_assert_int_eq(read_at(text_string(&payload), NOW),
					 count == JWT_SUBJECT_MAX ? TOKEN_FINE : TOKEN_SUBJECT);
		}
	}
}
END_TEST

START_TEST(the_second_in_which_it_expires)
{
	int64_t end = NOW + 100 * CLOCK_SECOND + SKEW;
	ck_assert_int_eq(read_at("{" PARTIES "," TIMES "," WHO "}", end), TOKEN_EXPIRED);
	ck_assert_int_eq(read_at("{" PARTIES "," TIMES "," WHO "}", end - 1), TOKEN_FINE);
	ck_assert_int_eq(expires, end);
}
END_TEST

static const struct {
	const char *type;
	bool taken;
} types[] = {
	{NULL, true},
	{"at+jwt", true},
	{"AT+JWT", true},
	{"application/at+jwt", true},
	{"Application/At+Jwt", true},
	{"JWT", true},
	{"jwt", true},
	{"application/jwt", true},
	{"", false},
	{"application/", false},
	{"at+jwt ", false},
	{"at+jwts", false},
	{"text/at+jwt", false},
	{"application/application/jwt", false},
	{"JOSE", false},
	{"dpop+jwt", false},
	{"logout+jwt", false},
	{"secevent+jwt", false},
};

START_TEST(types_of_tokens)
{
	ck_assert_int_eq(jwt_is_access_token(types[_i].type), types[_i].taken);
}
END_TEST

START_TEST(faults_have_names)
{
	for (enum token_fault i = 0; i < TOKEN_FAULTS; i++) {
		const char *name = token_fault_name(i);
		ck_assert_ptr_nonnull(name);
		ck_assert_uint_gt(strlen(name), 0);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (enum token_fault j = 0; j < i; j++)
			ck_assert_str_ne(name, token_fault_name(j));
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("jwt");
	tcase_add_loop_test(tests, claims, 0, ARRAY_SIZE(cases));
	tcase_add_test(tests, who_it_is);
	tcase_add_loop_test(tests, clients_that_cannot_be_shown, 0, ARRAY_SIZE(no_clients));
	tcase_add_loop_test(tests, scopes_that_are_known, 0, ARRAY_SIZE(scope_cases));
	tcase_add_test(tests, longest_subjects);
	tcase_add_test(tests, the_second_in_which_it_expires);
	tcase_add_loop_test(tests, types_of_tokens, 0, ARRAY_SIZE(types));
	tcase_add_test(tests, faults_have_names);
	return unit_run(tests, "jwt");
}
