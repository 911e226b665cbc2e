#include "contracts.h"

static const struct contract *const contract = &test_parameters_contract;
static const struct operation *operation;
static struct arguments arguments;
static struct violations violations;

static void start(void)
{
	start_contract(contract);
	operation = contract_find(contract, "search");
}

static void stop(void)
{
	violations_release(&violations);
	arguments_release(&arguments);
}

/* The context is the value of every header. */
static const char *give_header(void *context, const char *name UNUSED)
{
	return context;
}

static void check(const char *query, const char *header)
{
	ck_assert_int_eq(contract_check_parameters(contract, operation, query, give_header,
						   (void *)header, &arguments, &violations),
			 0);
}

static const struct {
	const char *query, *name, *text;
	int64_t integer;
} valid_cases[] = {
	{"q=a", "q", "a", 0},
	{"q=", "q", "", 0},
	{"q", "q", "", 0},
	{"&&q=a&", "q", "a", 0},
	{"q=a+b%20c", "q", "a b c", 0},
	{"q=%2B%26%3d", "q", "+&=", 0},
	{"q=a=b", "q", "a=b", 0},
	{"%71=a", "q", "a", 0},
	{"q=%C3%A9%c3%a9", "q", "\xc3\xa9\xc3\xa9", 0},
	{"q=\xc3\xa9", "q", "\xc3\xa9", 0},
	{"limit=1", "limit", "1", 1},
	{"q=a&limit=200", "limit", "200", 200},
	{"min_price=0", "min_price", "0", 0},
	{"min_price=19.90", "min_price", "19.90", 0},
	{"min_price=9999999.99", "min_price", "9999999.99", 0},
	{"in_stock=true", "in_stock", "true", 1},
	{"in_stock=false", "in_stock", "false", 0},
	{"sort=-name", "sort", "-name", 0},
	{"tag=%20abc+", "tag", "abc", 0},
	{"tag=%09abc%0D%0A", "tag", "abc", 0},
	{"tag=%E3%80%80e%CC%81", "tag", "\xc3\xa9", 0},
	{"cart=0190A1B2-C3D4-7E5F-8A6B-7C8D9E0F1A2B", "cart",
	 "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", 0},
	{"cart=Mine", "cart", "Mine", 0},
	{"after=2026-01-31T00:00:00%2B02:00", "after", "2026-01-31T00:00:00+02:00", 0},
	{"min_price=1e%2B2", "min_price", "1e+2", 0},
};

START_TEST(valid)
{
	check(valid_cases[_i].query, NULL);
	ck_assert_msg(violations.total == 0, "%s", violations.list[0].detail);
	const struct argument *argument = arguments_find(&arguments, valid_cases[_i].name);
	ck_assert_ptr_nonnull(argument);
	ck_assert_str_eq(argument->text, valid_cases[_i].text);
	ck_assert_uint_eq(argument->length, strlen(valid_cases[_i].text));
	ck_assert_int_eq(argument->integer, valid_cases[_i].integer);
}
END_TEST

static const struct {
	const char *query, *pointer, *detail;
} invalid_cases[] = {
	{"q=123456789", "/q", "must be at most 8 characters long"},
	{"q=a&q=a", "/q", "must not be repeated"},
	{"q=a&%71=a", "/q", "must not be repeated"},
	{"q=%", "/q", "has a % that is not followed by two hexadecimal digits"},
	{"q=%4", "/q", "has a % that is not followed by two hexadecimal digits"},
	{"q=%4&limit=1", "/q", "has a % that is not followed by two hexadecimal digits"},
	{"q=%zz", "/q", "has a % that is not followed by two hexadecimal digits"},
	{"q=%0g", "/q", "has a % that is not followed by two hexadecimal digits"},
	{"q=%00", "/q", "must not have control characters"},
	{"q=a%0Ab", "/q", "must not have control characters"},
	{"q=%7f", "/q", "must not have control characters"},
	{"q=%ff", "/q", "is not valid UTF-8"},
	{"q=%C3", "/q", "is not valid UTF-8"},
	{"q=%ED%A0%80", "/q", "is not valid UTF-8"},
	{"q=%C0%80", "/q", "is not valid UTF-8"},
	{"q=%C2%9B", "/q", "must not have control characters"},
	{"tag=a%09b", "/tag", "must not have control characters"},
	{"tag=%00", "/tag", "must not have control characters"},
	{"tag=%E2%80%A8a%E2%80%A8b", "/tag", "must not have control characters or line breaks"},
	{"tag=%E2%80%8B", "/tag", "must not be blank"},
	{"tag=+%C2%A0", "/tag", "must not be blank"},
	{"tag=+abcde+", "/tag", "must be at most 4 characters long"},
	{"tag=%20%ff", "/tag", "is not valid UTF-8"},
	{"after=2026-01-31T00:00:00+02:00", "/after",
	 "has a space where a + belongs: in a query, write + as %2B"},
	{"after=2026-01-31+00:00:00Z", "/after",
	 "must be a date and time of RFC 3339, such as 2026-01-31T23:59:59Z"},
	{"min_price=1e+2", "/min_price",
	 "has a space where a + belongs: in a query, write + as %2B"},
	{"sort=+name", "/sort", "must be one of \"name\", \"-name\""},
	{"Q=a", "/Q", "unknown parameter"},
	{"other=1", "/other", "unknown parameter"},
	{"a%2Fb~=1", "/a~1b~0", "unknown parameter"},
	{"=1", "/", "unknown parameter"},
	{"%ff=1", "", "the name of a parameter is not readable text"},
	{"%00=1", "", "the name of a parameter is not readable text"},
	{"q%00=1", "", "the name of a parameter is not readable text"},
	{"%=1", "",
	 "the name of a parameter has a % that is not followed by two hexadecimal digits"},
	{"limit=0", "/limit", "must be at least 1"},
	{"limit=201", "/limit", "must be at most 200"},
	{"limit=", "/limit", "must be a whole number"},
	{"limit=1.0", "/limit", "must be a whole number"},
	{"limit=1e1", "/limit", "must be a whole number"},
	{"limit=+1", "/limit", "must be a whole number"},
	{"limit=01", "/limit", "must be a whole number"},
	{"limit=-", "/limit", "must be a whole number"},
	{"limit=1%20", "/limit", "must be a whole number"},
	{"limit=0x1", "/limit", "must be a whole number"},
	{"limit=99999999999999999999", "/limit", "must have at most 18 significant digits"},
	{"min_price=-1", "/min_price", "must be at least 0"},
	{"min_price=1.999", "/min_price", "must have at most 2 decimals"},
	{"min_price=10000000", "/min_price", "must be at most 9999999.99"},
	{"min_price=x", "/min_price", "must be a number"},
	{"min_price=.5", "/min_price", "must be a number"},
	{"min_price=1.2345678901234567890123", "/min_price",
	 "must have at most 18 significant digits"},
	{"in_stock=1", "/in_stock", "must be true or false"},
	{"in_stock=TRUE", "/in_stock", "must be true or false"},
	{"in_stock", "/in_stock", "must be true or false"},
	{"sort=price", "/sort", "must be one of \"name\", \"-name\""},
};

