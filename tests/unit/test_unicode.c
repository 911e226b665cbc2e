#include "base/unicode.h"

#include "unit.h"

static const struct {
	const char *text;
	const char *nfc;
} forms[] = {
	{"", ""},
	{"Cafe", "Cafe"},
	{"Caf\u00e9", "Caf\u00e9"},
	{"Cafe\u0301", "Caf\u00e9"},
	{"\u00c5", "\u00c5"},
	{"\u212b", "\u00c5"},
	{"\u0438\u0306", "\u0439"},
	{"\u1112\u1161\u11ab", "\ud55c"},
	{"a\u0323\u0302", "\u1ead"},
	{"a\u0302\u0323", "\u1ead"},
	{"\u00bd x\u00b2 \u00b5", "\u00bd x\u00b2 \u00b5"}, /* compatibility is kept */
	{"\u0301", "\u0301"},
	{"\U0001f980", "\U0001f980"},
};

START_TEST(normal_form)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(64);
	const char *text = forms[_i].text;

	unicode_append_nfc(&out, text, strlen(text));
	ck_assert_int_eq(text_error(&out), 0);
	ck_assert_str_eq(text_string(&out), forms[_i].nfc);
	ck_assert_int_eq(unicode_is_nfc(text, strlen(text)), strcmp(text, forms[_i].nfc) == 0);
}
END_TEST

START_TEST(long_texts)
{
	struct text typed CLEANUP(text_release) = TEXT_INIT(10000);
	struct text out CLEANUP(text_release) = TEXT_INIT(10000);

	for (int i = 0; i < 3000; i++)
		text_append_string(&typed, "e\u0301");
	unicode_append_nfc(&out, text_string(&typed), typed.length);
	ck_assert_int_eq(text_error(&out), 0);
	ck_assert_uint_eq(out.length, 6000);
	ck_assert(unicode_is_nfc(text_string(&out), out.length));
	ck_assert(!unicode_is_nfc(text_string(&typed), typed.length));
	text_release(&out);
	text_init(&out, 5999);
	unicode_append_nfc(&out, text_string(&typed), typed.length);
	ck_assert_int_eq(text_error(&out), -EMSGSIZE);
}
END_TEST

struct trim {
	const char *text;
	const char *trimmed;
};

static const struct trim unseen_trims[] = {
	{"", ""},
	{" mug", "mug"},
	{"\u200b\u00a0mug\ufeff ", "mug"},
	{"mu\u200bg", "mu\u200bg"},
	{"\u2615\ufe0f", "\u2615\ufe0f"},
	{"\u2615 \ufe0f", "\u2615"},
	{"\ufe0f\u200d", ""},
	{"\u0d28\u0d4d\u200d\u200d", "\u0d28\u0d4d\u200d"},
	{"\u0646\u200c", "\u0646"},
};

START_TEST(what_does_not_show_is_trimmed)
{
	const struct trim *trim = &unseen_trims[_i];
	size_t length = 99;
	const char *trimmed = unicode_trim_unseen(trim->text, strlen(trim->text), &length);

	ck_assert_uint_eq(length, strlen(trim->trimmed));
	ck_assert_mem_eq(trimmed, trim->trimmed, length);
}
END_TEST

static const struct trim trims[] = {
	{"", ""},
	{"mug", "mug"},
	{"  blue mug\t\n", "blue mug"},
	{"\u00a0\u3000mug\u2003\u2028", "mug"},
	{"\u3000\u00a0 ", ""},
	{"\u200bmug\ufeff", "\u200bmug\ufeff"}, /* these are no white space */
	{"\u85ac\u3000", "\u85ac"},
};

START_TEST(white_space_is_trimmed)
{
	size_t length = 99;
	const char *trimmed = unicode_trim(trims[_i].text, strlen(trims[_i].text), &length);

	ck_assert_uint_eq(length, strlen(trims[_i].trimmed));
	ck_assert_mem_eq(trimmed, trims[_i].trimmed, length);
}
END_TEST

static const struct {
	const char *text;
	bool nothing;
	bool control;
} seen[] = {
	{"", true, false},
	{" \t\r\n", true, true},
	{"\u00a0\u3000\u2003", true, false},
	{"\u200b\u200d\ufeff\u2060\u00ad", true, false},
	{"\u3164\u115f\u034f\ufe0f\U000e0020", true, false}, /* fillers, selectors, tags */
	{"\u202e\u061c\u180e", true, false},
	{"\u2800 \u2800", true, false}, /* braille without a dot */
	{"\xc2\x85", true, true},
	{"\x01\x7f", true, true},
	{"a", false, false},
	{"\u200ba", false, false},
	{"a\x1b[1m", false, true},
	{"\u00e9", false, false},
	{"\u20ac", false, false},
	{"\u0301", false, false},
};

START_TEST(what_shows)
{
	size_t length = strlen(seen[_i].text);

	ck_assert_int_eq(unicode_shows_nothing(seen[_i].text, length), seen[_i].nothing);
	ck_assert_int_eq(unicode_has_control(seen[_i].text, length), seen[_i].control);
}
END_TEST

START_TEST(a_nul_is_a_control_character)
{
	ck_assert(unicode_has_control("a\0b", 3));
	ck_assert(unicode_shows_nothing("\0", 1));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("unicode");

	tcase_add_loop_test(tcase, normal_form, 0, ARRAY_SIZE(forms));
	tcase_add_test(tcase, long_texts);
	tcase_add_loop_test(tcase, white_space_is_trimmed, 0, ARRAY_SIZE(trims));
	tcase_add_loop_test(tcase, what_does_not_show_is_trimmed, 0, ARRAY_SIZE(unseen_trims));
	tcase_add_loop_test(tcase, what_shows, 0, ARRAY_SIZE(seen));
	tcase_add_test(tcase, a_nul_is_a_control_character);
	return unit_run(tcase, "unicode");
}
