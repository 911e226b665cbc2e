/* All faults of an input: the `errors` of a 422 (RFC 9457 section 3.1). */
#ifndef CONTRACT_VIOLATIONS_H
#define CONTRACT_VIOLATIONS_H

#include "base/base.h"
#include "base/json_writer.h"
#include "base/text.h"

/* Beyond this many, further ones are counted but not kept. */
#define VIOLATIONS_MAX 32

/* The longest pointer and detail that are kept, with their NUL; longer ones are cut and end in "…".
 * Both may contain names that a client chose. */
#define VIOLATION_POINTER_SIZE 1024
#define VIOLATION_DETAIL_SIZE  512

struct violation {
	const char *
		in; /* "body", "query", "header", "path"; "response" in contract_check_response() */
	char *pointer; /* JSON Pointer (RFC 6901): "/items/0/quantity", "" for the whole */
	char *detail;
};

/* All zero is an empty list. One owner. */
struct violations {
	struct violation list[VIOLATIONS_MAX];
	size_t count; /* kept in list */
	size_t total;
	int error; /* -ENOMEM: one could not be kept, or a value could not be checked; else 0 */
};

/* in is kept, not copied. A violation that is already in the list is not added again: two schemas
 * of an allOf may find the same one. */
void violations_add(struct violations *violations, const char *in, const char *pointer,
		    const char *detail_format, ...) PRINTF_LIKE(4, 5);

/* Writes the member "errors": [{in, pointer, detail}]. */
void violations_write(const struct violations *violations, struct json_writer *writer);

void violations_release(struct violations *violations);

/* Appends "/" and the segment, escaped, to the JSON Pointer in buffer. */
void pointer_append(char buffer[VIOLATION_POINTER_SIZE], const char *segment);

#endif
