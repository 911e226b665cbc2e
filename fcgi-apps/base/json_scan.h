/*
 * The tokens of JSON (RFC 8259 sections 2, 3, 6 and 7), strictly. Private to json*.c.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/base.h"

struct json_scan {
	const char *text;
	size_t length;
	size_t position;   /* of the next byte; after a failure, where it went wrong */
	const char *fault; /* after a failure: what went wrong */
};

/* Sets fault and position; returns -EINVAL. */
int json_scan_fail(struct json_scan *scan, size_t position, const char *fault);

void json_scan_space(struct json_scan *scan);

/* The next byte, or NUL at the end: no token begins with it or contains it. */
static inline char json_scan_peek(const struct json_scan *scan)
{
	return scan->position < scan->length ? scan->text[scan->position] : '\0';
}

/* Steps over null, true or false. */
bool json_scan_word(struct json_scan *scan, const char *word);

/*
 * Steps over the string that begins here. Its characters must be valid UTF-8, no control
 * characters, and no \u0000; surrogates come in pairs.
 */
int json_scan_string(struct json_scan *scan, bool *ret_escaped);

/* Steps over the number that begins here. Whole ones (no point, no exponent) must fit an int64. */
int json_scan_number(struct json_scan *scan, bool *ret_whole, int64_t *ret_value);

/* Writes the UTF-8 of a scanned string's inside; it is never longer than the source. Returns the
 * length. */
size_t json_scan_decode(const char *source, size_t length, char *target);

#endif
