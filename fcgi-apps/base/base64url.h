/* base64url without padding (RFC 4648 section 5). Thread-safe (no state). */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include "base/base.h"
#include "base/text.h"

/* Characters that so many bytes take. */
#define BASE64URL_LENGTH(bytes) (((bytes)*4 + 2) / 3)

/* Appends the encoded bytes; check text_error(). */
void base64url_encode(const char *data, size_t length, struct text *out);

/* Returns the number of bytes written (at most 3/4 of the length), or -EINVAL: another character,
 * or left-over bits that are not zero: each value has one encoding. */
int64_t base64url_decode(const char *text, size_t length, char *out);

#endif
