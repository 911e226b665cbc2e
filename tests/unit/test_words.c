#include "product/words.h"

#include "unit.h"

static const struct {
	const char *text;
	const char *words;
} texts[] = {
	{"", ""},
	{"Blue Mug", "blue mug"},
	{"  AB-12/3, it's \"new\"\t100%\n", "ab 12 3 it s new 100"},
	{"3x x3 1.5 007", "3x x3 1 5 007"},
	/* case and accents */
	{"GR\u00d6SSE gr\u00f6\u00dfe Groesse", "grosse grosse groesse"},
	{"\u0130stanbul \u0131\u015f\u0131k", "istanbul \u0131s\u0131k"},
	{"\u0141\u00d3D\u0179 \u0142\u00f3d\u017a", "lodz lodz"},
	{"Sm\u00f8rrebr\u00f8d \u00c6r\u00f8 \u0152uvre", "smorrebrod aero oeuvre"},
	{"Caf\u00e9 cafe\u0301 \u1ead a\u0302\u0323", "cafe cafe a a"},
	{"\u0401\u043b\u043a\u0430 \u0435\u0308\u043b\u043a\u0430",
	 "\u0435\u043b\u043a\u0430 \u0435\u043b\u043a\u0430"},
	{"\u0427\u0410\u0419 \u0447\u0430\u0438\u0306 \u0447\u0430\u0438",
	 "\u0447\u0430\u0439 \u0447\u0430\u0439 \u0447\u0430\u0438"},
	{"\u0457\u0436\u0430 \u0456\u0436\u0430 \u045d",
	 "\u0457\u0436\u0430 \u0456\u0436\u0430 \u0438"},
	{"\u0437\u0430\u0301\u043c\u043e\u043a", "\u0437\u0430\u043c\u043e\u043a"}, /* stress */
	{"\u039a\u0391\u03a6\u0395\u03a3 \u039a\u03b1\u03c6\u03ad\u03c2",
	 "\u03ba\u03b1\u03c6\u03b5\u03c3 \u03ba\u03b1\u03c6\u03b5\u03c3"},
	/* compatibility */
	{"\u00b5m \u03bcm \u2126 \u03a9", "\u03bcm \u03bcm \u03c9 \u03c9"},
	{"x\u00b2 \u00bd 1\u00bd \ufb01sh \u2167", "x2 1 2 1 1 2 fish viii"},
	{"\uff21\uff22\uff11\u3000\uff56", "ab1 v"},
	{"\U0001d400\U0001d401", "ab"},
	{"\u0663\u0664 \u096a \u06f5", "34 4 5"},
	/* what is no word */
	{"\u20ac \u20b9 \u2122 \u2764\ufe0f \u260e\ufe0f \u0301 \u3099", ""},
	{"\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd", ""},
	{"\u338f \u2460\ufe0f\u20e3", "1"}, /* a squared kg is a symbol, a circled 1 a number */
	{"\ufffd \ue000 \u200b \ufeff", ""},
	{"\u2260 a\u2260b a\u20d2", "a b a"},
	/* what parts words, and what does not */
	{"a\u00a0b\u3000c\u2003d\u2028e\u2014f\u2019g", "a b c d e f g"},
	{"a\u00adb\u200bc\u200dd\ufe0f", "abcd"},
	{"\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940"},
	{"\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937"},
	{"\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "\ud55c\uad6d\uc5b4 \ud55c"},
	/* Arabic, Hebrew */
	{"\u0643\u0640\u0640\u062a\u0627\u0628 \u0643\u0650\u062a\u064e\u0627\u0628",
	 "\u0643\u062a\u0627\u0628 \u0643\u062a\u0627\u0628"},
	{"\u0623\u0628 \u0627\u0654\u0628 \u0627\u0628", "\u0623\u0628 \u0623\u0628 \u0627\u0628"},
	{"\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd"},
	/* scripts without spaces */
	{"\u7eff", "\u7eff"},
	{"\u7eff\u8336\u676f", "\u7eff\u8336 \u8336\u676f \u676f"},
	{"iPhone\u624b\u673a5", "iphone \u624b\u673a \u673a 5"},
	{"\u7eff\u8336\u3001\u676f", "\u7eff\u8336 \u8336 \u676f"},
	{"\uff8a\uff9e\uff7d \u30d0\u30b9", "\u30d0\u30b9 \u30b9 \u30d0\u30b9 \u30b9"},
	{"\u30b3\u30fc\u30d2", "\u30b3\u30fc \u30fc\u30d2 \u30d2"},
	{"\u304c\u304b", "\u304c\u304b \u304b"},
	{"\u0e19\u0e49\u0e33", "\u0e19\u0e49\u0e4d\u0e32 \u0e32"},
	{"\u1780\u17b6\u17a0", "\u1780\u17b6\u17a0 \u17a0"},
	{"\U00020000\u7eff", "\U00020000\u7eff \u7eff"},
};

START_TEST(of_texts)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(1024);

	words_of_text(&out, texts[_i].text, strlen(texts[_i].text));
	ck_assert_str_eq(text_string(&out), texts[_i].words);
}
END_TEST

