/* upstream/answer: whatever a sibling's place sends, in one piece or in small ones, is read the
 * same way. First byte: the size of the pieces. */
#include "fuzz.h"
#include "upstream/answer.h"

#define BODY_LIMIT 4096

static int read_answer(const char *data, size_t size, size_t piece, struct answer *answer)
{
	struct answer_reader reader;
	int r = 0;

	*answer = (struct answer){0};
	text_init(&answer->body, BODY_LIMIT);
	answer_reader_init(&reader, answer);
	for (size_t at = 0; at < size && r == 0; at += piece) {
		struct fuzz_input input = {data + at, size - at < piece ? size - at : piece};
		char *copy CLEANUP(free_p) = fuzz_rest(&input);
		r = answer_read(&reader, copy, input.size);
	}
	if (r == 0)
		r = answer_read(&reader, NULL, 0);
	fuzz_check(r == 1 || r == -EINVAL || r == -EMSGSIZE);
	fuzz_check(r < 0 || (answer->status >= 200 && answer->retry_after >= 0));
	fuzz_check(r > 0 || !reader.keeps);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	size_t piece = (size_t)fuzz_byte(&input) + 1;
	struct answer whole, pieces;
	int r = read_answer(input.data, input.size, SIZE_MAX, &whole);

	fuzz_check(read_answer(input.data, input.size, piece, &pieces) == r);
	if (r == 1) {
		fuzz_check(whole.status == pieces.status);
		fuzz_check(whole.retry_after == pieces.retry_after);
		fuzz_check(strcmp(text_string(&whole.body), text_string(&pieces.body)) == 0);
	}
	text_release(&whole.body);
	text_release(&pieces.body);
	return 0;
}
