#include "product/ndjson.h"

#include <check.h>

#include "unit.h"

/* Hands out the bytes in pieces of at most that size. */
struct source {
	const char *bytes;
	size_t left;
	size_t piece;
	int64_t end; /* what follows the bytes: 0 or an error */
};

static int64_t read_source(void *context, void *buffer, size_t size)
{
	struct source *source = context;
	size_t length = source->left < source->piece ? source->left : source->piece;
	if (length > size)
		length = size;
	if (length == 0)
		return source->end;
	memcpy(buffer, source->bytes, length);
	source->bytes += length;
	source->left -= length;
	return (int64_t)length;
}

static const struct {
	const char *text;
	const char *lines; /* joined by "|" */
} texts[] = {
	{"", ""},
	{"a", "a|"},
	{"a\n", "a|"},
	{"a\nbc", "a|bc|"},
	{"a\r\nb\r\n", "a|b|"},
	{"\n\nx\n", "||x|"},
	{"a\rb\n", "a\rb|"},
	{"\uFEFFa\nb\n", "a|b|"},
	{"\uFEFF\r\na", "|a|"},
	{"\uFEFF", "|"},
	{"\xEF\xBB\n", "\xEF\xBB|"},
	{"a\n\uFEFFb", "a|\uFEFFb|"},
};

static const size_t pieces[] = {1, 2, 3, 100};

START_TEST(lines_are_cut_at_newlines)
{
	for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
		struct source source = {texts[_i].text, strlen(texts[_i].text), pieces[p], 0};
		struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
		struct product_ndjson_line line;
		char joined[64] = "";
		size_t length = 0;
		ck_assert_int_eq(product_ndjson_init(&lines, read_source, &source), 0);
		while (product_ndjson_next(&lines, &line) == 1)
			length += (size_t)snprintf(joined + length, sizeof(joined) - length,
						   "%.*s|", (int)line.length, line.text);
		ck_assert_str_eq(joined, texts[_i].lines);
	}
}
END_TEST

static const struct {
	size_t length;
	bool too_long;
} lengths[] = {
	{NDJSON_LINE_MAX - 1, false}, {NDJSON_LINE_MAX, false},        {NDJSON_LINE_MAX + 1, true},
	{2 * NDJSON_LINE_MAX, true},  {2 * NDJSON_LINE_MAX + 1, true}, {5 * NDJSON_LINE_MAX, true},
};

START_TEST(a_long_line_spoils_no_other)
{
	static const size_t sizes[] = {1000, 65536, 1u << 20};
	size_t length = lengths[_i].length;
	char *text CLEANUP(free_p) = malloc(length + 6);
	ck_assert_ptr_nonnull(text);
	memcpy(text, "a\n", 2);
	memset(text + 2, 'x', length);
	memcpy(text + 2 + length, "\nb\n", 4);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct source source = {text, length + 5, sizes[i], 0};
		struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
		struct product_ndjson_line line;
		ck_assert_int_eq(product_ndjson_init(&lines, read_source, &source), 0);
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 1);
		ck_assert_int_eq(line.text[0], 'a');
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 1);
		ck_assert_int_eq(line.too_long, lengths[_i].too_long);
		ck_assert_uint_eq(line.length, lengths[_i].too_long ? 0 : length);
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 1);
		ck_assert_uint_eq(line.length, 1);
		ck_assert_int_eq(line.text[0], 'b');
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 0);
	}
}
END_TEST

/* Neither a mark nor "\r" counts, wherever a read ends. */
START_TEST(the_longest_line_has_all_its_bytes)
{
	size_t length = 3 + NDJSON_LINE_MAX + (size_t)_i + 2;
	char *text CLEANUP(free_p) = malloc(length);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', length);
	memcpy(text, "\xEF\xBB\xBF", 3);
	memcpy(text + length - 2, "\r\n", 2);
	for (size_t piece = length - 4; piece <= length; piece++) {
		struct source source = {text, length, piece, 0};
		struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
		struct product_ndjson_line line;
		ck_assert_int_eq(product_ndjson_init(&lines, read_source, &source), 0);
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 1);
		ck_assert_int_eq(line.too_long, _i);
		ck_assert_uint_eq(line.length, _i ? 0 : NDJSON_LINE_MAX);
		ck_assert_int_eq(product_ndjson_next(&lines, &line), 0);
	}
}
END_TEST

START_TEST(a_broken_body_is_an_error)
{
	struct source source = {"a\nb", 3, 2, -EIO};
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct product_ndjson_line line;
	ck_assert_int_eq(product_ndjson_init(&lines, read_source, &source), 0);
	ck_assert_int_eq(product_ndjson_next(&lines, &line), 1);
	ck_assert_int_eq(product_ndjson_next(&lines, &line), -EIO);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("ndjson");
	tcase_add_loop_test(tcase, lines_are_cut_at_newlines, 0, ARRAY_SIZE(texts));
	tcase_add_loop_test(tcase, a_long_line_spoils_no_other, 0, ARRAY_SIZE(lengths));
	tcase_add_loop_test(tcase, the_longest_line_has_all_its_bytes, 0, 2);
	tcase_add_test(tcase, a_broken_body_is_an_error);
	return unit_run(tcase, "ndjson");
}