START_TEST(invalid)
{
	check(invalid_cases[_i].query, NULL);
	ck_assert_uint_ge(violations.total, 1);
	ck_assert_str_eq(violations.list[0].in, "query");
	ck_assert_str_eq(violations.list[0].pointer, invalid_cases[_i].pointer);
	ck_assert_str_eq(violations.list[0].detail, invalid_cases[_i].detail);
}
END_TEST

START_TEST(nothing_sent)
{
	check("", NULL);
	ck_assert_uint_eq(violations.total, 0);
	ck_assert_uint_eq(arguments.count, 0);
	ck_assert_ptr_null(arguments_find(&arguments, "q"));
	check(NULL, NULL);
	ck_assert_uint_eq(violations.total, 0);
}
END_TEST

START_TEST(all_violations_at_once)
{
	check("limit=0&x=1&in_stock=2&q=fine", NULL);
	ck_assert_uint_eq(violations.total, 3);
	ck_assert_str_eq(arguments_find(&arguments, "q")->text, "fine");
}
END_TEST

START_TEST(required_ones)
{
	operation = contract_find(contract, "need");
	check("", NULL);
	ck_assert_uint_eq(violations.total, 2);
	ck_assert_str_eq(violations.list[0].in, "query");
	ck_assert_str_eq(violations.list[0].pointer, "/user");
	ck_assert_str_eq(violations.list[0].detail, "is required");
	ck_assert_str_eq(violations.list[1].in, "header");
	ck_assert_str_eq(violations.list[1].pointer, "/X-Need");
	ck_assert_str_eq(violations.list[1].detail, "is required");
}
END_TEST

START_TEST(required_ones_sent)
{
	operation = contract_find(contract, "need");
	check("user=u", "12");
	ck_assert_uint_eq(violations.total, 0);
	ck_assert_uint_eq(arguments.count, 2);
	ck_assert_int_eq(arguments_find(&arguments, "X-Need")->integer, 12);
}
END_TEST

static const struct {
	const char *value, *detail;
} header_cases[] = {
	{"abc", NULL},
	{"a b", "must match the pattern ^[!-~]+$"},
	{"", "must match the pattern ^[!-~]+$"},
	{"a\tb", "must not have control characters"},
	{"\xe9", "is not valid UTF-8"},
	/* Headers are not percent-encoded. */
	{"%41+", NULL},
};

START_TEST(headers)
{
	const char *detail = header_cases[_i].detail;

	check("", header_cases[_i].value);
	ck_assert_uint_eq(violations.total, detail ? 1 : 0);
	if (detail) {
		ck_assert_str_eq(violations.list[0].in, "header");
		ck_assert_str_eq(violations.list[0].pointer, "/Idempotency-Key");
		ck_assert_str_eq(violations.list[0].detail, detail);
	} else {
		ck_assert_str_eq(arguments_find(&arguments, "Idempotency-Key")->text,
				 header_cases[_i].value);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("parameters");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, valid, 0, ARRAY_SIZE(valid_cases));
	tcase_add_loop_test(tcase, invalid, 0, ARRAY_SIZE(invalid_cases));
	tcase_add_test(tcase, nothing_sent);
	tcase_add_test(tcase, all_violations_at_once);
	tcase_add_test(tcase, required_ones);
	tcase_add_test(tcase, required_ones_sent);
	tcase_add_loop_test(tcase, headers, 0, ARRAY_SIZE(header_cases));
	return unit_run(tcase, "parameters");
}
