/* responder/issuer.h with keys in a file, which may change at any time: auth/key_file.h. */
#include "responder/issuer.h"

#include "base/clock.h"
#include "base/config.h"
#include "scratch_file.h"
#include "tokens.h"
#include "unit.h"

#define ISSUER "https://id.example"

static char path[SCRATCH_PATH_SIZE];
static struct text first_set, second_set, first_token, second_token;
static struct issuer *issuer;

/* A key of its own, the set with it, and a token that it signed. */
static void make(struct text *set, struct text *token, const char *kid)
{
	char more[32], header[64], claims[200];
	EVP_PKEY *key = key_make(ALGORITHM_ES256);

	snprintf(more, sizeof(more), ",\"kid\":\"%s\"", kid);
	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"" ISSUER "\",\"aud\":\"shop\",\"sub\":\"ada\",\"exp\":%lld,"
		 "\"groups\":[\"orders:read\"]}",
		 (long long)(clock_now() / CLOCK_SECOND + 60));
	text_init(set, TOKEN_MAX);
	text_append_string(set, "{\"keys\":[");
	append_jwk(set, key, more);
	text_append_string(set, "]}");
	text_init(token, TOKEN_MAX);
	append_token(token, key, ALGORITHM_ES256, header, claims);
	EVP_PKEY_free(key);
}

static void setup(void)
{
	make(&first_set, &first_token, "1");
	make(&second_set, &second_token, "2");
	scratch_file_make(path);
}

static void teardown(void)
{
	issuer_free(issuer);
	unlink(path);
	text_release(&first_set);
	text_release(&second_set);
	text_release(&first_token);
	text_release(&second_token);
}

static void put(const char *text)
{
	scratch_file_replace(path, text);
}

static int create_users(void)
{
	static const char *const scopes[] = {"orders:read", NULL};

	setenv("AUTH_ISSUER", ISSUER, 1);
	setenv("AUTH_AUDIENCE", "shop", 1);
	setenv("AUTH_JWKS", path, 1);
	put(text_string(&first_set));
	return issuer_of_users(scopes, &issuer);
}

static int create_accounts(void)
{
	setenv("SERVICE_ISSUER", ISSUER, 1);
	setenv("SERVICE_AUDIENCE", "shop", 1);
	setenv("SERVICE_JWKS", path, 1);
	put(text_string(&first_set));
	return issuer_of_accounts(&issuer);
}

static enum token_fault check(const struct text *token, uint64_t expected)
{
	struct principal principal = {0};
	enum token_fault fault = issuer_check(issuer, text_string(token), &principal);

	if (fault == TOKEN_FINE)
		ck_assert_uint_eq(principal.scopes, expected);
	return fault;
}

START_TEST(another_set_takes_the_place_of_the_old)
{
	ck_assert_int_eq(create_users(), 0);
	ck_assert_int_eq(check(&first_token, 0), TOKEN_FINE);
	ck_assert_int_eq(check(&second_token, 0), TOKEN_UNKNOWN_KEY);
	put(text_string(&second_set));
	ck_assert_int_eq(check(&first_token, 0), TOKEN_FINE);
	issuer_renew_keys(issuer);
	ck_assert_int_eq(check(&first_token, 0), TOKEN_UNKNOWN_KEY);
	ck_assert_int_eq(check(&second_token, 0), TOKEN_FINE);
}
END_TEST

START_TEST(the_old_set_counts_while_there_is_no_other)
{
	static const char *const bad[] = {"", "[]", "{\"keys\":[]}", NULL};

	ck_assert_int_eq(create_users(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i])
			put(bad[i]);
		else
			unlink(path);
		issuer_renew_keys(issuer);
		ck_assert_int_eq(check(&first_token, 0), TOKEN_FINE);
	}
	put(text_string(&second_set));
	issuer_renew_keys(issuer);
	ck_assert_int_eq(check(&second_token, 0), TOKEN_FINE);
}
END_TEST

static const struct {
	const char *name, *value;
	enum token_fault fault;
	uint64_t scopes;
} settings[] = {
	{"AUTH_SCOPES", "/groups", TOKEN_FINE, 1},
	{"AUTH_SCOPES", "/a,/b,/c,/d,/e,/f,/g,/groups", TOKEN_FINE, 1},
	{"AUTH_SCOPES", "/aud", TOKEN_FINE, 0},
	{"AUTH_ALGORITHMS", "ES256", TOKEN_FINE, 0},
	{"AUTH_ALGORITHMS", "RS256,PS256,EdDSA", TOKEN_ALGORITHM, 0},
};

START_TEST(settings_of_tokens)
{
	setenv(settings[_i].name, settings[_i].value, 1);
	ck_assert_int_eq(create_users(), 0);
	ck_assert_int_eq(check(&first_token, settings[_i].scopes), settings[_i].fault);
}
END_TEST

/* They are about the shop's users. */
START_TEST(a_cluster_has_no_such_settings)
{
	setenv("AUTH_SCOPES", "/groups", 1);
	setenv("AUTH_ALGORITHMS", "RS256", 1);
	ck_assert_int_eq(create_accounts(), 0);
	ck_assert_int_eq(check(&first_token, 0), TOKEN_FINE);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("issuer");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, another_set_takes_the_place_of_the_old);
	tcase_add_test(tests, the_old_set_counts_while_there_is_no_other);
	tcase_add_loop_test(tests, settings_of_tokens, 0, ARRAY_SIZE(settings));
	tcase_add_test(tests, a_cluster_has_no_such_settings);
	return unit_run(tests, "issuer");
}
