/* responder/paging: a cursor that is taken for one is exactly what its fields would be written as,
 * and no query can break out of the Link header. First byte: the number of fields. */
#include "fuzz.h"
#include "responder/paging.h"

static void is_its_only_spelling(const struct request *request, struct response *response,
				 const struct cursor *cursor, const char *text)
{
	char expected[8192];
	paging_next(request, response, "name", cursor->fields, cursor->count);
	snprintf(expected, sizeof(expected), "Link: <?cursor=%s>; rel=\"next\"\r\n", text);
	fuzz_check(strcmp(text_string(&response->headers), expected) == 0);
}

static void stays_in_its_brackets(const char *query, struct response *response)
{
	static const char *const fields[] = {"1", "x"};
	struct request request = {.query = query};
	response_reset(response);
	paging_next(&request, response, "name", fields, ARRAY_SIZE(fields));
	const char *link = text_string(&response->headers);
	if (response->status == 422)
		return;
	fuzz_check(strncmp(link, "Link: <?", 8) == 0);
	link += 8;
	link += strcspn(link, "<> \"\r\n");
	fuzz_check(strcmp(link, ">; rel=\"next\"\r\n") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	size_t count = fuzz_byte(&input) % (CURSOR_FIELDS_MAX + 1);
	char *text CLEANUP(free_p) = fuzz_line(&input);
	struct response response CLEANUP(response_release) = {0};
	struct cursor cursor = {0};
	struct request request = {.query = ""};
	request.arguments.list[0] =
		(struct argument){.name = "cursor", .text = text, .length = strlen(text)};
	request.arguments.count = 1;
	response_init(&response, "fuzz");

	if (strlen(text) < 4000 && cursor_read(&request, &response, "name", count, &cursor)) {
		int64_t number;
		fuzz_check(cursor.count == count);
		is_its_only_spelling(&request, &response, &cursor, text);
		for (size_t i = 0; i < count; i++)
			cursor_int(&cursor, i, &response, &number);
	}
	cursor_release(&cursor);
	stays_in_its_brackets(text, &response);
	return 0;
}