static const struct {
	const char *typed;
	const char *words;
	size_t count;
	bool begins;
} typed[] = {
	{"", "", 0, false},
	{"\u20ac", "", 0, false},
	{"Lamp", "lamp", 1, false},
	{"AB-12/3", "ab 12 3", 3, false},
	{"\u7eff", "\u7eff", 1, true},
	{"\u7eff\u8336", "\u7eff\u8336", 1, false},
	{"\u7eff\u8336\u676f", "\u7eff\u8336 \u8336\u676f", 1, false},
	{"\u7eff\u8336!", "\u7eff\u8336", 1, false},
	{"\u7eff\u8336x", "\u7eff\u8336 \u8336 x", 2, false},
	{"x\u7eff", "x \u7eff", 2, true},
	{"\u7eff-\u8336", "\u7eff \u8336", 2, true},
};

START_TEST(of_typed_ones)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(1024);
	bool begins = !typed[_i].begins;

	ck_assert_uint_eq(words_of_typed(&out, typed[_i].typed, strlen(typed[_i].typed), &begins),
			  typed[_i].count);
	ck_assert_str_eq(text_string(&out), typed[_i].words);
	ck_assert_int_eq(begins, typed[_i].begins);
}
END_TEST

START_TEST(long_words_are_cut)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(1024);
	char word[301];

	memset(word, 'a', 300);
	word[300] = '\0';
	words_of_text(&out, word, 300);
	ck_assert_uint_eq(out.length, WORDS_LETTERS_MAX);
	text_reset(&out);
	for (int i = 0; i < 300; i += 2)
		memcpy(word + i, "\u0434", 2);
	words_of_text(&out, word, 300);
	ck_assert_uint_eq(out.length, 2 * WORDS_LETTERS_MAX);
}
END_TEST

START_TEST(the_limit_of_the_text_is_told)
{
	struct text out CLEANUP(text_release) = TEXT_INIT(6);

	words_of_text(&out, "blue mug", 8);
	ck_assert_int_eq(text_error(&out), -EMSGSIZE);
	text_reset(&out);
	words_of_text(&out, "gr\u00fcn \u0447\u0430\u0439", 12);
	ck_assert_int_eq(text_error(&out), -EMSGSIZE);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("words");

	tcase_add_loop_test(tcase, of_texts, 0, ARRAY_SIZE(texts));
	tcase_add_loop_test(tcase, of_typed_ones, 0, ARRAY_SIZE(typed));
	tcase_add_test(tcase, long_words_are_cut);
	tcase_add_test(tcase, the_limit_of_the_text_is_told);
	return unit_run(tcase, "words");
}
