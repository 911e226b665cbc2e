/* responder/tasks: when background work runs. */
#include "base/clock.h"
#include "base/log.h"
#include "responder/tasks.h"
#include "unit.h"

#include <unistd.h>

#define MILLISECOND (CLOCK_SECOND / 1000)
#define PATIENCE    (20 * CLOCK_SECOND)

static atomic_int runs;
static int more; /* how often the task says that more is waiting */
static int64_t takes;

static bool run(struct runtime *runtime UNUSED, void *app UNUSED)
{
	usleep((useconds_t)takes);
	return atomic_fetch_add(&runs, 1) + 1 <= more;
}

static struct runtime runtime;

static void start_task(struct task given)
{
	static struct task task;
	log_start("test", LOG_ERROR);
	task = given;
	ck_assert_int_eq(tasks_create(&runtime, &runtime.tasks), 0);
	ck_assert_int_eq(tasks_start(runtime.tasks, &task, 1, NULL), 0);
}

static void stop_task(void)
{
	tasks_stop(runtime.tasks);
}

static void wait_for_runs(int count)
{
	int64_t end = clock_monotonic() + PATIENCE;
	while (atomic_load(&runs) < count && clock_monotonic() < end)
		usleep(1000);
	ck_assert_int_ge(atomic_load(&runs), count);
}

START_TEST(a_task_runs_again_and_again)
{
	start_task((struct task){.name = "t", .interval = MILLISECOND, .run = run});
	wait_for_runs(5);
}
END_TEST

START_TEST(a_task_that_is_woken_runs_at_once)
{
	start_task((struct task){.name = "t", .interval = 3600 * CLOCK_SECOND, .run = run});
	task_wake(&runtime, "another");
	task_wake(&runtime, "t");
	wait_for_runs(1);
	usleep(20 * MILLISECOND);
	ck_assert_int_eq(atomic_load(&runs), 1);
}
END_TEST

START_TEST(a_task_that_has_more_to_do_goes_on)
{
	more = 4;
	start_task((struct task){.name = "t", .interval = 3600 * CLOCK_SECOND, .run = run});
	task_wake(&runtime, "t");
	wait_for_runs(5);
	usleep(20 * MILLISECOND);
	ck_assert_int_eq(atomic_load(&runs), 5);
}
END_TEST

/* Each run takes 5 ms at least, so each pause 375 ms at least: one may vary by a quarter. */
START_TEST(a_task_that_takes_long_rests)
{
	int64_t started = clock_monotonic();
	takes = 5 * MILLISECOND;
	start_task((struct task){.name = "t", .interval = MILLISECOND, .rest = 100, .run = run});
	wait_for_runs(3);
	ck_assert_int_ge(clock_monotonic() - started, 2 * 375 * MILLISECOND);
}
END_TEST

static bool wake_another(struct runtime *waking, void *app UNUSED)
{
	int64_t end = clock_monotonic() + 50 * MILLISECOND;
	atomic_fetch_add(&runs, 1);
	while (clock_monotonic() < end)
		task_wake(waking, "another");
	return false;
}

START_TEST(a_task_may_wake_one_that_has_stopped)
{
	static const struct task another = {
		.name = "another", .interval = 3600 * CLOCK_SECOND, .run = run};
	start_task((struct task){.name = "t", .interval = MILLISECOND, .run = wake_another});
	ck_assert_int_eq(tasks_start(runtime.tasks, &another, 1, NULL), 0);
	wait_for_runs(1);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("tasks");
	tcase_add_checked_fixture(tcase, NULL, stop_task);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_task_runs_again_and_again);
	tcase_add_test(tcase, a_task_that_is_woken_runs_at_once);
	tcase_add_test(tcase, a_task_that_has_more_to_do_goes_on);
	tcase_add_test(tcase, a_task_that_takes_long_rests);
	tcase_add_test(tcase, a_task_may_wake_one_that_has_stopped);
	return unit_run(tcase, "tasks");
}
