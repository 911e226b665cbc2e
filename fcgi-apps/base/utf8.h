/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/base.h"

/* U+FFFD, which replaces invalid bytes. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/* Bytes (1 to 4) of the character at text, or 0 when none starts there; length > 0. */
static inline size_t utf8_character(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned char lowest = 0x80, highest = 0xBF; /* of the second byte: RFC 3629 section 4 */
	size_t size;

	if (byte[0] < 0x80)
		return 1;
	if (byte[0] < 0xC2 || byte[0] > 0xF4)
		return 0;
	if (byte[0] < 0xE0) {
		size = 2;
	} else if (byte[0] < 0xF0) {
		size = 3;
		if (byte[0] == 0xE0)
			lowest = 0xA0;
		else if (byte[0] == 0xED)
			highest = 0x9F;
	} else {
		size = 4;
		if (byte[0] == 0xF0)
			lowest = 0x90;
		else if (byte[0] == 0xF4)
			highest = 0x8F;
	}
	if (length < size || byte[1] < lowest || byte[1] > highest)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((byte[i] & 0xC0) != 0x80)
			return 0;
	}
	return size;
}

/* Bytes of the byte order mark that a text begins with, 0 without one. A receiver may leave it out
 * (RFC 8259 section 8.1): spreadsheets and editors put it in front of what they write. */
static inline size_t utf8_mark(const char *text, size_t length)
{
	return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

static inline bool utf8_is_valid(const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t size = utf8_character(text + i, length - i);
		if (!size)
			return false;
		i += size;
	}
	return true;
}

/* Characters of a valid text. */
static inline size_t utf8_count(const char *text, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xC0) != 0x80;
	return count;
}

/* The largest length up to limit that does not cut a character in two. */
static inline size_t utf8_cut(const char *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	for (size_t back = 0; back < 4 && limit > back; back++) {
		if (((unsigned char)text[limit - back] & 0xC0) != 0x80)
			return limit - back;
	}
	return limit;
}

#endif
