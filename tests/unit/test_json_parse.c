/* What the parser accepts and how it prints; what it refuses, and where. */
#include "json_values.h"

static const struct {
	const char *text, *printed;
} good_cases[] = {
	{"null", "null"},
	{" true\t", "true"},
	{"\r\nfalse\n", "false"},
	{"0", "0"},
	{"-0", "-0"},
	{"-0.0", "-0.0"},
	{"12.50", "12.50"},
	{"1e2", "1e2"},
	{"1E+02", "1E+02"},
	{"1e400", "1e400"},
	{"0.1234567890123456789012345678901234567890",
	 "0.1234567890123456789012345678901234567890"},
	{"9223372036854775807", "9223372036854775807"},
	{"-9223372036854775808", "-9223372036854775808"},
	{"\"\"", "\"\""},
	{"\"a\\u00e9\\n\\/\"", "\"a\xC3\xA9\\n/\""},
	{"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
	{"\"\\uD834\\udd1E\"", "\"\xF0\x9D\x84\x9E\""},
	{"\"\\\\u0000\"", "\"\\\\u0000\""},
	{"\"\\\\\\\"\"", "\"\\\\\\\"\""},
	{"\"\x7F\"", "\"\x7F\""},
	{"\"\\u001f\"", "\"\\u001f\""},
	{"\"\xF4\x8F\xBF\xBF\"", "\"\xF4\x8F\xBF\xBF\""},
	{"[]", "[]"},
	{"[ ]", "[]"},
	{"{}", "{}"},
	{"[1,[2,[3,null]],{}]", "[1,[2,[3,null]],{}]"},
	{"{ \"b\" : 1 , \"a\" : [ true ] }", "{\"b\":1,\"a\":[true]}"},
	{"{\"\":1,\" \":2}", "{\"\":1,\" \":2}"},
	{"{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":{\"a\":{\"a\":1}}}"},
	{"[{\"a\":1},{\"a\":1}]", "[{\"a\":1},{\"a\":1}]"},
	{"{\"a\":\"a\\\":\",\"b\":\"{\"}", "{\"a\":\"a\\\":\",\"b\":\"{\"}"},
	{"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"},
};

START_TEST(accepts)
{
	struct json *value CLEANUP(json_free_p) = parse(good_cases[_i].text);
	assert_prints(value, good_cases[_i].printed);
}
END_TEST

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const char *text;
	size_t length;
	size_t offset;
	const char *detail;
} bad_cases[] = {
	{TEXT(""), 0, "unexpected end"},
	{TEXT("  "), 2, "unexpected end"},
	{TEXT("["), 1, "unexpected end"},
	{TEXT("{\"a\":"), 5, "unexpected end"},
	{TEXT("{\"a\""), 4, "unexpected end"},
	{TEXT("[1,"), 3, "unexpected end"},
	{TEXT("'a'"), 0, "expected a value"},
	{TEXT("{'a':1}"), 1, "expected a member name in double quotes"},
	{TEXT("NaN"), 0, "expected a value"},
	{TEXT("nan"), 0, "expected a value"},
	{TEXT("Infinity"), 0, "expected a value"},
	{TEXT("-Infinity"), 0, "malformed number"},
	{TEXT("[-NaN]"), 1, "malformed number"},
	{TEXT("True"), 0, "expected a value"},
	{TEXT("NULL"), 0, "expected a value"},
	{TEXT("nul"), 0, "expected a value"},
	{TEXT("truefalse"), 4, "text after the value"},
	{TEXT("truex"), 4, "text after the value"},
	{TEXT("undefined"), 0, "expected a value"},
	{TEXT("// x\n1"), 0, "expected a value"},
	{TEXT("/* x */1"), 0, "expected a value"},
	{TEXT("\v1"), 0, "expected a value"},
	{TEXT("\f1"), 0, "expected a value"},
	{TEXT("\xC2\xA0"
	      "1"),
	 0, "expected a value"},
	{TEXT("\xEF\xBB\xBF{}"), 0, "expected a value"},
	{TEXT("1\0"), 1, "text after the value"},
	{TEXT("{}\0{}"), 2, "text after the value"},
	/* grammar */
	{TEXT("{} {}"), 3, "text after the value"},
	{TEXT("1 2"), 2, "text after the value"},
	{TEXT("[1] x"), 4, "text after the value"},
	{TEXT("[1,]"), 3, "expected a value"},
	{TEXT("[,1]"), 1, "expected a value"},
	{TEXT("[1,,2]"), 3, "expected a value"},
	{TEXT("[1 2]"), 3, "expected ',' or ']'"},
	{TEXT("[1}"), 2, "expected ',' or ']'"},
	{TEXT("[\"a\":1]"), 4, "expected ',' or ']'"},
	{TEXT("]"), 0, "expected a value"},
	{TEXT("}"), 0, "expected a value"},
	{TEXT(":"), 0, "expected a value"},
	{TEXT(","), 0, "expected a value"},
	{TEXT("{\"a\":1,}"), 7, "expected a member name in double quotes"},
	{TEXT("{,\"a\":1}"), 1, "expected a member name in double quotes"},
	{TEXT("{\"a\" 1}"), 5, "expected ':'"},
	{TEXT("{\"a\",1}"), 4, "expected ':'"},
	{TEXT("{\"a\":}"), 5, "expected a value"},
	{TEXT("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}'"},
	{TEXT("{\"a\":1:2}"), 6, "expected ',' or '}'"},
	{TEXT("{1:2}"), 1, "expected a member name in double quotes"},
	{TEXT("{null:2}"), 1, "expected a member name in double quotes"},
	{TEXT("{[]:2}"), 1, "expected a member name in double quotes"},
	{TEXT("{\"a\":1]"), 6, "expected ',' or '}'"},
	/* numbers */
	{TEXT("01"), 0, "malformed number"},
	{TEXT("-01"), 0, "malformed number"},
	{TEXT("-"), 0, "malformed number"},
	{TEXT("--1"), 0, "malformed number"},
	{TEXT("+1"), 0, "expected a value"},
	{TEXT(".5"), 0, "expected a value"},
	{TEXT("1."), 0, "malformed number"},
	{TEXT("1.e2"), 0, "malformed number"},
	{TEXT("1e"), 0, "malformed number"},
	{TEXT("1e+"), 0, "malformed number"},
	{TEXT("1e5.2"), 0, "malformed number"},
	{TEXT("1.2.3"), 0, "malformed number"},
	{TEXT("0x1F"), 0, "malformed number"},
	{TEXT("1_000"), 1, "text after the value"},
	{TEXT("[12abc]"), 1, "malformed number"},
	{TEXT("9223372036854775808"), 0, "integer beyond 64 bits"},
	{TEXT("-9223372036854775809"), 0, "integer beyond 64 bits"},
	{TEXT("[1, 18446744073709551615]"), 4, "integer beyond 64 bits"},
	{TEXT("99999999999999999999999999"), 0, "integer beyond 64 bits"},
	/* strings */
	{TEXT("\"abc"), 0, "string without end"},
	{TEXT("[\"abc\\\"]"), 1, "string without end"},
	{TEXT("\"a\tb\""), 2, "control character in string"},
	{TEXT("\"a\nb\""), 2, "control character in string"},
	{TEXT("\"a\0b\""), 2, "control character in string"},
	{TEXT("\"\\x41\""), 1, "unknown escape in string"},
	{TEXT("\"\\'\""), 1, "unknown escape in string"},
	{TEXT("\"\\"), 1, "unknown escape in string"},
	{TEXT("\"\\\0\""), 1, "unknown escape in string"},
	{TEXT("\"\\u12\""), 1, "\\u needs four hexadecimal digits"},
	{TEXT("\"\\u12G4\""), 1, "\\u needs four hexadecimal digits"},
	{TEXT("\"\\u"), 1, "\\u needs four hexadecimal digits"},
	{TEXT("\"ab\\u0000\""), 3, "\\u0000 is not allowed"},
	{TEXT("\"\\ud800\""), 1, "surrogate without its other half"},
	{TEXT("\"\\ud800x\""), 1, "surrogate without its other half"},
	{TEXT("\"\\ud800\\u0041\""), 1, "surrogate without its other half"},
	{TEXT("\"\\ud800\\ud800\""), 1, "surrogate without its other half"},
	{TEXT("\"\\udc00\""), 1, "surrogate without its other half"},
	{TEXT("{\"\\udfff\":1}"), 2, "surrogate without its other half"},
	{TEXT("\"\xFF\""), 1, "invalid UTF-8"},
	{TEXT("\"a\x80\""), 2, "invalid UTF-8"},
	{TEXT("\"\xC0\xAF\""), 1, "invalid UTF-8"},
	{TEXT("\"\xE0\x80\xAF\""), 1, "invalid UTF-8"},
	{TEXT("\"\xED\xA0\x80\""), 1, "invalid UTF-8"},
	{TEXT("\"\xF4\x90\x80\x80\""), 1, "invalid UTF-8"},
	{TEXT("\"\xF0\x80\x80\x80\""), 1, "invalid UTF-8"},
	{TEXT("\"\xE2\x82\""), 1, "invalid UTF-8"},
	{TEXT("\"\xE2\x82"), 1, "invalid UTF-8"},
	/* nesting and names */
	{TEXT("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), 16, "nested too deeply"},
	{TEXT("[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]"), 16, "nested too deeply"},
	{TEXT("{\"a\":1,\"a\":2}"), 7, "duplicate member \"a\""},
	{TEXT("{\"a\":1,\"\\u0061\":1}"), 7, "duplicate member \"a\""},
	{TEXT("{\"a\":null,\"b\":1,\"a\":null}"), 16, "duplicate member \"a\""},
	{TEXT("[0,{\"x\":{\"q\":1},\"y\":{\"q\":1,\"q\" : 2}}]"), 27, "duplicate member \"q\""},
	{TEXT("{\"a\":{\"b\":1},\"a\":{\"b\":1}}"), 13, "duplicate member \"a\""},
	{TEXT("{\"a\":\"{\\\"\",\"\":1,\"\":2}"), 16, "duplicate member \"\""},
};

START_TEST(refuses)
{
	struct json *value = NULL;
	struct json_error error = {0};
	const char *text = bad_cases[_i].text;
	/* The exact size on the heap lets AddressSanitizer see a read beyond it. */
	char *copy CLEANUP(free_p) = malloc(bad_cases[_i].length);

	if (bad_cases[_i].length > 0)
		memcpy(copy, text, bad_cases[_i].length);
	ck_assert_int_eq(json_parse(copy, bad_cases[_i].length, JSON_DEPTH_MAX, &value, &error),
			 -EINVAL);
	ck_assert_ptr_null(value);
	ck_assert_uint_eq(error.offset, bad_cases[_i].offset);
	ck_assert_str_eq(error.detail, bad_cases[_i].detail);
}
END_TEST

START_TEST(error_has_line_and_column)
{
	struct json *value = NULL;
	struct json_error error;
	const char *text = "{\n  \"a\": 1,\n  \"b\": tru\n}";

	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_MAX, &value, &error), -EINVAL);
	ck_assert_uint_eq(error.offset, 19);
	ck_assert_uint_eq(error.line, 3);
	ck_assert_uint_eq(error.column, 8);
}
END_TEST

START_TEST(long_duplicate_name_is_cut)
{
	struct json *value = NULL;
	struct json_error error;
	char text[1000], name[401];

	for (size_t i = 0; i < sizeof(name) - 1; i += 2)
		memcpy(name + i, "\xC3\xA9", 2);
	name[400] = '\0';
	snprintf(text, sizeof(text), "{\"%s\":1,\"%s\":2}", name, name);
	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_MAX, &value, &error), -EINVAL);
	name[80] = '\0';
	char expected[500];
	snprintf(expected, sizeof(expected), "duplicate member \"%s\"", name);
	ck_assert_str_eq(error.detail, expected);
}
END_TEST

