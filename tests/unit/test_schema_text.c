/* The formats of texts and ids: what is made of a value before it is checked, and what is refused.
 */
#include "contract/schema_text.h"

#include "json_values.h"
#include "schemas.h"

static struct json *value;
static struct violations violations;

static void stop(void)
{
	violations_release(&violations);
	json_free(value);
}

/* Of contracts/schema.json. */
#define LINE  "line"
#define BLOCK "block"
#define ID    "id"

#define NO_CONTROLS "must not have control characters or line breaks"
#define NO_BLOCK    "must not have control characters other than tabs and line breaks"
#define BLANK       "must not be blank"
#define TOO_LONG    "must be at most 3 characters long"

#define TURNS             "turns the text after it around"
#define WRONG(c, at, why) "must not have U+" c ", its character " at ": it " why

#define ENGLAND "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"

#define UPPER_ID "0190A1B2-C3D4-7E5F-8A6B-7C8D9E0F1A2B"
#define LOWER_ID "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"

/* detail NULL: the value fits. */
static const struct {
	const char *schema, *sent, *normal, *detail;
} cases[] = {
	{LINE, "a b", "a b", NULL},
	{LINE, "", "", BLANK},
	{LINE, " ", "", BLANK},
	{LINE, "\xC2\xA0\u3000\u2003", "", BLANK},
	{LINE, "\u200B", "", BLANK},
	{LINE, " \uFEFF\u200D ", "", BLANK},
	{LINE, "\uFE0F", "", BLANK},
	{LINE, "\t", "", BLANK},
	{LINE, "\u3164", "", BLANK},
	{LINE, "\n abc\u3000\r\n", "abc", NULL},
	{LINE, "\xC2\x85\u2028a\u2029", "a", NULL},
	{LINE, "a\u200Bb", "a\u200Bb", NULL},
	{LINE, "\U0001F468\u200D\U0001F469", "\U0001F468\u200D\U0001F469", NULL},
	{LINE, "e\u0301a\u0308o\u0302", "\u00E9\u00E4\u00F4", NULL},
	{LINE, "\u1112\u1161\u11AB", "\uD55C", NULL},
	{LINE, "\u2126", "\u03A9", NULL},
	{LINE, "\u0958", "\u0915\u093C", NULL},
	{LINE, "\u0958\u0958", "\u0915\u093C\u0915\u093C", TOO_LONG},
	{LINE, "abcd", "abcd", TOO_LONG},
	{LINE, "a\tb", "a\tb", NO_CONTROLS},
	{LINE, "a\nb", "a\nb", NO_CONTROLS},
	{LINE, "a\x7F", "a\x7F", NO_CONTROLS},
	{LINE, "\x01", "\x01", NO_CONTROLS},
	{LINE, "a\xC2\x85-", "a\xC2\x85-", NO_CONTROLS},
	{LINE, "a\xC2\x9F-", "a\xC2\x9F-", NO_CONTROLS},
	{LINE, "a\u2028b", "a\u2028b", NO_CONTROLS},
	{LINE, "a\u2029b", "a\u2029b", NO_CONTROLS},
	/* What does not show goes from the ends, but for what belongs to the character before it.
	 */
	{LINE, "\uFEFFab\u200B", "ab", NULL},
	{LINE, "\u200E\u202Aab \u202C\u2069", "ab", NULL},
	{LINE, "\u200D \u00ADab\u200C", "ab", NULL},
	{LINE, "\uFE0F\u2615\uFE0F\u200B", "\u2615\uFE0F", NULL},
	{LINE, "\u0D28\u0D4D\u200D", "\u0D28\u0D4D\u200D", NULL},
	{LINE, "\u0D28\u0D4D \u200D", "\u0D28\u0D4D", NULL},
	{LINE, "\u0951\u0D4D\u200D", "\u0D4D\u0951", NULL},
	{LINE, "a\u200Cb", "a\u200Cb", NULL},
	{LINE, "a\u200Fb", "a\u200Fb", NULL},
	{LINE, "a\U00040000", "a\U00040000", NULL},
	{LINE, "a\uE000", "a\uE000", NULL},
	{LINE, "\uFDD0", "\uFDD0", WRONG("FDD0", "1", "is no character")},
	{LINE, "a\uFFFE", "a\uFFFE", WRONG("FFFE", "2", "is no character")},
	{LINE, "\U0010FFFFa", "\U0010FFFFa", WRONG("10FFFF", "1", "is no character")},
	{LINE, "\u00E9\u202Eb", "\u00E9\u202Eb", WRONG("202E", "2", TURNS)},
	{LINE, "a\u2068b", "a\u2068b", WRONG("2068", "2", TURNS)},
	{LINE, "a\uFEFFb", "a\uFEFFb", WRONG("FEFF", "2", "does not show")},
	{LINE, "a\u2065b", "a\u2065b", WRONG("2065", "2", "does not show")},
	{LINE, "a\u206Fb", "a\u206Fb", WRONG("206F", "2", "does not show")},
	{LINE, "a\U000E0001b", "a\U000E0001b", WRONG("E0001", "2", "does not show")},
	{LINE, "a\U000E0041", "a\U000E0041", WRONG("E0041", "2", "does not show")},
	{LINE, "\U000E0041", "", BLANK},
	{BLOCK, "a\nb\u202Ec", "a\nb\u202Ec", WRONG("202E", "4", TURNS)},
	{BLOCK, "a \u2067b\u2069\n", "a \u2067b", WRONG("2067", "3", TURNS)},
	{BLOCK, ENGLAND, ENGLAND, NULL},
	{BLOCK, ENGLAND " x", ENGLAND " x", NULL},
	{BLOCK, ENGLAND "\U000E0067", ENGLAND "\U000E0067", WRONG("E0067", "8", "does not show")},
	{BLOCK, "", "", NULL},
	{BLOCK, " \u200B\n", "", NULL},
	{BLOCK, "\ta\tb\r\n\nc\n", "a\tb\r\n\nc", NULL},
	{BLOCK, "a\u2028b", "a\u2028b", NULL},
	{BLOCK, "a\x1B[m", "a\x1B[m", NO_BLOCK},
	{BLOCK, "a\xC2\x9Bm", "a\xC2\x9Bm", NO_BLOCK},
	{BLOCK, "\n\x01\n", "\x01", NO_BLOCK},
	{ID, LOWER_ID, LOWER_ID, NULL},
	{ID, UPPER_ID, LOWER_ID, NULL},
	{ID, "0190a1b2-c3d4-7e5f-8a6b-7C8D9E0F1A2B", LOWER_ID, NULL},
	{ID, UPPER_ID "," UPPER_ID, LOWER_ID "," LOWER_ID, NULL},
	{ID, "A," UPPER_ID ",", "A," LOWER_ID ",", NULL},
	{ID, UPPER_ID "0", UPPER_ID "0", NULL},
	{ID, "Mine", "Mine", NULL},
	{ID, "", "", NULL},
	/* Wherever the format stands. */
	{"line_by_reference", " a", "a", NULL},
	{"line_among_all", " a", "a", NULL},
	{"line_or_null", " a", "a", NULL},
	/* And nowhere else. */
	{"string", " e\u0301\t", " e\u0301\t", NULL},
};

