#include "base/library.h"
#include "unit.h"

/* Of the C library, so that every machine has them. */
static struct {
	__typeof__(strlen) *strlen;
	__typeof__(abs) *abs;
} found;

static char reason[LIBRARY_REASON_SIZE];

START_TEST(functions_in_the_order_of_their_names)
{
	static const char *const names[] = {"strlen", "abs", NULL};

	ck_assert_int_eq(library_load("libc.so.6", names, &found, reason), 0);
	ck_assert_uint_eq(found.strlen("four"), 4);
	ck_assert_int_eq(found.abs(-4), 4);
	ck_assert_str_eq(reason, "");
}
END_TEST

START_TEST(a_library_that_is_not_there)
{
	static const char *const names[] = {"strlen", NULL};

	ck_assert_int_eq(library_load("libnone.so.9", names, &found, reason), -EIO);
	ck_assert_ptr_nonnull(strstr(reason, "libnone.so.9"));
}
END_TEST

START_TEST(a_library_that_is_too_old)
{
	static const char *const names[] = {"strlen", "not_invented_yet", NULL};

	ck_assert_int_eq(library_load("libc.so.6", names, &found, reason), -EIO);
	ck_assert_ptr_nonnull(strstr(reason, "not_invented_yet"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("library");

	tcase_add_test(tests, functions_in_the_order_of_their_names);
	tcase_add_test(tests, a_library_that_is_not_there);
	tcase_add_test(tests, a_library_that_is_too_old);
	return unit_run(tests, "library");
}
