/* The `format`s that are checked. Thread-safe (no state). */
#ifndef CONTRACT_SCHEMA_FORMAT_H
#define CONTRACT_SCHEMA_FORMAT_H

#include "base/text.h"
#include "contract/schema_text.h"

struct schema_format {
	bool (*is_valid)(const char *text, size_t length);
	const char *expected; /* "must be …" */
	/* Writes a better explanation of an invalid value, if there is one. Or NULL. */
	void (*explain)(const char *text, size_t length, char detail[SCHEMA_DETAIL_SIZE]);
	/* Returns whether the value must change, and then appends the form to store and compare;
	 * text_error(out) may be -ENOMEM. NULL: values stay as they are. */
	bool (*normalize)(const char *text, size_t length, struct text *out);
};

extern const struct schema_format schema_format_date_time; /* RFC 3339 */
extern const struct schema_format schema_format_uri;       /* RFC 3986 */
/* schema_text.h */
extern const struct schema_format schema_format_id;
extern const struct schema_format schema_format_text_block;
extern const struct schema_format schema_format_text_line;

#endif
