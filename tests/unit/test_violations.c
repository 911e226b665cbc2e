#include "contract/violations.h"
#include "unit.h"

static struct violations violations;

static void stop(void)
{
	violations_release(&violations);
	ck_assert_uint_eq(violations.total, 0);
}

START_TEST(adding_formats_and_copies)
{
	char pointer[] = "/a";

	violations_add(&violations, "body", pointer, "must be at least %d", 1);
	pointer[1] = 'b';
	ck_assert_uint_eq(violations.count, 1);
	ck_assert_uint_eq(violations.total, 1);
	ck_assert_int_eq(violations.error, 0);
	ck_assert_str_eq(violations.list[0].in, "body");
	ck_assert_str_eq(violations.list[0].pointer, "/a");
	ck_assert_str_eq(violations.list[0].detail, "must be at least 1");
}
END_TEST

START_TEST(beyond_the_limit_is_counted)
{
	for (int i = 0; i < VIOLATIONS_MAX + 5; i++)
		violations_add(&violations, "body", "", "%d", i);
	ck_assert_uint_eq(violations.count, VIOLATIONS_MAX);
	ck_assert_uint_eq(violations.total, VIOLATIONS_MAX + 5);
	ck_assert_str_eq(violations.list[VIOLATIONS_MAX - 1].detail, "31");
}
END_TEST

START_TEST(what_is_told_is_not_told_again)
{
	for (int i = 0; i < 3; i++)
		violations_add(&violations, "body", "/a", "must be %s", "a number");
	violations_add(&violations, "body", "/b", "must be a number");
	violations_add(&violations, "query", "/a", "must be a number");
	ck_assert_uint_eq(violations.count, 3);
	ck_assert_uint_eq(violations.total, 3);
}
END_TEST

START_TEST(writing)
{
	struct json_writer writer;
	struct text out = TEXT_INIT(4096);

	json_writer_init(&writer, &out);
	violations_add(&violations, "body", "/a\"b", "is %s", "required");
	violations_add(&violations, "query", "", "unknown");
	json_object_begin(&writer);
	violations_write(&violations, &writer);
	json_object_end(&writer);
	ck_assert_str_eq(text_string(&out),
			 "{\"errors\":["
			 "{\"in\":\"body\",\"pointer\":\"/a\\\"b\",\"detail\":\"is required\"},"
			 "{\"in\":\"query\",\"pointer\":\"\",\"detail\":\"unknown\"}]}");
	text_release(&out);
}
END_TEST

START_TEST(writing_none)
{
	struct json_writer writer;
	struct text out = TEXT_INIT(4096);

	json_writer_init(&writer, &out);
	json_object_begin(&writer);
	violations_write(&violations, &writer);
	json_object_end(&writer);
	ck_assert_str_eq(text_string(&out), "{\"errors\":[]}");
	text_release(&out);
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	char text[4096] = "";

	/* One byte, then two-byte characters: a cut at an even offset would break one. */
	text[0] = '/';
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	violations_add(&violations, "body", text, "%s", text);

	const char *kept[] = {violations.list[0].pointer, violations.list[0].detail};
	const size_t sizes[] = {VIOLATION_POINTER_SIZE, VIOLATION_DETAIL_SIZE};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		size_t length = strlen(kept[i]);

		ck_assert_uint_lt(length, sizes[i]);
		ck_assert_uint_gt(length, sizes[i] - 8);
		ck_assert_str_eq(kept[i] + length - 3, ellipsis);
		ck_assert_uint_eq((length - 3) % 2, 1);
	}
}
END_TEST

START_TEST(what_just_fits_is_kept_whole)
{
	char detail[VIOLATION_DETAIL_SIZE];

	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	violations_add(&violations, "body", "", "%s", detail);
	ck_assert_str_eq(violations.list[0].detail, detail);
}
END_TEST

static const struct {
	const char *before, *segment, *after;
} pointer_cases[] = {
	{"", "name", "/name"},
	{"/items", "0", "/items/0"},
	{"", "", "/"},
	{"", "a/b", "/a~1b"},
	{"", "~", "/~0"},
	{"", "~1", "/~01"},
	{"/x", "\xc3\xa9/", "/x/\xc3\xa9~1"},
};

START_TEST(appending_to_pointers)
{
	char buffer[VIOLATION_POINTER_SIZE] = "";

	memcpy(buffer, pointer_cases[_i].before, strlen(pointer_cases[_i].before) + 1);
	pointer_append(buffer, pointer_cases[_i].segment);
	ck_assert_str_eq(buffer, pointer_cases[_i].after);
}
END_TEST

START_TEST(a_full_pointer_stays_in_its_buffer)
{
	char buffer[VIOLATION_POINTER_SIZE] = "", segment[300];

	/* Every byte is escaped, so it doubles. */
	memset(segment, '~', sizeof(segment) - 1);
	segment[sizeof(segment) - 1] = '\0';
	for (int i = 0; i < 20; i++)
		pointer_append(buffer, segment);
	ck_assert_uint_lt(strlen(buffer), VIOLATION_POINTER_SIZE);
	ck_assert_ptr_nonnull(strstr(buffer, "\xe2\x80\xa6"));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("violations");

	tcase_add_checked_fixture(tcase, NULL, stop);
	tcase_add_test(tcase, adding_formats_and_copies);
	tcase_add_test(tcase, beyond_the_limit_is_counted);
	tcase_add_test(tcase, what_is_told_is_not_told_again);
	tcase_add_test(tcase, writing);
	tcase_add_test(tcase, writing_none);
	tcase_add_test(tcase, long_texts_are_cut_between_characters);
	tcase_add_test(tcase, what_just_fits_is_kept_whole);
	tcase_add_loop_test(tcase, appending_to_pointers, 0, ARRAY_SIZE(pointer_cases));
	tcase_add_test(tcase, a_full_pointer_stays_in_its_buffer);
	return unit_run(tcase, "violations");
}
