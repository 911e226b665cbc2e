#include "auth/discovery.h"

#include "unit.h"

static const struct {
	const char *text;
	bool is_url;
} urls[] = {
	{"https://a", true},
	{"https://a/", true},
	{"https://a.example:8443/realms/shop/keys?p=b_1&c=%20", true},
	{"http://localhost:8180/realms/shop", true},
	{"http://127.0.0.1/keys", true},
	{"https://", false},
	{"https:///keys", false},
	{"https://user@a/keys", false},
	{"https://a:/keys", false},
	{"https://a:123456/keys", false},
	{"https://a/k$host", false},
	{"https://a/k\"", false},
	{"https://a/k y", false},
	{"https://a/k\n", false},
	{"https://a/k#f", false},
	{"https://a?b", false},
	{"http://a/keys", false},
	{"http://localhost.example/keys", false},
	{"http://127.0.0.1.example/keys", false},
	{"HTTPS://a/keys", false},
	{"ftp://a/keys", false},
	{"/keys", false},
	{"", false},
};

START_TEST(addresses_of_keys)
{
	ck_assert_int_eq(discovery_is_url(urls[_i].text), urls[_i].is_url);
}
END_TEST

START_TEST(an_address_may_be_so_long)
{
	char text[DISCOVERY_URL_MAX + 2] = "https://a/";

	memset(text + strlen(text), 'b', sizeof(text) - strlen(text) - 1);
	ck_assert_uint_eq(strlen(text), DISCOVERY_URL_MAX + 1);
	ck_assert(!discovery_is_url(text));
	text[DISCOVERY_URL_MAX] = '\0';
	ck_assert(discovery_is_url(text));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("discovery");

	tcase_add_loop_test(tests, addresses_of_keys, 0, ARRAY_SIZE(urls));
	tcase_add_test(tests, an_address_may_be_so_long);
	return unit_run(tests, "discovery");
}
