/* Reads newline-delimited text from a stream line by line, in bounded memory. One owner. */
#ifndef PRODUCT_NDJSON_H
#define PRODUCT_NDJSON_H

#include "base/base.h"

/* The limit of a single product (x-max-bytes): with all members at their maxima and each character
 * escaped, a product takes 90 KiB. */
#define NDJSON_LINE_MAX (128u << 10)

struct product_ndjson {
	/* Reads up to size bytes; 0 at the end. Negative errors are passed on. */
	int64_t (*read)(void *context, void *buffer, size_t size);
	void *context;
	char *buffer;
	size_t start; /* of the incomplete line */
	size_t end;
	size_t scanned; /* bytes from start that hold no newline */
	bool skipping;  /* skips the rest of a line that is too long */
	bool begun;     /* the first line was returned */
	bool ended;
};

struct product_ndjson_line {
	const char *text; /* not NUL-terminated; valid until the next call */
	size_t length;    /* without "\n" or "\r\n"; without a byte order mark in the first line */
	bool too_long;    /* longer than NDJSON_LINE_MAX; then text is empty */
};

/* -ENOMEM */
int product_ndjson_init(struct product_ndjson *lines,
			int64_t (*read)(void *context, void *buffer, size_t size), void *context);
void product_ndjson_release(struct product_ndjson *lines);

/* 1: a line; 0: the end. The last line need not end with a newline. */
int product_ndjson_next(struct product_ndjson *lines, struct product_ndjson_line *ret_line);

#endif
