/* The `format`s that are checked. Thread-safe (no state). */
#ifndef CONTRACT_SCHEMA_FORMAT_H
#define CONTRACT_SCHEMA_FORMAT_H

#include "base/base.h"

struct schema_format {
	const char *name;
	bool (*is_valid)(const char *text, size_t length);
	const char *expected; /* "must be …" */
};

/* date-time (RFC 3339), uri (RFC 3986), uuid (RFC 9562 section 4); NULL for any other. */
const struct schema_format *schema_format_find(const char *name);

#endif
