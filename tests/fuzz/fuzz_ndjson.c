/* product/ndjson: however the bytes arrive, the lines are those that a search for newlines finds.
 * The first byte is the size of the pieces, the second lengthens the text by as many KiB. */
#include "base/utf8.h"
#include "fuzz.h"
#include "product/ndjson.h"

struct source {
	const char *next;
	size_t left;
	size_t piece;
};

static int64_t read_source(void *context, void *buffer, size_t size)
{
	struct source *source = context;
	size_t length = source->left < source->piece ? source->left : source->piece;
	if (length > size)
		length = size;
	memcpy(buffer, source->next, length);
	source->next += length;
	source->left -= length;
	return (int64_t)length;
}

static void check_lines(struct product_ndjson *lines, const char *text, size_t size)
{
	struct product_ndjson_line line;
	const char *end = text + size;
	size_t mark = utf8_mark(text, size);
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);
		size_t shown = length - mark;
		if (shown > 0 && text[length - 1] == '\r')
			shown--;
		fuzz_check(product_ndjson_next(lines, &line) == 1);
		fuzz_check(line.too_long == (shown > NDJSON_LINE_MAX));
		fuzz_check(line.length == (line.too_long ? 0 : shown));
		fuzz_check(memcmp(line.text, text + mark, line.length) == 0);
		mark = 0;
		text = newline ? newline + 1 : end;
	}
	fuzz_check(product_ndjson_next(lines, &line) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	size_t piece = (size_t)fuzz_byte(&input) * 256 + 1;
	size_t filler = (size_t)fuzz_byte(&input) * 1024;
	char *text CLEANUP(free_p) = malloc(2 * input.size + filler + 1);
	fuzz_check(text);
	memcpy(text, input.data, input.size);
	memset(text + input.size, 'x', filler);
	memcpy(text + input.size + filler, input.data, input.size);

	struct source source = {text, 2 * input.size + filler, piece};
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	fuzz_check(product_ndjson_init(&lines, read_source, &source) == 0);
	check_lines(&lines, text, 2 * input.size + filler);
	return 0;
}