/* Quadratic search would take minutes here. */
START_TEST(duplicate_among_many_is_found_fast)
{
	struct text text = TEXT_INIT(4 << 20);
	struct json *value = NULL;
	struct json_error error;

	text_append_char(&text, '{');
	for (int i = 0; i < 100000; i++)
		text_printf(&text, "\"m%d\":0,", i);
	size_t offset = text.length;
	text_append_string(&text, "\"m5\":0}");
	ck_assert_int_eq(json_parse(text.data, text.length, JSON_DEPTH_MAX, &value, &error),
			 -EINVAL);
	ck_assert_uint_eq(error.offset, offset);
	ck_assert_str_eq(error.detail, "duplicate member \"m5\"");
	text_release(&text);
}
END_TEST

START_TEST(depth_limit_is_the_callers)
{
	struct json *value = NULL;
	struct json_error error;

	ck_assert_int_eq(json_parse("[[1]]", 5, 1, &value, &error), -EINVAL);
	ck_assert_int_eq(json_parse("[[1]]", 5, 2, &value, &error), 0);
	json_free(value);
	ck_assert_int_eq(json_parse("7", 1, 0, &value, &error), 0);
	json_free(value);

	char deep[200];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	ck_assert_int_eq(json_parse(deep, 200, 99, &value, &error), -EINVAL);
	ck_assert_int_eq(json_parse(deep, 200, 100, &value, &error), 0);
	json_free(value);
}
END_TEST

