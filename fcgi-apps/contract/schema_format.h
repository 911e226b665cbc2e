/* The `format`s that are checked. Thread-safe (no state). */
#ifndef CONTRACT_SCHEMA_FORMAT_H
#define CONTRACT_SCHEMA_FORMAT_H

#include "base/text.h"
#include "contract/schema_text.h"

struct schema_format {
	const char *name;
	bool (*is_valid)(const char *text, size_t length);
	const char *expected; /* "must be …" */
	int64_t magnitude;    /* of a number's format: what it holds, on both sides of 0 */
	/* Where it can tell more than that of a value which is not valid, writes it. Or NULL. */
	void (*explain)(const char *text, size_t length, char detail[SCHEMA_DETAIL_SIZE]);
	/* NULL: what is sent is what is meant. Otherwise whether the value must be changed; then
	 * the form to store and to compare is appended, and text_error(out) may be -ENOMEM. */
	bool (*normalize)(const char *text, size_t length, struct text *out);
};

/* int32, int64 (of numbers); date-time (RFC 3339), uri (RFC 3986), uuid (RFC 9562 section 4); id,
 * text-block, text-line (schema_text.h); NULL for any other. */
const struct schema_format *schema_format_find(const char *name);

#endif
