/*
 * Every allocation of the JSON code fails once, alone or with all that follow: the answer is
 * -ENOMEM or a whole result.
 */
#include "base/json.h"
#include "failing_memory.h"
#include "unit.h"

#ifndef FAILING_MEMORY

int main(void)
{
	puts("json_memory: skipped, the sanitizer has an allocator of its own");
	return EXIT_SUCCESS;
}

#else

#define ALLOCATIONS_MAX 1000

static const char document[] =
	"{\"name\":\"a string too long for what json-c keeps inside an object\",\"list\":[1,2.5,"
	"null,true,{\"k\":\"v\",\"inner\":[[],{},\"\xC3\xA9\"]}],\"m1\":1,\"m2\":1,\"m3\":1,\"m4\":"
	"1,"
	"\"m5\":1,\"m6\":1,\"m7\":1,\"m8\":1,\"m9\":1,\"m10\":1,\"m11\":1,\"m12\":1,\"m13\":1,"
	"\"m14\":1}";
static const char patch[] = "{\"list\":{\"a\":{\"b\":[1,2.50,\"x\"]}},\"m1\":null,\"new\":1}";
static const char twice[] = "{\"a\":1,\"b\":{\"a\":1,\"\\u0061\":2}}";

static struct json *parse(const char *text, int expected)
{
	struct json *value = NULL;
	struct json_error error;
	int r = json_parse(text, strlen(text), JSON_DEPTH_MAX, &value, &error);

	countdown = -1; /* check allocates, too */
	if (r != -ENOMEM)
		ck_assert_int_eq(r, expected);
	ck_assert_int_eq(value != NULL, r == 0);
	return value;
}

static void assert_prints(const struct json *value, const char *expected)
{
	struct text out = TEXT_INIT(TEXT_UNLIMITED);

	json_print(value, &out);
	ck_assert_str_eq(text_string(&out), expected);
	text_release(&out);
}

static void try_parse(void)
{
	struct json *value = parse(document, 0);

	if (value)
		assert_prints(value, document);
	json_free(value);
}

static void try_parse_duplicate(void)
{
	ck_assert_ptr_null(parse(twice, -EINVAL));
}

static void try_copy(void)
{
	int planned = countdown;
	countdown = -1;
	struct json *value = parse(document, 0);
	countdown = planned;
	struct json *copy = json_copy(value);
	countdown = -1;
	json_free(value);
	if (copy)
		assert_prints(copy, document);
	json_free(copy);
}

/* A merge that fails may be half done, but what is left must be a value. */
static void try_merge(void)
{
	int planned = countdown;
	countdown = -1;
	struct json *target = parse(document, 0), *change = parse(patch, 0);
	countdown = planned;
	int r = json_merge_patch(&target, change);
	countdown = -1;
	if (r != 0)
		ck_assert_int_eq(r, -ENOMEM);
	else
		ck_assert(!json_get(target, "m1") && json_get(target, "new"));
	struct json *copy = json_copy(target);
	ck_assert(json_equal(copy, target));
	json_free(copy);
	json_free(change);
	json_free(target);
}

static void try_build(void)
{
	struct json *object = json_new_object();
	int r = object ? 0 : -ENOMEM;

	if (object)
		r = json_set(object, "s", json_new_string("x"));
	if (r == 0)
		r = json_set(object, "t", json_new_string("y"));
	countdown = -1;
	if (r == 0)
		assert_prints(object, "{\"s\":\"x\",\"t\":\"y\"}");
	else
		ck_assert_int_eq(r, -ENOMEM);
	json_free(object);
}

static void (*const attempts[])(void) = {
	try_parse, try_parse_duplicate, try_copy, try_merge, try_build,
};

START_TEST(each_allocation_may_fail)
{
	stays_broken = _i % 2;
	int allocation = 0, failures_before;

	do {
		failures_before = failures;
		countdown = allocation++;
		attempts[_i / 2]();
		ck_assert_int_lt(allocation, ALLOCATIONS_MAX);
	} while (failures > failures_before);
	ck_assert_int_gt(allocation, 3);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("json_memory");

	tcase_add_loop_test(tests, each_allocation_may_fail, 0, 2 * ARRAY_SIZE(attempts));
	return unit_run(tests, "json_memory");
}

#endif
