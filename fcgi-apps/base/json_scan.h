/*
 * The lexical half of reading JSON: what json-c lets pass, found in one walk over the text before
 * json-c sees it. Grammar is left to json-c. Private to json*.c.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/base.h"

struct json_scan {
	const char *text;
	size_t length;
	size_t position; /* where the walk is; after a failure, where it went wrong */
	int depth_limit;
	size_t values; /* how many values the text has, at every depth */
	const char *fault;
};

/* Checks every token: strings (UTF-8, control characters, escapes, surrogates), numbers (grammar,
 * int64), literals, white space, nesting. -EINVAL with fault and position set. */
int json_scan(struct json_scan *scan);

/* The position after the string that begins at start, in a text that passed json_scan(). */
size_t json_scan_string_end(const char *text, size_t start);

#endif
