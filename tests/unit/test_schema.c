/* The schemas are those of contracts/schema.json. */
#include "contract/schema.h"

#include "json_values.h"
#include "schemas.h"

static struct json *value;
static struct violations violations;

static void stop(void)
{
	violations_release(&violations);
	json_free(value);
}

/* detail NULL: the value is valid. */
static const struct {
	const char *schema, *value, *pointer, *detail;
} check_cases[] = {
	{"anything", "null", "", NULL},
	{"string", "\"\"", "", NULL},
	{"string", "1", "", "must be a string, not a number"},
	{"string", "null", "", "must be a string, not null"},
	{"string_or_null", "null", "", NULL},
	{"string_or_null", "[]", "", "must be a string or null, not an array"},
	{"boolean", "{}", "", "must be true or false, not an object"},
	{"integer", "1.0", "", NULL},
	{"integer", "1e2", "", NULL},
	{"integer", "9223372036854775807", "", NULL},
	{"integer", "-9223372036854775808", "", NULL},
	{"integer", "1e300", "", "must fit a 64-bit integer"},
	{"integer", "1.5", "", "must be a whole number, not a number with a fraction"},
	{"integer", "true", "", "must be a whole number, not a boolean"},
	{"number", "1.5", "", NULL},
	{"number", "1e300", "", NULL},
	{"number", "\"1\"", "", "must be a number, not a string"},
	{"a_or_b", "\"b\"", "", NULL},
	{"a_or_b", "\"c\"", "", "must be one of \"a\", \"b\""},
	{"a_or_b", "\"ab\"", "", "must be one of \"a\", \"b\""},
	{"a_or_b", "2", "", "must be one of \"a\", \"b\""},
	{"at_least_1", "1", "", NULL},
	{"at_least_1", "0.99", "", "must be at least 1"},
	{"at_least_1", "\"0\"", "", NULL},
	{"at_most_a_price", "9999999.99", "", NULL},
	{"at_most_a_price", "9999999.991", "", "must be at most 9999999.99"},
	{"at_least_0", "1.234567890123456789012", "", "must have at most 18 significant digits"},
	{"two_decimals", "19.99", "", NULL},
	{"two_decimals", "1.10000", "", NULL},
	{"two_decimals", "-12.34", "", NULL},
	{"two_decimals", "19990000000000e-12", "", NULL},
	{"two_decimals", "0.000", "", NULL},
	{"two_decimals", "\"0.001\"", "", NULL},
	{"two_decimals", "19.999", "", "must have at most 2 decimals"},
	{"two_decimals", "1e-400", "", "must have at most 2 decimals"},
	{"one_decimal", "0.15", "", "must have at most 1 decimal"},
	{"no_decimals", "0.5", "", "must be a whole number"},
	{"no_decimals", "1e400", "", NULL},
	{"int64", "9223372036854775807", "", NULL},
	{"int32_or_null", "10", "", "must be at most 9"},
	{"not_0", "1", "", NULL},
	{"not_0", "\"0\"", "", NULL},
	{"not_0", "-0.0", "", "must not be 0"},
	{"not_empty", "\"\"", "", "must not be empty"},
	{"two_characters", "\"\xc3\xa9\"", "", "must be at least 2 characters long"},
	{"one_character", "\"\xf0\x9f\x98\x80\"", "", NULL},
	{"one_character", "\"ab\"", "", "must be at most 1 character long"},
	{"lower_case", "\"abc\"", "", NULL},
	{"lower_case", "\"aBc\"", "", "must match the pattern ^[a-z]+$"},
	{"has_b", "\"abc\"", "", NULL},
	{"no_space", "\"\xf0\x9f\x98\x80\"", "", NULL},
	{"no_space", "\"\xc3\xa9\xc3\xa9\"", "", "must match the pattern ^[^ ]$"},
	{"no_hyphen_or_a", "\"-\"", "", "must match the pattern ^[^-a-]$"},
	{"no_hyphen_or_a", "\"b\"", "", NULL},
	{"no_a_or_hyphen", "\"-\"", "", "must match the pattern ^[^a-]$"},
	{"no_hyphen", "\"-\"", "", "must match the pattern ^[^-]$"},
	{"two_of_a_and_b", "\"ab\"", "", NULL},
	{"escaped", "\"./}\"", "", NULL},
	{"dot", "\"x\"", "", "must match the pattern ^\\.$"},
	{"date_time", "\"2026-01-31T23:59:59.5+02:00\"", "", NULL},
	{"date_time", "\"2026-02-30T00:00:00Z\"", "",
	 "must be a date and time of RFC 3339, such as 2026-01-31T23:59:59Z"},
	{"needs_a", "{\"a\":null}", "", NULL},
	{"needs_a_slash_b", "{}", "/a~1b", "is required"},
	{"string_a", "{\"a\":1}", "/a", "must be a string, not a number"},
	{"any_a", "{\"b\":1}", "", NULL},
	{"only_a", "{\"b~\":1}", "/b~0", "unknown member"},
	{"impossible", "{\"a\":1}", "/a", "unknown member"},
	{"list_of_at_least_1", "[1,0]", "/1", "must be at least 1"},
	{"two_items", "[1]", "", "must have at least 2 items"},
	{"one_item", "[1,2]", "", "must have at most 1 item"},
	{"unique", "[1,2,1.0]", "/2", "repeats the item at 0"},
	{"unique", "[1,true,\"1\",[1]]", "", NULL},
	{"repeated", "[1,1]", "", NULL},
	{"from_1_to_3", "4", "", "must be at most 3"},
	{"from_1_to_3", "2", "", NULL},
	{"null_or_string", "null", "", NULL},
	{"null_or_some", "\"\"", "", "must not be empty"},
	{"null_or_string", "1", "", "fits none of the allowed forms"},
	{"outside_1_to_5", "3", "", "must be at least 5, or must be at most 1"},
	{"a_xor_b", "{}", "", "fits none of the allowed forms"},
	{"below_5_or_above_9", "7", "", "fits 2 of the allowed forms, not just one"},
	{"below_5_or_above_9", "10", "", NULL},
	{"needs_a_or_null", "{}", "/a", "is required"},
	{"reference_and_more", "0", "", "must be at least 1"},
	{"reference_and_more", "4", "", "must be at most 3"},
	{"escaped_reference", "0", "", "must be at least 1"},
	{"chain", "{\"next\":{\"next\":{\"id\":\"x\"}}}", "/next/next/id",
	 "must be a whole number, not a string"},
	{"annotated", "{}", "", NULL},
	{"many_values", "\"x\"", "", "must be one of the allowed values"},
};

