/* Group commit: every job is told its own result, exactly once, whatever happens to the others. */
#include "jobs.h"

START_TEST(waiting_jobs_share_a_commit)
{
	struct task tasks[JOBS] = {0};
	struct db_stats before, after;
	db_stats(db, &before);
	run_together(tasks);
	db_stats(db, &after);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(tasks[i].result, 0);
		ck_assert_int_eq(tasks[i].runs, 1);
	}
	ck_assert_int_eq(after.commits - before.commits, 2); /* the gate's and theirs */
	ck_assert_int_eq(after.jobs - before.jobs, JOBS + 1);
	ck_assert_int_eq(after.waiting, 0);
	ck_assert_int_eq(after.retries, 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS);
}
END_TEST

START_TEST(single_commit_commits_each)
{
	struct task tasks[JOBS] = {0};
	struct db_options options = store_options();
	struct db_stats stats;
	db_close(db);
	options.single_commit = true;
	db = store_open_with(&options);
	tasks[5].function = insert_and_fail;
	run_together(tasks);
	db_stats(db, &stats);
	ck_assert_int_eq(tasks[5].result, -EDOM);
	/* The gate's and all but one. */
	ck_assert_int_eq(stats.commits, (store_is_postgres() ? WRITERS : 1) + JOBS - 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS - 1);
}
END_TEST

START_TEST(a_failing_job_spoils_no_other)
{
	struct task tasks[JOBS] = {0};
	for (int i = 0; i < JOBS; i += 3)
		tasks[i].function = insert_and_fail;
	run_together(tasks);
	int good = 0;
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(tasks[i].result, i % 3 ? 0 : -EDOM);
		ck_assert_int_eq(tasks[i].runs, 1);
		good += tasks[i].result == 0;
	}
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), good);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items WHERE id = 'id3'"), 0);
}
END_TEST

static int insert_twice(struct db_conn *conn, void *argument)
{
	int r = insert_task(conn, argument);
	return r ? r : insert_task(conn, argument);
}

static int unbalanced(struct db_conn *conn, void *argument)
{
	int r = insert_task(conn, argument);
	return r ? r : db_savepoint(conn);
}

START_TEST(sql_errors_and_open_savepoints_stay_inside)
{
	struct task tasks[JOBS] = {0};
	tasks[10].function = insert_twice;
	tasks[20].function = unbalanced;
	run_together(tasks);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(tasks[i].result, i == 10 ? -EEXIST : 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS - 1);
}
END_TEST

static int fail_twice(struct db_conn *conn, void *argument)
{
	struct task *task = argument;
	int r = insert_task(conn, task);
	return r ? r : task->runs < 3 ? -EAGAIN : 0;
}

static int fail_always(UNUSED struct db_conn *conn, UNUSED void *argument)
{
	return -EAGAIN;
}

START_TEST(a_lost_race_is_run_again)
{
	struct task tasks[JOBS] = {0};
	struct db_stats stats;
	tasks[1].function = fail_twice;
	tasks[2].function = fail_always;
	run_together(tasks);
	ck_assert_int_eq(tasks[1].result, 0);
	ck_assert_int_eq(tasks[1].runs, 3);
	ck_assert_int_eq(tasks[2].result, -EAGAIN);
	ck_assert_int_gt(tasks[2].runs, 2);
	ck_assert_int_lt(tasks[2].runs, 10);
	db_stats(db, &stats);
	ck_assert_int_eq(stats.retries, 2 + tasks[2].runs - 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *writer = tcase_create("writer");
	tcase_add_checked_fixture(writer, set_up, tear_down);
	tcase_set_timeout(writer, 60);
	if (!store_is_postgres()) {
		tcase_add_test(writer, waiting_jobs_share_a_commit);
	}
	tcase_add_test(writer, single_commit_commits_each);
	tcase_add_test(writer, a_failing_job_spoils_no_other);
	tcase_add_test(writer, sql_errors_and_open_savepoints_stay_inside);
	tcase_add_test(writer, a_lost_race_is_run_again);
	suite_add_tcase(suite, writer);
	return store_main(suite);
}
