/*
 * The normal forms of texts and ids, for the formats text-line, text-block and id.
 *
 * A text is in Normalization Form C (UAX #15) and has no white space (the property White_Space) at
 * its ends; one that shows nothing is "". It may have no control characters (general category Cc)
 * and, in a line, no separators of lines (U+2028, U+2029); a block may have tabs and line breaks.
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

/* Whether it has only characters that a text of that kind may have. */
bool schema_text_is_line(const char *text, size_t length);
bool schema_text_is_block(const char *text, size_t length);

#endif
