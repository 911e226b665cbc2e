/* responder/entity_tag: a list never names a version whose digits it does not contain; what stands
 * behind a tag cannot hide it. */
#include "fuzz.h"
#include "responder/entity_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	char *list CLEANUP(free_p) = fuzz_line(&input);
	char *longer CLEANUP(free_p) = NULL;

	fuzz_check(!entity_tag_matches(list, 4711) || strchr(list, '*') ||
		   strstr(list, "\"4711\""));
	fuzz_check(entity_tag_matches(list, 12) == entity_tag_matches(list, 12));
	fuzz_check(asprintf(&longer, " W/\"12\" ,%s", list) >= 0);
	fuzz_check(entity_tag_matches(longer, 12));
	return 0;
}
