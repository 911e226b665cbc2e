#include "base/processors.h"
#include "unit.h"

static const struct {
	size_t cores;
	const char *cpu_max;
	size_t expected;
} cases[] = {
	{4, "", 4},
	{4, "max 100000\n", 4},
	{4, "200000 100000\n", 2},
	{4, "250000 100000\n", 2},
	{4, "50000 100000\n", 1},
	{4, "0 100000\n", 1},
	{4, "800000 100000\n", 4},
	{4, "9999999999999999999999 1\n", 4},
	{4, "-1 100000\n", 4},
	{4, "200000 0\n", 4},
	{4, "200000", 4},
	{1, "200000 100000\n", 1},
};

START_TEST(a_container_has_whole_processors_of_its_time)
{
	ck_assert_uint_eq(processors_within(cases[_i].cores, cases[_i].cpu_max),
			  cases[_i].expected);
}
END_TEST

START_TEST(there_is_one_at_least)
{
	ck_assert_uint_ge(processors(), 1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("processors");

	tcase_add_loop_test(tests, a_container_has_whole_processors_of_its_time, 0,
			    ARRAY_SIZE(cases));
	tcase_add_test(tests, there_is_one_at_least);
	return unit_run(tests, "processors");
}
