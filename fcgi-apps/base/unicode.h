/*
 * What Unicode says of a text; libunistring knows the tables. Texts are valid UTF-8 (base/utf8.h).
 * Nothing here depends on a locale. Thread-safe (no state).
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

/* Whether nobody sees anything of it: white space, control and format characters, and what is
 * ignored by default (Default_Ignorable_Code_Point: U+200B, U+FEFF, fillers). True for "". */
bool unicode_shows_nothing(const char *text, size_t length);

/* Whether it has a control character (general category Cc: U+0000 to U+001F, U+007F to U+009F). */
bool unicode_has_control(const char *text, size_t length);

#endif
