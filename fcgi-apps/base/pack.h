/*
 * Compresses long texts with zlib (RFC 1950) into text, which columns of both stores hold: the
 * length in decimal, ':', the compressed bytes in base64url. Thread-safe (no state).
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include "base/base.h"
#include "base/text.h"

/* Appends the packed bytes. -ENOMEM, or the error of out. */
int text_pack(const char *data, size_t length, struct text *out);

/* Appends the original text. -EINVAL: not a packed text; -EMSGSIZE: longer than limit; -ENOMEM, or
 * the error of out. */
int text_unpack(const char *packed, size_t length, size_t limit, struct text *out);

#endif
