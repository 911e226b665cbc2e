#include "unit.h"

#include "upstream/breaker.h"

#define PAUSE 1000

static struct breaker breaker;

static void start(void)
{
	breaker_init(&breaker, 3, PAUSE);
}

static void open_at(int64_t now)
{
	breaker_failure(&breaker, now);
	breaker_failure(&breaker, now);
	breaker_failure(&breaker, now);
}

START_TEST(opens_after_failures_in_a_row)
{
	ck_assert(!breaker_failure(&breaker, 0));
	ck_assert(!breaker_failure(&breaker, 1));
	ck_assert(breaker_allow(&breaker, 1));
	ck_assert(breaker_failure(&breaker, 2));
	ck_assert_int_eq(breaker.state, BREAKER_OPEN);
	ck_assert(!breaker_allow(&breaker, 2));
}
END_TEST

START_TEST(a_success_between_starts_the_count_anew)
{
	for (int i = 0; i < 10; i++) {
		ck_assert(!breaker_failure(&breaker, i));
		ck_assert(!breaker_failure(&breaker, i));
		ck_assert(!breaker_success(&breaker));
	}
	ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(lets_one_probe_out_after_the_pause)
{
	open_at(100);
	ck_assert(!breaker_allow(&breaker, 100 + PAUSE - 1));
	ck_assert(breaker_allow(&breaker, 100 + PAUSE));
	ck_assert_int_eq(breaker.state, BREAKER_HALF_OPEN);
	ck_assert(!breaker_allow(&breaker, 100 + PAUSE));
	ck_assert(!breaker_allow(&breaker, 100 + 2 * PAUSE - 1));
}
END_TEST

START_TEST(a_good_probe_closes)
{
	open_at(0);
	ck_assert(breaker_allow(&breaker, PAUSE));
	ck_assert(breaker_success(&breaker));
	ck_assert(breaker_allow(&breaker, PAUSE));
	ck_assert(breaker_allow(&breaker, PAUSE));
	/* and all failures are forgotten */
	ck_assert(!breaker_failure(&breaker, PAUSE));
	ck_assert(!breaker_failure(&breaker, PAUSE));
	ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST(a_bad_probe_opens_for_another_pause)
{
	open_at(0);
	ck_assert(breaker_allow(&breaker, PAUSE));
	ck_assert(!breaker_failure(&breaker, PAUSE + 10));
	ck_assert_int_eq(breaker.state, BREAKER_OPEN);
	ck_assert(!breaker_allow(&breaker, 2 * PAUSE + 9));
	ck_assert(breaker_allow(&breaker, 2 * PAUSE + 10));
}
END_TEST

START_TEST(a_probe_without_an_end_does_not_block_for_ever)
{
	open_at(0);
	ck_assert(breaker_allow(&breaker, PAUSE));
	ck_assert(!breaker_allow(&breaker, 2 * PAUSE - 1));
	ck_assert(breaker_allow(&breaker, 2 * PAUSE));
}
END_TEST

START_TEST(late_failures_do_not_prolong_the_pause)
{
	open_at(0);
	ck_assert(!breaker_failure(&breaker, PAUSE - 1));
	ck_assert(breaker_allow(&breaker, PAUSE));
}
END_TEST

START_TEST(a_late_success_closes)
{
	open_at(0);
	ck_assert(breaker_success(&breaker));
	ck_assert(breaker_allow(&breaker, 1));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("breaker");

	tcase_add_checked_fixture(tcase, start, NULL);
	tcase_add_test(tcase, opens_after_failures_in_a_row);
	tcase_add_test(tcase, a_success_between_starts_the_count_anew);
	tcase_add_test(tcase, lets_one_probe_out_after_the_pause);
	tcase_add_test(tcase, a_good_probe_closes);
	tcase_add_test(tcase, a_bad_probe_opens_for_another_pause);
	tcase_add_test(tcase, a_probe_without_an_end_does_not_block_for_ever);
	tcase_add_test(tcase, late_failures_do_not_prolong_the_pause);
	tcase_add_test(tcase, a_late_success_closes);
	return unit_run(tcase, "breaker");
}