START_TEST(checking)
{
	const struct schema *schema = find(check_cases[_i].schema);
	const char *detail = check_cases[_i].detail;

	value = parse(check_cases[_i].value);
	bool fits = schema_check(schema, value, "body", "", &violations);
	ck_assert_msg(fits == !detail, "%s against %s", check_cases[_i].value,
		      check_cases[_i].schema);
	ck_assert_uint_eq(violations.total, detail ? 1 : 0);
	ck_assert_int_eq(schema_check(schema, value, "body", "", NULL), fits);
	if (!detail)
		return;
	ck_assert_str_eq(violations.list[0].in, "body");
	ck_assert_str_eq(violations.list[0].pointer, check_cases[_i].pointer);
	ck_assert_str_eq(violations.list[0].detail, detail);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
} uri_cases[] = {
	{"https://example.com/a.png", true},
	{"http://user:pw@example.com:8080/a/b?c=d&e=%20#f", true},
	{"http://[::1]:80/", true},
	{"urn:isbn:0451450523", true},
	{"mailto:a@b.example", true},
	{"file:///etc/passwd", true},
	{"data:,x", true},
	{"", false},
	{":", false},
	{"//example.com/x", false},
	{"/relative", false},
	{"example.com", false},
	{"1http://example.com", false},
	{"http:// example.com", false},
	{"http://example.com/\xc3\xa9", false},
	{"http://example.com/%2", false},
	{"http://example.com/%zz", false},
	{"http://example.com:80a/", false},
	{"http://a@b@c/", false},
	{"http://[::1/", false},
	{"http://[]/", false},
	{"http://x/<script>", false},
	{"http://x/#a#b", false},
	{"ht_tp://x", false},
};

