#include "base/clock.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "unit.h"

static struct text out;
static struct json_writer writer;

static void setup(void)
{
	text_init(&out, 1 << 20);
	json_writer_init(&writer, &out);
}

static void teardown(void)
{
	text_release(&out);
}

START_TEST(commas_and_nesting)
{
	json_object_begin(&writer);
	json_member_string(&writer, "s", "x");
	json_member_string(&writer, "none", NULL);
	json_member_int(&writer, "i", INT64_MIN);
	json_member_bool(&writer, "b", true);
	json_key(&writer, "list");
	json_array_begin(&writer);
	json_write_int(&writer, 1);
	json_write_null(&writer);
	json_object_begin(&writer);
	json_object_end(&writer);
	json_array_begin(&writer);
	json_array_end(&writer);
	json_write_bool(&writer, false);
	json_array_end(&writer);
	json_key(&writer, "raw");
	json_write_raw(&writer, "[1]", 3);
	json_key(&writer, "o");
	json_object_begin(&writer);
	json_member_int(&writer, "a\"b", 2);
	json_object_end(&writer);
	json_member_int(&writer, "last", 3);
	json_object_end(&writer);
	ck_assert_str_eq(
		text_string(&out),
		"{\"s\":\"x\",\"none\":null,\"i\":-9223372036854775808,\"b\":true,"
		"\"list\":[1,null,{},[],false],\"raw\":[1],\"o\":{\"a\\\"b\":2},\"last\":3}");
	ck_assert_int_eq(text_error(&out), 0);
}
END_TEST

static const struct {
	const char *string, *written;
} string_cases[] = {
	{"", "\"\""},
	{"plain", "\"plain\""},
	{"exactly8", "\"exactly8\""},
	{"a / slash and <html>", "\"a / slash and <html>\""},
	{"q\"q", "\"q\\\"q\""},
	{"\"starts", "\"\\\"starts\""},
	{"ends\"", "\"ends\\\"\""},
	{"\\", "\"\\\\\""},
	{"1234567\"", "\"1234567\\\"\""},
	{"12345678\"", "\"12345678\\\"\""},
	{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
	{"\x01\x1f \x7f", "\"\\u0001\\u001f \x7f\""},
	{"caf\xC3\xA9 and more text", "\"caf\xC3\xA9 and more text\""},
	{"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
	{"\xE2\x82\xAC\"\xE2\x82\xAC", "\"\xE2\x82\xAC\\\"\xE2\x82\xAC\""},
	{"bad\xFFgood", "\"bad\xEF\xBF\xBDgood\""},
	{"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
	{"cut\xE2\x82", "\"cut\xEF\xBF\xBD\xEF\xBF\xBD\""},
	{"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

START_TEST(strings)
{
	json_write_string(&writer, string_cases[_i].string);
	ck_assert_str_eq(text_string(&out), string_cases[_i].written);
}
END_TEST

/* Each byte at each place of a word: the eight-at-once path must agree with the reader. */
START_TEST(every_byte_at_every_place_reads_back)
{
	struct json_error error;

	for (int byte = 1; byte < 0x80; byte++) {
		for (size_t place = 0; place < 20; place++) {
			char string[21] = "aaaaaaaaaaaaaaaaaaaa";
			struct json *value = NULL;

			string[place] = (char)byte;
			text_reset(&out);
			json_writer_init(&writer, &out);
			json_write_string(&writer, string);
			ck_assert_int_eq(json_parse(out.data, out.length, 0, &value, &error), 0);
			ck_assert_str_eq(json_string(value, NULL), string);
			json_free(value);
		}
	}
}
END_TEST

START_TEST(bytes_may_hold_nul)
{
	json_write_bytes(&writer, "a\0b", 3);
	ck_assert_str_eq(text_string(&out), "\"a\\u0000b\"");
}
END_TEST

START_TEST(money_and_time)
{
	struct currency usd = {"USD", 2}, jpy = {"JPY", 0};

	json_object_begin(&writer);
	json_member_money(&writer, "price", 1250, usd);
	json_member_money(&writer, "yen", 99, jpy);
	json_member_time(&writer, "at", 1 * CLOCK_DAY + 5);
	json_object_end(&writer);
	ck_assert_str_eq(text_string(&out), "{\"price\":12.50,\"yen\":99,"
					    "\"at\":\"1970-01-02T00:00:00.000005Z\"}");
}
END_TEST

START_TEST(limit_sticks)
{
	struct text small = TEXT_INIT(10);
	struct json_writer small_writer;

	json_writer_init(&small_writer, &small);
	json_array_begin(&small_writer);
	for (int i = 0; i < 100; i++)
		json_write_string(&small_writer, "\"\n\xFF");
	json_array_end(&small_writer);
	ck_assert_int_eq(text_error(&small), -EMSGSIZE);
	ck_assert_uint_le(small.length, 10);
	text_release(&small);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json_writer");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, commas_and_nesting);
	tcase_add_loop_test(tests, strings, 0, ARRAY_SIZE(string_cases));
	tcase_add_test(tests, every_byte_at_every_place_reads_back);
	tcase_add_test(tests, bytes_may_hold_nul);
	tcase_add_test(tests, money_and_time);
	tcase_add_test(tests, limit_sticks);
	return unit_run(tests, "json_writer");
}
