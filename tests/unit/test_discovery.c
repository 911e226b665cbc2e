#include "auth/discovery.h"

#include "json_values.h"

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
	bool has_query = strchr(urls[_i].text, '?');

	ck_assert_int_eq(discovery_is_url(urls[_i].text), urls[_i].is_url);
	ck_assert_int_eq(discovery_is_issuer(urls[_i].text), urls[_i].is_url && !has_query);
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

#define ISSUER                     "https://id.example"
#define ADDRESS                    "https://keys.example/a?b=c"
#define CONFIGURATION(issuer, url) "{\"issuer\":\"" issuer "\",\"jwks_uri\":\"" url "\"}"

START_TEST(the_issuer_says_where_the_keys_are)
{
	char reason[JWKS_REASON_SIZE];
	const char *url = NULL;
	struct json *configuration CLEANUP(json_free_p) = parse(CONFIGURATION(ISSUER, ADDRESS));

	ck_assert_int_eq(discovery_read(configuration, ISSUER, &url, reason), 0);
	ck_assert_str_eq(url, ADDRESS);
}
END_TEST

static const struct {
	const char *text;
	const char *reason;
} others[] = {
	{"[]", "is that of \"\""},
	{"{}", "is that of \"\""},
	{"{\"jwks_uri\":\"" ADDRESS "\"}", "is that of \"\""},
	{"{\"issuer\":[\"" ISSUER "\"],\"jwks_uri\":\"" ADDRESS "\"}", "is that of \"\""},
	{CONFIGURATION(ISSUER "/", ADDRESS), "is that of \"https://id.example/\""},
	{CONFIGURATION("https://another.example", ADDRESS),
	 "is that of \"https://another.example\""},
	{"{\"issuer\":\"" ISSUER "\"}", "jwks_uri \"\""},
	{CONFIGURATION(ISSUER, ""), "jwks_uri \"\""},
	{CONFIGURATION(ISSUER, "http://keys.example/a"), "jwks_uri \"http://keys.example/a\""},
	{CONFIGURATION(ISSUER, "file:///etc/passwd"), "jwks_uri \"file:///etc/passwd\""},
};

START_TEST(another_issuer_has_no_keys_for_us)
{
	char reason[JWKS_REASON_SIZE] = "";
	const char *url = NULL;
	struct json *configuration CLEANUP(json_free_p) = parse(others[_i].text);

	ck_assert_int_eq(discovery_read(configuration, ISSUER, &url, reason), -EINVAL);
	ck_assert_msg(strstr(reason, others[_i].reason), "%s", reason);
	ck_assert_ptr_null(url);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("discovery");

	tcase_add_loop_test(tests, addresses_of_keys, 0, ARRAY_SIZE(urls));
	tcase_add_test(tests, an_address_may_be_so_long);
	tcase_add_test(tests, the_issuer_says_where_the_keys_are);
	tcase_add_loop_test(tests, another_issuer_has_no_keys_for_us, 0, ARRAY_SIZE(others));
	return unit_run(tests, "discovery");
}
