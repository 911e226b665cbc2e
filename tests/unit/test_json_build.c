/* Values that are built, copied and merged. */
#include "json_values.h"

START_TEST(building)
{
	struct json *object CLEANUP(json_free_p) = json_new_object();
	struct json *list = json_new_array();

	ck_assert_int_eq(json_push(list, parse("-9223372036854775808")), 0);
	ck_assert_int_eq(json_push(list, parse("0.10")), 0);
	ck_assert_int_eq(json_push(list, parse("7")), 0);
	ck_assert_int_eq(json_push(list, json_new_string("q\"\n")), 0);
	ck_assert_int_eq(json_push(list, NULL), -ENOMEM);
	ck_assert_int_eq(json_set(object, "list", list), 0);
	ck_assert_int_eq(json_set(object, "gone", json_new_string("1")), 0);
	ck_assert_int_eq(json_set(object, "n", json_new_string("1")), 0);
	ck_assert_int_eq(json_set(object, "n", json_new_string("2")), 0);
	ck_assert_int_eq(json_set(object, "m", NULL), -ENOMEM);
	json_remove(object, "gone");
	json_remove(object, "never there");
	assert_prints(object, "{\"list\":[-9223372036854775808,0.10,7,\"q\\\"\\n\"],\"n\":\"2\"}");
	ck_assert(json_is_integer(json_at(json_get(object, "list"), 2)));
	ck_assert_int_eq(json_int(json_at(json_get(object, "list"), 2)), 7);
}
END_TEST

START_TEST(copies_are_deep)
{
	static const char text[] = "{\"a\":[1,2.50,null,true,\"x\",{\"b\":-7}],\"n\":null}";
	struct json *original = parse(text);
	struct json *copy CLEANUP(json_free_p) = json_copy(original);

	ck_assert_ptr_nonnull(copy);
	ck_assert_ptr_ne(copy, original);
	ck_assert(json_equal(copy, original));
	json_remove(original, "a");
	json_free(original);
	assert_prints(copy, text);

	struct json *null CLEANUP(json_free_p) = parse("null");
	struct json *null_copy CLEANUP(json_free_p) = json_copy(null);
	ck_assert_int_eq(json_type(null_copy), JSON_NULL);
}
END_TEST

/* The table of RFC 7396 appendix A, then our own. */
static const struct {
	const char *original, *patch, *result;
} merge_cases[] = {
	{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
	{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
	{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
	{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
	{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
	{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
	{"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
	{"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
	{"{\"a\":\"foo\"}", "null", "null"},
	{"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
	{"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
	{"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
	{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
	{"null", "{\"a\":1}", "{\"a\":1}"},
	{"{\"a\":1}", "{\"a\":{\"b\":null,\"c\":2.50}}", "{\"a\":{\"c\":2.50}}"},
	{"{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"c\":null}}}",
	 "{\"a\":{\"b\":{\"d\":2}}}"},
	{"{\"a\":1}", "{}", "{\"a\":1}"},
};

START_TEST(merge_patch)
{
	struct json *target CLEANUP(json_free_p) = parse(merge_cases[_i].original);
	struct json *patch = parse(merge_cases[_i].patch);

	ck_assert_int_eq(json_merge_patch(&target, patch), 0);
	assert_prints(patch, merge_cases[_i].patch);
	json_free(patch); /* the target must not lean on it */
	assert_prints(target, merge_cases[_i].result);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json_build");

	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, building);
	tcase_add_test(tests, copies_are_deep);
	tcase_add_loop_test(tests, merge_patch, 0, ARRAY_SIZE(merge_cases));
	return unit_run(tests, "json_build");
}
