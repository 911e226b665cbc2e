#include "base/json_pointer.h"

#include "unit.h"

/* RFC 6901 section 5, and what is beside it. */
#define DOCUMENT                                                                                   \
	"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"  \
	"\"k\\\"l\":6,\" \":7,\"m~n\":8,\"realm\":{\"roles\":[[9]],\"0\":10},\"~1\":11}"

static const struct {
	const char *pointer;
	int value; /* -1: none */
} places[] = {
	{"/", 0},           {"/a~1b", 1},
	{"/c%d", 2},        {"/e^f", 3},
	{"/g|h", 4},        {"/i\\j", 5},
	{"/k\"l", 6},       {"/ ", 7},
	{"/m~0n", 8},       {"/realm/roles/0/0", 9},
	{"/realm/0", 10},   {"/~01", 11},
	{"/missing", -1},   {"/foo/2", -1},
	{"/foo/-", -1},     {"/foo/00", -1},
	{"/foo/01", -1},    {"/foo/+1", -1},
	{"/foo/", -1},      {"/foo/18446744073709551616", -1},
	{"/foo/0/bar", -1}, {"/a~1b/x", -1},
	{"//", -1},
};

START_TEST(values)
{
	struct json *document CLEANUP(json_free_p) = NULL;
	struct json_error error;
	ck_assert_int_eq(json_parse(DOCUMENT, strlen(DOCUMENT), 8, &document, &error), 0);
	ck_assert(json_pointer_is_valid(places[_i].pointer));
	const struct json *found = json_pointer_get(document, places[_i].pointer);
	if (places[_i].value < 0) {
		ck_assert_ptr_null(found);
	} else {
		ck_assert_ptr_nonnull(found);
		ck_assert_int_eq(json_int(found), places[_i].value);
	}
}
END_TEST

START_TEST(whole_document_and_elements)
{
	struct json *document CLEANUP(json_free_p) = NULL;
	struct json_error error;
	ck_assert_int_eq(json_parse(DOCUMENT, strlen(DOCUMENT), 8, &document, &error), 0);
	ck_assert_ptr_eq(json_pointer_get(document, ""), document);
	ck_assert_str_eq(json_string(json_pointer_get(document, "/foo/1"), NULL), "baz");
	ck_assert_ptr_null(json_pointer_get(NULL, "/foo"));
}
END_TEST

static const char *const bad[] = {"scope", "#/scope", "a/b", "/~", "/~2", "/a~", "/a/~x/b", " /a"};

START_TEST(not_pointers)
{
	ck_assert(!json_pointer_is_valid(bad[_i]));
}
END_TEST

START_TEST(long_names)
{
	char pointer[JSON_POINTER_NAME_MAX + 3] = "/";
	memset(pointer + 1, 'a', JSON_POINTER_NAME_MAX);
	ck_assert(json_pointer_is_valid(pointer));
	pointer[JSON_POINTER_NAME_MAX + 1] = 'a';
	ck_assert(!json_pointer_is_valid(pointer));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json_pointer");
	tcase_add_loop_test(tests, values, 0, ARRAY_SIZE(places));
	tcase_add_test(tests, whole_document_and_elements);
	tcase_add_loop_test(tests, not_pointers, 0, ARRAY_SIZE(bad));
	tcase_add_test(tests, long_names);
	return unit_run(tests, "json_pointer");
}
