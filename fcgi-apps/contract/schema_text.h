/*
 * The normal forms of texts and ids, for the formats text-line, text-block and id.
 *
 * A text is in Normalization Form C (UAX #15). At its ends it has neither white space (the property
 * White_Space) nor ignorable characters (Default_Ignorable_Code_Point: U+200B, U+FEFF), except
 * those that the character before needs (base/unicode.h). An invisible text becomes "".
 *
 * Refused are control characters (general category Cc) and, in a line, separators of lines (U+2028,
 * U+2029), while a block may have tabs and line breaks; noncharacters (The Unicode Standard,
 * section 23.7), which many formats lack, XML among them; characters that change the direction of
 * the text after them (UAX #9, section 2: embeddings, overrides, isolates, but not marks); and
 * invisible ones: U+FEFF, deprecated and reserved characters that are ignored by default, tags that
 * spell no flag. Everything else stays and counts: joiners, soft hyphens, unassigned and private
 * characters.
 *
 * An id that is a UUID is in lower case, also each of several with commas between.
 *
 * Texts are valid UTF-8 without U+0000. Thread-safe (no state).
 */
#ifndef CONTRACT_SCHEMA_TEXT_H
#define CONTRACT_SCHEMA_TEXT_H

#include "base/text.h"

/* Whether the text must be changed; only then its normal form is appended, and text_error(out) may
 * be -ENOMEM. */
bool schema_text_normalize(const char *text, size_t length, struct text *out);
bool schema_id_normalize(const char *text, size_t length, struct text *out);

/*
 * Appends the closest valid text to one that was stored before this rule existed: refused control
 * characters and separators become spaces, other refused characters are removed, and U+FFFD
 * replaces bytes that are not UTF-8; then the text is normalised. A normal text is unchanged.
 * text_error(out): -ENOMEM, -EMSGSIZE.
 */
void schema_text_renew(const char *text, size_t length, bool is_block, struct text *out);

/* Whether the text has only characters that are permitted in a text of this kind. */
bool schema_text_is_line(const char *text, size_t length);
bool schema_text_is_block(const char *text, size_t length);

/* Explains a refused text: which character, and why. Writes nothing for a control character. */
#define SCHEMA_DETAIL_SIZE 128
void schema_text_explain(const char *text, size_t length, char detail[SCHEMA_DETAIL_SIZE]);

#endif
