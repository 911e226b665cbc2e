/* base/json: what is accepted prints as JSON that reads as the same value; merging a patch twice is
 * merging it once (RFC 7396). */
#include "base/json.h"
#include "fuzz.h"

static struct json *parse(const char *text, size_t length)
{
	struct json *value = NULL;
	struct json_error error = {0};
	int r = json_parse_input(text, length, &value, &error);
	fuzz_check(r == 0 || r == -EINVAL);
	if (r == 0)
		return value;
	fuzz_check(!value);
	fuzz_check(error.offset <= length && error.line >= 1 && error.column >= 1);
	fuzz_check(error.detail[0] && memchr(error.detail, '\0', sizeof(error.detail)));
	return NULL;
}

static void prints_and_reads(const struct json *value)
{
	struct text printed CLEANUP(text_release) = TEXT_INIT(1u << 20);
	struct text again CLEANUP(text_release) = TEXT_INIT(1u << 20);
	json_print(value, &printed);
	fuzz_check(text_error(&printed) == 0);
	struct json *copy CLEANUP(json_free_p) = parse(printed.data, printed.length);
	fuzz_check(copy && json_equal(value, copy) && json_equal(copy, value));
	json_print(copy, &again);
	fuzz_check(strcmp(text_string(&printed), text_string(&again)) == 0);
}

static void merges_once(const struct json *patch)
{
	struct json *target CLEANUP(json_free_p) = json_new_object();
	fuzz_check(target && json_merge_patch(&target, patch) == 0);
	struct json *once CLEANUP(json_free_p) = json_copy(target);
	fuzz_check(once && json_merge_patch(&target, patch) == 0);
	fuzz_check(json_equal(once, target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *value CLEANUP(json_free_p) = parse((const char *)data, size);
	if (value) {
		prints_and_reads(value);
		merges_once(value);
	}
	return 0;
}
