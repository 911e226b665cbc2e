/* What the tests of JSON values share: from text to a value, and back. */
#ifndef TESTS_UNIT_JSON_VALUES_H
#define TESTS_UNIT_JSON_VALUES_H

#include "base/json.h"
#include "unit.h"

static inline struct json *parse(const char *text)
{
	struct json *value = NULL;
	struct json_error error = {0};

	ck_assert_msg(json_parse(text, strlen(text), JSON_DEPTH_MAX, &value, &error) == 0, "%s: %s",
		      text, error.detail);
	return value;
}

static inline void assert_prints(const struct json *value, const char *expected)
{
	struct text out = TEXT_INIT(1 << 20);

	json_print(value, &out);
	ck_assert_int_eq(text_error(&out), 0);
	ck_assert_str_eq(text_string(&out), expected);
	text_release(&out);
}

#endif