START_TEST(uris)
{
	const struct schema *schema = find("uri");

	ck_assert_msg(schema_check_string(schema, uri_cases[_i].text, strlen(uri_cases[_i].text),
					  "query", "/u", &violations) == uri_cases[_i].valid,
		      "%s", uri_cases[_i].text);
}
END_TEST

START_TEST(every_place_is_reported)
{
	static const char *const expected[][2] = {
		{"/cart/items/0/quantity", "must be at least 1"},
		{"/cart/items/1/note", "unknown member"},
		{"/cart/items/1/quantity", "is required"},
		{"/cart/user", "is required"},
	};

	const struct schema *schema = find("cart");

	value = parse("{\"items\":[{\"quantity\":0},{\"note\":1}]}");
	ck_assert(!schema_check(schema, value, "body", "/cart", &violations));
	ck_assert_uint_eq(violations.total, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_str_eq(violations.list[i].pointer, expected[i][0]);
		ck_assert_str_eq(violations.list[i].detail, expected[i][1]);
	}
}
END_TEST

START_TEST(many_violations_are_counted)
{
	const struct schema *schema = find("strings");
	struct text list = TEXT_INIT(1u << 20);

	text_append_string(&list, "[0");
	for (int i = 1; i < 5000; i++)
		text_append_string(&list, ",0");
	text_append_char(&list, ']');
	value = parse(text_string(&list));
	text_release(&list);
	ck_assert(!schema_check(schema, value, "body", "", &violations));
	ck_assert_uint_eq(violations.count, VIOLATIONS_MAX);
	ck_assert_uint_eq(violations.total, 5000);
}
END_TEST

START_TEST(unique_items_bound_the_work)
{
	const struct schema *schema = find("unique");
	struct text list = TEXT_INIT(1u << 20);

	text_append_string(&list, "[0");
	for (int i = 1; i <= 1000; i++)
		text_printf(&list, ",%d", i);
	text_append_char(&list, ']');
	value = parse(text_string(&list));
	text_release(&list);
	ck_assert(!schema_check(schema, value, "body", "", &violations));
	ck_assert_str_eq(violations.list[0].detail, "must have at most 1000 items");
}
END_TEST

START_TEST(values_that_are_no_json)
{
	const struct schema *schema = find("at_least_1");
	struct decimal five = {5, 0}, half = {5, 1};

	ck_assert(schema_check_number(schema, five, "query", "", NULL));
	ck_assert(!schema_check_number(schema, half, "query", "", NULL));
	/* The text need not end where the string does. */
	schema = find("a_or_b");
	ck_assert(schema_check_string(schema, "abc", 1, "query", "", NULL));
	ck_assert(!schema_check_string(schema, "abc", 3, "query", "/q", &violations));
	ck_assert_str_eq(violations.list[0].in, "query");
	ck_assert_str_eq(violations.list[0].pointer, "/q");
	ck_assert_str_eq(violations.list[0].detail, "must be one of \"a\", \"b\"");
}
END_TEST

START_TEST(patterns_end_where_the_string_does)
{
	const struct schema *schema = find("only_a_strings");

	ck_assert(schema_check_string(schema, "aab", 2, "path", "", NULL));
	ck_assert(!schema_check_string(schema, "aab", 3, "path", "", NULL));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("schema");

	tcase_add_checked_fixture(tcase, NULL, stop);
	tcase_add_loop_test(tcase, checking, 0, ARRAY_SIZE(check_cases));
	tcase_add_loop_test(tcase, uris, 0, ARRAY_SIZE(uri_cases));
	tcase_add_test(tcase, every_place_is_reported);
	tcase_add_test(tcase, many_violations_are_counted);
	tcase_add_test(tcase, unique_items_bound_the_work);
	tcase_add_test(tcase, values_that_are_no_json);
	tcase_add_test(tcase, patterns_end_where_the_string_does);
	return unit_run(tcase, "schema");
}
