#include "unit.h"

#include "upstream/backoff.h"

static const struct {
	int64_t base;
	int64_t longest;
	unsigned failures;
	int64_t ceiling;
} ceilings[] = {
	{50, 1000, 0, 50},
	{50, 1000, 1, 100},
	{50, 1000, 4, 800},
	{50, 1000, 5, 1000},
	{50, 1000, 62, 1000},
	{50, 1000, 63, 1000},
	{50, 1000, 4000000000u, 1000},
	{2000, 1000, 0, 1000},
	{1, INT64_MAX, 62, INT64_C(1) << 62},
	{3, INT64_MAX, 62, INT64_MAX},
	{1, 1, 0, 1},
};

START_TEST(ceiling_doubles_up_to_the_longest)
{
	ck_assert_int_eq(
		backoff_ceiling(ceilings[_i].base, ceilings[_i].longest, ceilings[_i].failures),
		ceilings[_i].ceiling);
}
END_TEST

START_TEST(delays_fill_the_range_and_stay_in_it)
{
	int64_t lowest = INT64_MAX;
	int64_t highest = 0;

	for (int i = 0; i < 10000; i++) {
		int64_t delay = backoff_delay(1000, 100000, 3);

		ck_assert_int_ge(delay, 0);
		ck_assert_int_le(delay, 8000);
		lowest = delay < lowest ? delay : lowest;
		highest = delay > highest ? delay : highest;
	}
	/* Full jitter: 10,000 draws that all miss an eighth of the range are no accident. */
	ck_assert_int_lt(lowest, 1000);
	ck_assert_int_gt(highest, 7000);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("backoff");

	tcase_add_loop_test(tcase, ceiling_doubles_up_to_the_longest, 0, ARRAY_SIZE(ceilings));
	tcase_add_test(tcase, delays_fill_the_range_and_stay_in_it);
	return unit_run(tcase, "backoff");
}