/* An array of that many values in all, itself included. */
static void write_array(struct text *text, const char *element, size_t values)
{
	text_append_char(text, '[');
	for (size_t i = 1; i < values; i++)
		text_printf(text, "%s%s", i > 1 ? "," : "", element);
	text_append_char(text, ']');
}

static const char *const small_values[] = {"{}", "[]", "1", "\"\"", "null", "false"};

START_TEST(what_clients_send_has_a_limit_of_values)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1 << 20);
	struct json *value = NULL;
	struct json_error error;

	write_array(&text, small_values[_i], JSON_VALUES_MAX);
	ck_assert_int_eq(json_parse_input(text.data, text.length, &value, &error), 0);
	ck_assert_uint_eq(json_length(value), JSON_VALUES_MAX - 1);
	json_free(value);
	value = NULL;

	text_reset(&text);
	write_array(&text, small_values[_i], JSON_VALUES_MAX + 1);
	ck_assert_int_eq(json_parse_input(text.data, text.length, &value, &error), -EINVAL);
	ck_assert_ptr_null(value);
	ck_assert_str_eq(error.detail, "more than 1000 values");
	ck_assert_uint_eq(error.offset, text.length - 1 - strlen(small_values[_i]));
	ck_assert_int_eq(json_parse(text.data, text.length, 2, &value, &error), 0);
	json_free(value);
}
END_TEST

