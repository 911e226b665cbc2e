#include "product/ndjson.h"

#include "base/utf8.h"

#define BUFFER_SIZE (2 * NDJSON_LINE_MAX)

/* A line's bytes and what does not count: a byte order mark in front and "\r" at the end. */
#define RAW_LINE_MAX (NDJSON_LINE_MAX + 4)

int product_ndjson_init(struct product_ndjson *lines,
			int64_t (*read)(void *context, void *buffer, size_t size), void *context)
{
	char *buffer = malloc(BUFFER_SIZE);

	if (!buffer)
		return -ENOMEM;
	*lines = (struct product_ndjson){.read = read, .context = context, .buffer = buffer};
	return 0;
}

void product_ndjson_release(struct product_ndjson *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}

/* Cuts a line of this length off the buffer; after is the length of its terminator. */
static struct product_ndjson_line take(struct product_ndjson *lines, size_t length, size_t after)
{
	struct product_ndjson_line line = {.text = lines->buffer + lines->start, .length = length};

	if (!lines->begun) {
		size_t mark = utf8_mark(line.text, line.length);

		line.text += mark;
		line.length -= mark;
	}
	if (line.length > 0 && line.text[line.length - 1] == '\r')
		line.length--;
	if (lines->skipping || line.length > NDJSON_LINE_MAX) {
		line.length = 0;
		line.too_long = true;
	}
	lines->start += length + after;
	lines->scanned = 0;
	lines->skipping = false;
	lines->begun = true;
	return line;
}

static int fill(struct product_ndjson *lines)
{
	if (lines->scanned > RAW_LINE_MAX) {
		lines->skipping = true;
		lines->start = lines->end;
		lines->scanned = 0;
	}
	/* Moves the rest once per line: not for each byte of a client that sends byte by byte. */
	if (lines->start > 0) {
		memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	int64_t got =
		lines->read(lines->context, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
	if (got < 0)
		return (int)got;
	lines->end += (size_t)got;
	lines->ended = got == 0;
	return 0;
}

int product_ndjson_next(struct product_ndjson *lines, struct product_ndjson_line *ret_line)
{
	for (;;) {
		const char *from = lines->buffer + lines->start;
		size_t length = lines->end - lines->start;
		const char *newline = memchr(from + lines->scanned, '\n', length - lines->scanned);

		if (newline) {
			*ret_line = take(lines, (size_t)(newline - from), 1);
			return 1;
		}
		lines->scanned = length;
		if (lines->ended) {
			if (length == 0 && !lines->skipping)
				return 0;
			*ret_line = take(lines, length, 0);
			return 1;
		}
		int r = fill(lines);
		if (r < 0)
			return r;
	}
}
