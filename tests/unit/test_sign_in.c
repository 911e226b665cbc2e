#include "responder/sign_in.h"

#include <stdlib.h>

#include "base/config.h"
#include "unit.h"

/* Each test runs in a process of its own, so that config_failed() starts false. */
static struct sign_in read_with(const char *client, const char *issuer)
{
	struct sign_in sign_in;

	setenv("AUTH_DOCS_CLIENT", client, 1);
	setenv("AUTH_ISSUER", issuer, 1);
	setenv("AUTH_AUDIENCE", "shop", 1);
	sign_in_read(&sign_in);
	return sign_in;
}

START_TEST(nobody_signs_in_without_a_client)
{
	struct sign_in sign_in = read_with("", "any; name");

	ck_assert_ptr_null(sign_in.client);
	ck_assert_uint_eq(sign_in.origin, 0);
	ck_assert(!config_failed());
}
END_TEST

static const struct {
	const char *issuer;
	const char *origin;
} good[] = {
	{"https://id.example", "https://id.example"},
	{"https://id.example/", "https://id.example"},
	{"https://id.example:8443/realms/a:b", "https://id.example:8443"},
	{"http://127.0.0.1:9000", "http://127.0.0.1:9000"},
	{"http://localhost/a", "http://localhost"},
};

START_TEST(the_origin_is_that_of_the_issuer)
{
	struct sign_in sign_in = read_with("docs", good[_i].issuer);

	ck_assert(!config_failed());
	ck_assert_str_eq(sign_in.client, "docs");
	ck_assert_str_eq(sign_in.issuer, good[_i].issuer);
	ck_assert_str_eq(sign_in.audience, "shop");
	ck_assert_uint_eq(sign_in.origin, strlen(good[_i].origin));
}
END_TEST

static const char *const bad[] = {
	"",
	"https://id.example; script-src *",
	"https://id.example/a?b",
};

START_TEST(nothing_else_is_an_address_to_sign_in_at)
{
	read_with("docs", bad[_i]);
	ck_assert(config_failed());
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("sign_in");

	tcase_add_test(tests, nobody_signs_in_without_a_client);
	tcase_add_loop_test(tests, the_origin_is_that_of_the_issuer, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tests, nothing_else_is_an_address_to_sign_in_at, 0, ARRAY_SIZE(bad));
	return unit_run(tests, "sign_in");
}
