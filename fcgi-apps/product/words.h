/*
 * The words of a text, for search: the same for what is stored and what is typed, the same in every
 * store, on every machine, in every locale. The store indexes these bytes as they are.
 *
 * A word is a run of letters, marks and digits. Everything else separates words: white space of any
 * kind, punctuation (also - / ' ’), symbols (€ ™ ❤). Then, by the rules of base/unicode.h:
 *
 *	compatibility   x² is x2, ½ is the two words 1 and 2, full-width ＡＢ is ab, μ has one form,
 *	                digits of all scripts are 0 to 9
 *	case            full folding without a language: GRÖSSE is größe; İ is i, ı is not
 *	accents         left out: é is e, ё is е, ά is α; letters that differ in the root collation
 *	                stay: й is not и, أ is not ا. ø is o and æ is ae, as in that collation
 *	Arabic          without tatweel and harakat, Hebrew without points
 *	unspaced        scripts without spaces (Chinese, Japanese, Thai …) as pairs of letters that
 *	                overlap, then the last letter: 绿茶杯 is 绿茶, 茶杯, 杯
 *
 * A letter counts together with its marks. Only the first WORDS_LETTERS_MAX characters of a word
 * count. Thread-safe (no state).
 */
#ifndef PRODUCT_WORDS_H
#define PRODUCT_WORDS_H

#include "base/text.h"

/* Characters after decomposition. Few enough for an entry of PostgreSQL's index (2 KiB). */
#define WORDS_LETTERS_MAX 64

/* Appends the words of a stored text in their order, separated by spaces. The text is valid UTF-8.
 * text_error(out): -ENOMEM, -EMSGSIZE. */
void words_of_text(struct text *out, const char *text, size_t length);

/*
 * The words that were typed between two white spaces: a product must have them side by side.
 * Returns how many; a run of unspaced letters counts as one. *ret_begins: the last word is a single
 * letter of an unspaced script, so words that begin with it are meant.
 */
size_t words_of_typed(struct text *out, const char *text, size_t length, bool *ret_begins);

#endif