START_TEST(values)
{
	const struct schema *schema = find(cases[_i].schema);
	const char *pointer = "/x";

	value = json_new_string(cases[_i].sent);
	ck_assert_int_eq(schema_normalize(schema, value), 0);
	ck_assert_str_eq(json_string(value, NULL), cases[_i].normal);
	ck_assert_int_eq(schema_check(schema, value, "body", pointer, &violations),
			 !cases[_i].detail);
	if (cases[_i].detail)
		ck_assert_str_eq(violations.list[0].detail, cases[_i].detail);
}
END_TEST

START_TEST(parameters)
{
	const struct schema *schema = find(cases[_i].schema);
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	const char *sent = cases[_i].sent;

	int r = schema_normalize_string(schema, sent, strlen(sent), &normal);
	ck_assert_int_ge(r, 0);
	ck_assert_str_eq(r ? text_string(&normal) : sent, cases[_i].normal);
}
END_TEST

/* A normal form stays unchanged. */
START_TEST(only_once)
{
	const struct schema *schema = find(cases[_i].schema);
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	if (schema_normalize_string(schema, cases[_i].normal, strlen(cases[_i].normal), &normal))
		ck_assert_str_eq(text_string(&normal), cases[_i].normal);
}
END_TEST

static const struct {
	const char *old, *renewed;
	bool is_block;
} renewals[] = {
	{"", "", false},
	{"ada", "ada", false},
	{" ada\u00A0", "ada", false},
	{"O\u0308", "\u00D6", false},
	{"a\x1b[31m\tb\n", "a [31m b", false},
	{"a\x1b\tb\n", "a \tb", true},
	{"\x01", "", false},
	{"a\u2028b\u202Ec\uFFFF\uFEFFd", "a bcd", false},
	{"\u202E\uFEFF", "", false},
	{"\U0001F3F4\x01\U000E0067", "\U0001F3F4", false},
	{"\xff \uFFFD\xcc", "\uFFFD \uFFFD\uFFFD", false},
};

START_TEST(renewed)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	const char *old = renewals[_i].old;

	schema_text_renew(old, strlen(old), renewals[_i].is_block, &out);
	ck_assert_int_eq(text_error(&out), 0);
	ck_assert_str_eq(text_string(&out), renewals[_i].renewed);
	ck_assert(schema_text_is_block(text_string(&out), out.length));
	ck_assert(renewals[_i].is_block || schema_text_is_line(text_string(&out), out.length));
}
END_TEST

START_TEST(inside)
{
	const struct schema *schema = find("texts");

	value = parse("{\"a\":[\" x\",\"x \",7,null],\"b\":{\"k\":\"" UPPER_ID
		      "\"},\"c\":\" c \",\"d\":null,\"e\":\" e \"}");
	ck_assert_int_eq(schema_normalize(schema, value), 0);
	assert_prints(value, "{\"a\":[\"x\",\"x\",7,null],\"b\":{\"k\":\"" LOWER_ID
			     "\"},\"c\":\" c \",\"d\":null,\"e\":\" e \"}");
	ck_assert(!schema_check(schema, value, "body", "", &violations));
	ck_assert_str_eq(violations.list[0].detail, "repeats the item at 0");
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("schema_text");

	tcase_add_checked_fixture(tests, NULL, stop);
	tcase_add_loop_test(tests, values, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tests, parameters, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tests, only_once, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tests, renewed, 0, ARRAY_SIZE(renewals));
	tcase_add_test(tests, inside);
	return unit_run(tests, "schema_text");
}
