/* The place of a checked value, and reports about it. Private to schema_*.c. */
#ifndef CONTRACT_SCHEMA_REPORT_H
#define CONTRACT_SCHEMA_REPORT_H

#include "contract/schema_node.h"
#include "contract/violations.h"

/* A value's path from the root, linked on the stack; a JSON Pointer is made only for a
 * violation. */
struct place {
	const struct place *parent;
	const char *name; /* NULL: the element with this index; for the root: its JSON Pointer */
	size_t index;
};

/* Where violations go. */
struct report {
	const char *in;
	struct violations *violations; /* NULL: only the verdict counts */
};

/* A value, which need not have been JSON. */
struct subject {
	unsigned type; /* one of enum schema_type */
	const struct json *json;
	const char *text; /* of a string */
	size_t length;
	struct decimal number; /* without json */
};

/* These add a violation and return false, so that a failed check can return their result. */
bool schema_report(const struct report *report, const struct place *place, const char *format, ...)
	PRINTF_LIKE(3, 4);
bool schema_report_type(const struct schema *schema, const struct subject *subject,
			const struct place *place, const struct report *report);
/* "s", or "" for a count of one. */
const char *schema_plural(size_t count);

#endif
