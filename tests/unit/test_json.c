/* Reading values: types, members, numbers, equality; from several threads. */
#include <pthread.h>

#include "json_values.h"

START_TEST(types)
{
	static const char *const names[] = {"null",   "boolean", "number",
					    "string", "array",   "object"};
	struct json *values CLEANUP(json_free_p) = parse("[null,true,1,\"\",[],{}]");

	ck_assert_uint_eq(json_length(values), ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(json_type_name(json_type(json_at(values, i))), names[i]);
	ck_assert_int_eq(json_type(json_at(values, 0)), JSON_NULL);
	ck_assert(json_bool(json_at(values, 1)));
	ck_assert_int_eq(json_type(json_at(values, 2)), JSON_NUMBER);
}
END_TEST

START_TEST(members)
{
	struct json *object CLEANUP(json_free_p) = parse("{\"z\":1,\"a\":null,\"s\":\"x\\u00e9\"}");
	char order[8] = "";
	size_t length = 0, count = 0;

	json_each (object, member) {
		order[count++] = member.name[0];
		ck_assert_ptr_eq(member.value, json_get(object, member.name));
	}
	ck_assert_str_eq(order, "zas");
	ck_assert_uint_eq(json_length(object), 3);
	ck_assert_ptr_null(json_get(object, "q"));
	ck_assert_int_eq(json_type(json_get(object, "a")), JSON_NULL);
	ck_assert_ptr_null(json_get(json_get(object, "a"), "a"));
	ck_assert_ptr_null(json_get(json_get(object, "z"), "a"));
	ck_assert_str_eq(json_string(json_get(object, "s"), &length), "x\xC3\xA9");
	ck_assert_uint_eq(length, 3);
	ck_assert_str_eq(json_get_string(object, "s", "no"), "x\xC3\xA9");
	ck_assert_str_eq(json_get_string(object, "z", "no"), "no");
	ck_assert_str_eq(json_get_string(object, "q", "no"), "no");

	struct json *empty CLEANUP(json_free_p) = parse("{}");
	json_each (empty, member)
		ck_abort_msg("an empty object has no member %s", member.name);
}
END_TEST

static const struct {
	const char *text;
	bool integer;
	int64_t number;
} number_cases[] = {
	{"1", true, 1},
	{"1.0", true, 1},
	{"1e2", true, 100},
	{"-2.50e1", true, -25},
	{"1.5", false, 0},
	{"1e-1", false, 0},
	{"9223372036854775807", true, INT64_MAX},
	{"9223372036854775807.0", true, INT64_MAX},
	{"1e19", true, INT64_MAX},
	{"-1e19", true, INT64_MIN},
	{"99999999999999999999.0", true, INT64_MAX},
	{"99999999999999999999.5", false, 0},
	{"-1e500", true, INT64_MIN},
	{"1e-500", false, 0},
};

START_TEST(numbers)
{
	struct json *value CLEANUP(json_free_p) = parse(number_cases[_i].text);

	ck_assert_str_eq(json_number_text(value), number_cases[_i].text);
	ck_assert_int_eq(json_is_integer(value), number_cases[_i].integer);
	if (number_cases[_i].integer)
		ck_assert_int_eq(json_int(value), number_cases[_i].number);
}
END_TEST

START_TEST(decimals)
{
	struct json *values CLEANUP(json_free_p) = parse("[12.50,9223372036854775807,1e500]");
	struct decimal value;

	ck_assert_int_eq(json_decimal(json_at(values, 0), &value), 0);
	ck_assert_int_eq(value.mantissa, 125);
	ck_assert_int_eq(value.scale, 1);
	ck_assert_int_eq(json_decimal(json_at(values, 1), &value), 0);
	ck_assert_int_eq(value.mantissa, INT64_MAX);
	ck_assert_int_eq(json_decimal(json_at(values, 2), &value), -ERANGE);
	ck_assert(!json_is_integer(values));
}
END_TEST

static const struct {
	const char *a, *b;
	bool equal;
} equal_cases[] = {
	{"null", "null", true},
	{"null", "false", false},
	{"null", "0", false},
	{"true", "true", true},
	{"true", "false", false},
	{"1", "1.0", true},
	{"100", "1e2", true},
	{"1", "1.0000001", false},
	{"0.1", "0.10", true},
	{"9223372036854775807", "9223372036854775806", false},
	{"1e500", "1e500", true},
	{"\"a\"", "\"\\u0061\"", true},
	{"\"a\"", "\"A\"", false},
	{"\"1\"", "1", false},
	{"[1,2]", "[1,2.0]", true},
	{"[1,2]", "[2,1]", false},
	{"[1]", "[1,1]", false},
	{"{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"a\":1}", true},
	{"{\"a\":1}", "{\"b\":1}", false},
	{"{\"a\":null}", "{\"b\":null}", false},
	{"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
	{"[]", "{}", false},
};

START_TEST(equality)
{
	struct json *a CLEANUP(json_free_p) = parse(equal_cases[_i].a);
	struct json *b CLEANUP(json_free_p) = parse(equal_cases[_i].b);

	ck_assert_int_eq(json_equal(a, b), equal_cases[_i].equal);
	ck_assert_int_eq(json_equal(b, a), equal_cases[_i].equal);
}
END_TEST

static void *read_shared(void *argument)
{
	const struct json *value = argument;
	struct text out = TEXT_INIT(1000);

	bool good = true;
	for (int i = 0; i < 200 && good; i++) {
		text_reset(&out);
		json_print(value, &out);
		good = strcmp(text_string(&out), "[1,2.5,{\"a\":\"b\"}]") == 0 &&
		       strcmp(json_number_text(json_at(value, 0)), "1") == 0 &&
		       json_equal(value, value);
	}
	text_release(&out);
	return good ? argument : NULL;
}

/* ThreadSanitizer reports whether reading changes anything. */
START_TEST(shared_values_are_read_by_threads)
{
	struct json *value CLEANUP(json_free_p) = parse("[1,2.5,{\"a\":\"b\"}]");
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_shared, value), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result;
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		ck_assert_ptr_eq(result, value);
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, types);
	tcase_add_test(tests, members);
	tcase_add_loop_test(tests, numbers, 0, ARRAY_SIZE(number_cases));
	tcase_add_test(tests, decimals);
	tcase_add_loop_test(tests, equality, 0, ARRAY_SIZE(equal_cases));
	tcase_add_test(tests, shared_values_are_read_by_threads);
	return unit_run(tests, "json");
}
