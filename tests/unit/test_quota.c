/* auth/quota.h: how many, how soon again, and whose. */
#include "auth/quota.h"

#include "base/clock.h"
#include "unit.h"

#define NOW   (100 * CLOCK_SECOND)
#define RATE  10
#define BURST (2 * CLOCK_SECOND) /* twenty */
#define MANY  20000              /* more subjects than it remembers */

static struct quota *quota;

static void start(void)
{
	quota = quota_create();
	ck_assert_ptr_nonnull(quota);
}

static void stop(void)
{
	quota_free(quota);
}

static int64_t take(const char *subject, int64_t now)
{
	return quota_take(quota, subject, RATE, BURST, now);
}

static int take_all(const char *subject, int64_t now)
{
	int taken = 0;

	while (taken < 1000 && take(subject, now) == 0)
		taken++;
	return taken;
}

START_TEST(a_burst_and_then_the_rate)
{
	ck_assert_int_eq(take_all("ada", NOW), 21);
	ck_assert_int_eq(take("ada", NOW), CLOCK_SECOND / RATE);
	/* Those that were refused did not count. */
	ck_assert_int_eq(take_all("ada", NOW + CLOCK_SECOND), RATE);
	ck_assert_int_eq(take_all("ada", NOW + 10 * CLOCK_SECOND), 21);
}
END_TEST

START_TEST(each_subject_has_its_own)
{
	ck_assert_int_eq(take_all("ada", NOW), 21);
	ck_assert_int_eq(take_all("eve", NOW), 21);
	ck_assert_int_gt(take("ada", NOW), 0);
}
END_TEST

START_TEST(nought_is_no_limit)
{
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(quota_take(quota, "ada", 0, BURST, NOW), 0);
}
END_TEST

START_TEST(who_uses_most_is_not_forgotten_for_those_who_use_little)
{
	char subject[20];

	ck_assert_int_eq(take_all("ada", NOW), 21);
	for (int i = 0; i < MANY; i++) {
		snprintf(subject, sizeof(subject), "user-%d", i);
		ck_assert_int_eq(take(subject, NOW), 0);
	}
	ck_assert_int_gt(take("ada", NOW), 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("quota");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, a_burst_and_then_the_rate);
	tcase_add_test(tests, each_subject_has_its_own);
	tcase_add_test(tests, nought_is_no_limit);
	tcase_add_test(tests, who_uses_most_is_not_forgotten_for_those_who_use_little);
	return unit_run(tests, "quota");
}