START_TEST(members_and_what_is_nested_count)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1 << 20);
	struct json *value = NULL;
	struct json_error error;

	text_append_string(&text, "[[[");
	for (size_t i = 0; i < JSON_VALUES_MAX / 2 - 1; i++)
		text_printf(&text, "{\"m%zu\":0},", i);
	text_append_string(&text, "0]]]");
	ck_assert_int_eq(json_parse_input(text.data, text.length, &value, &error), -EINVAL);
	ck_assert_str_eq(error.detail, "more than 1000 values");
	ck_assert_int_eq(json_parse_input("[[[[[[[[[[[[[[[[[1", 18, &value, &error), -EINVAL);
	ck_assert_str_eq(error.detail, "nested too deeply");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json_parse");

	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, accepts, 0, ARRAY_SIZE(good_cases));
	tcase_add_loop_test(tests, refuses, 0, ARRAY_SIZE(bad_cases));
	tcase_add_test(tests, error_has_line_and_column);
	tcase_add_test(tests, long_duplicate_name_is_cut);
	tcase_add_test(tests, duplicate_among_many_is_found_fast);
	tcase_add_test(tests, depth_limit_is_the_callers);
	tcase_add_loop_test(tests, what_clients_send_has_a_limit_of_values, 0,
			    ARRAY_SIZE(small_values));
	tcase_add_test(tests, members_and_what_is_nested_count);
	return unit_run(tests, "json_parse");
}
