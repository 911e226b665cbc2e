/* The `format`s that are checked. Thread-safe (no state). */
#ifndef CONTRACT_SCHEMA_FORMAT_H
#define CONTRACT_SCHEMA_FORMAT_H

#include "base/text.h"
#include "contract/schema_text.h"

struct schema_format {
	bool (*is_valid)(const char *text, size_t length);
	const char *expected; /* "must be …" */
	/* Where it can tell more than that of a value which is not valid, writes it. Or NULL. */
	void (*explain)(const char *text, size_t length, char detail[SCHEMA_DETAIL_SIZE]);
	/* NULL: what is sent is what is meant. Otherwise whether the value must be changed; then
	 * the form to store and to compare is appended, and text_error(out) may be -ENOMEM. */
	bool (*normalize)(const char *text, size_t length, struct text *out);
};

extern const struct schema_format schema_format_date_time; /* RFC 3339 */
extern const struct schema_format schema_format_uri;       /* RFC 3986 */
/* schema_text.h */
extern const struct schema_format schema_format_id;
extern const struct schema_format schema_format_text_block;
extern const struct schema_format schema_format_text_line;

#endif
