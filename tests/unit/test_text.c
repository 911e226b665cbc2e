#include "base/text.h"
#include "unit.h"

/* The sanitizers' allocators end the program instead of returning NULL, unless told. Their
 * libraries look for these among the program's symbols, which are hidden otherwise. */
#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

SEEN_BY_LIBRARIES const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

SEEN_BY_LIBRARIES const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(empty)
{
	struct text text = TEXT_INIT(10);

	ck_assert_str_eq(text_string(&text), "");
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_ptr_null(text.data);
	text_release(&text);
	text_release(NULL);
}
END_TEST

START_TEST(appends)
{
	struct text text = TEXT_INIT(100);

	text_append(&text, "ab\0c", 4);
	text_append(&text, NULL, 0);
	text_append_char(&text, '-');
	text_append_string(&text, "xyz");
	text_printf(&text, "<%d|%s>", 7, "q");
	ck_assert_uint_eq(text.length, 13);
	ck_assert_mem_eq(text_string(&text), "ab\0c-xyz<7|q>", 14);
	text_truncate(&text, 2);
	ck_assert_str_eq(text_string(&text), "ab");
	text_truncate(&text, 50);
	ck_assert_uint_eq(text.length, 2);
	text_release(&text);
	ck_assert_str_eq(text_string(&text), "");
}
END_TEST

static const struct {
	int64_t value;
	const char *text;
} int_cases[] = {
	{0, "0"},
	{7, "7"},
	{-1, "-1"},
	{10, "10"},
	{1234567, "1234567"},
	{-90, "-90"},
	{INT64_MAX, "9223372036854775807"},
	{INT64_MIN, "-9223372036854775808"},
};

START_TEST(integers)
{
	struct text text = TEXT_INIT(100);

	text_append_int(&text, int_cases[_i].value);
	ck_assert_str_eq(text_string(&text), int_cases[_i].text);
	text_release(&text);
}
END_TEST

START_TEST(what_is_no_utf8_is_replaced)
{
	struct text text = TEXT_INIT(100);

	text_append_utf8(&text, "Zo\xC3\xAB \xF0\x9F\x92\xA1 a\xFF\xC3z\xED\xA0\x80\xE2\x82");
	ck_assert_str_eq(text_string(&text), "Zo\u00eb \U0001F4A1 a\uFFFD\uFFFDz"
					     "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
	text_release(&text);
}
END_TEST

START_TEST(limit_is_exact)
{
	struct text text = TEXT_INIT(5);

	text_append_string(&text, "12345");
	ck_assert_int_eq(text_error(&text), 0);
	text_append(&text, "", 0);
	ck_assert_int_eq(text_error(&text), 0);
	text_append_char(&text, '6');
	ck_assert_int_eq(text_error(&text), -EMSGSIZE);
	ck_assert_str_eq(text_string(&text), "12345");
	text_release(&text);
}
END_TEST

START_TEST(first_error_sticks)
{
	struct text text = TEXT_INIT(4);

	text_append_string(&text, "abc");
	text_append_string(&text, "de");
	text_append_char(&text, 'd');
	text_append_int(&text, 1);
	text_printf(&text, "%d", 1);
	ck_assert_ptr_null(text_reserve(&text, 1));
	ck_assert_ptr_null(text_detach(&text));
	ck_assert_int_eq(text_error(&text), -EMSGSIZE);
	ck_assert_str_eq(text_string(&text), "abc");
	text_reset(&text);
	text_append_string(&text, "wxyz");
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_str_eq(text_string(&text), "wxyz");
	text_release(&text);
}
END_TEST

START_TEST(grows_to_a_large_limit)
{
	struct text text = TEXT_INIT(TEXT_UNLIMITED);

	for (int i = 0; i < 100000; i++)
		text_append_string(&text, "0123456789");
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_uint_eq(text.length, 1000000);
	for (size_t i = 0; i < text.length; i++)
		ck_assert(text.data[i] == (char)('0' + i % 10));
	ck_assert_int_eq(text.data[text.length], '\0');
	ck_assert_ptr_null(text_reserve(&text, SIZE_MAX - 10));
	ck_assert_int_eq(text_error(&text), -EMSGSIZE);
	text_release(&text);
}
END_TEST

START_TEST(out_of_memory_is_told)
{
	struct text text = TEXT_INIT(TEXT_UNLIMITED);

	text_append_string(&text, "kept");
	ck_assert_ptr_null(text_reserve(&text, SIZE_MAX / 4));
	ck_assert_int_eq(text_error(&text), -ENOMEM);
	ck_assert_str_eq(text_string(&text), "kept");
	text_release(&text);
}
END_TEST

START_TEST(printf_longer_than_the_room)
{
	struct text text = TEXT_INIT(1000);

	text_printf(&text, "%600d|", 1);
	text_printf(&text, "%s", "tail");
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_uint_eq(text.length, 605);
	ck_assert_str_eq(text_string(&text) + 599, "1|tail");
	text_printf(&text, "%500d", 1);
	ck_assert_int_eq(text_error(&text), -EMSGSIZE);
	ck_assert_uint_eq(strlen(text_string(&text)), 605);
	text_release(&text);
}
END_TEST

START_TEST(reserve_and_commit)
{
	struct text text = TEXT_INIT(10);

	char *room = text_reserve(&text, 8);
	ck_assert_ptr_nonnull(room);
	memcpy(room, "abcdefgh", 8);
	text_commit(&text, 3);
	ck_assert_str_eq(text_string(&text), "abc");
	text_release(&text);
}
END_TEST

START_TEST(detach_hands_over)
{
	struct text text = TEXT_INIT(10);

	char *nothing = text_detach(&text);
	ck_assert_str_eq(nothing, "");
	free(nothing);
	text_append_string(&text, "mine");
	char *data = text_detach(&text);
	ck_assert_str_eq(data, "mine");
	ck_assert_str_eq(text_string(&text), "");
	ck_assert_uint_eq(text.limit, 10);
	free(data);
}
END_TEST

START_TEST(fixed_memory)
{
	char buffer[8];
	struct text text;

	text_init_fixed(&text, buffer, sizeof(buffer));
	text_append_string(&text, "1234567");
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_ptr_eq(text.data, buffer);
	text_append_char(&text, '8');
	ck_assert_int_eq(text_error(&text), -EMSGSIZE);
	ck_assert_str_eq(buffer, "1234567");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("text");

	tcase_add_test(tests, empty);
	tcase_add_test(tests, appends);
	tcase_add_loop_test(tests, integers, 0, ARRAY_SIZE(int_cases));
	tcase_add_test(tests, what_is_no_utf8_is_replaced);
	tcase_add_test(tests, limit_is_exact);
	tcase_add_test(tests, first_error_sticks);
	tcase_add_test(tests, grows_to_a_large_limit);
	tcase_add_test(tests, out_of_memory_is_told);
	tcase_add_test(tests, printf_longer_than_the_room);
	tcase_add_test(tests, reserve_and_commit);
	tcase_add_test(tests, detach_hands_over);
	tcase_add_test(tests, fixed_memory);
	return unit_run(tests, "text");
}
