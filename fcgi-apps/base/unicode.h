/*
 * Unicode properties and normal forms of texts, over libunistring. Texts are valid UTF-8
 * (base/utf8.h). Nothing here depends on a locale. Thread-safe (no state).
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include "base/text.h"

/*
 * Whether the text is in Normalization Form C (UAX #15): two texts that look the same and are in it
 * have the same bytes, however they were typed. Quick for texts below U+0300. Without memory for a
 * comparison: false.
 */
bool unicode_is_nfc(const char *text, size_t length);

/* Appends the text in that form. text_error(out): -ENOMEM, -EMSGSIZE. */
void unicode_append_nfc(struct text *out, const char *text, size_t length);

/* The text without white space (the property White_Space: also U+00A0, U+3000) at its ends.
 * Borrowed from it; ret_length gets 0 where nothing else is in it. */
const char *unicode_trim(const char *text, size_t length, size_t *ret_length);

/*
 * The same without what is ignored by default (Default_Ignorable_Code_Point) either, except what
 * the character before it needs: a variation selector (the emoji in "\u2615\uFE0F"), a joiner after
 * a virama (RFC 5892 appendix A: half forms and chillus), a tag.
 */
const char *unicode_trim_unseen(const char *text, size_t length, size_t *ret_length);

/* Whether it is a tag (U+E0020 to U+E007F), which spells the flag that it follows (UTS #51). */
bool unicode_is_tag(uint32_t character);

/* Whether the text is invisible: only white space, control and format characters, the blank of
 * braille (U+2800), and what is ignored by default (Default_Ignorable_Code_Point: U+200B, U+FEFF,
 * fillers). True for "". */
bool unicode_shows_nothing(const char *text, size_t length);

/* Whether it has a control character (general category Cc: U+0000 to U+001F, U+007F to U+009F). */
bool unicode_has_control(const char *text, size_t length);

/* ---- characters of words, for search: product/words.h tells the rules ---- */

/* The character at text (length > 0), and how many bytes it has. */
size_t unicode_decode(const char *text, size_t length, uint32_t *ret_character);

/* The property White_Space. */
bool unicode_is_white_space(uint32_t character);

enum unicode_class {
	UNICODE_SEPARATOR, /* punctuation, symbols, white space, controls: no part of a word */
	UNICODE_IGNORED,   /* Default_Ignorable_Code_Point: as if it were not there */
	UNICODE_LETTER,    /* a letter, or a number that is no decimal digit */
	UNICODE_DIGIT,     /* a decimal digit of any script */
	UNICODE_MARK,      /* belongs to the character before it */
};
enum unicode_class unicode_class(uint32_t character);

/* The value of a UNICODE_DIGIT. */
unsigned unicode_digit(uint32_t character);

/* Whether it is a vulgar fraction: a number of its own, also right after another one. */
bool unicode_is_fraction(uint32_t character);

/* Whether the letter is of a script that puts no spaces between words: UAX #29 neither keeps it
 * together with its neighbours (Word_Break Other: Han, Hiragana, Thai, Lao, Khmer, Burmese) nor
 * knows where in a row of them a word ends (Katakana). */
bool unicode_is_unspaced(uint32_t letter);

/*
 * Whether the mark only tells how the base is spoken or stressed, so that many leave it out.
 * Accents have no script of their own (UAX #24: Inherited); points of Hebrew and Arabic count as
 * such. No accent is a mark that makes another letter: one that composes with a Cyrillic or Arabic
 * letter (й, ї, أ), as in DUCET, but for ё, ѐ and ѝ; and none of an unspaced script (が).
 */
bool unicode_is_accent(uint32_t base, uint32_t mark);

/*
 * The characters in compatibility decomposition and full case folding, without a language
 * (The Unicode Standard, section 3.13, D146): ½ is 1⁄2, ß is ss. The caller frees ret_folded.
 * -ENOMEM.
 */
int unicode_fold(const uint32_t *characters, size_t count, uint32_t **ret_folded,
		 size_t *ret_count);

/* Appends them as UTF-8 in Normalization Form C, without surrogates; at most 80. */
#define UNICODE_WORD_MAX 80
void unicode_append_word(struct text *out, const uint32_t *characters, size_t count);

#endif
