/* The queue of the writer: its limit, its end, many submitters at once, and another process's
 * lock. */
#include "jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

START_TEST(a_foreign_lock_is_waited_for_and_given_up)
{
	struct db_options options = store_options();
	struct gate gate;
	options.busy_timeout = 50000;
	struct db *other = store_open_with(&options);
	log_start("test", LOG_ERROR + 1);
	gate_close(&gate);
	ck_assert_int_eq(db_transaction(other, insert, "a"), -EAGAIN);
	gate_open(&gate);
	/* As soon as the other one is through: */
	int r;
	for (int tries = 0; (r = db_transaction(other, insert, "a")) == -EAGAIN; tries++)
		ck_assert_int_lt(tries, 100);
	ck_assert_int_eq(r, 0);
	db_close(other);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
	struct db_options options = store_options();
	struct task tasks[4] = {0};
	struct db_stats stats;
	struct gate gate;
	sem_t all;
	db_close(db);
	options.queue_limit = 3;
	db = store_open_with(&options);
	sem_init(&all, 0, 0);
	gate_close(&gate);
	for (int i = 0; i < 4; i++) {
		tasks[i] = (struct task){.function = insert_task, .all = &all};
		snprintf(tasks[i].id, sizeof(tasks[i].id), "id%d", i);
		tasks[i].job = (struct db_job){
			.function = run_task, .done = task_done, .argument = &tasks[i]};
		ck_assert_int_eq(db_submit(db, &tasks[i].job), i < 3 ? 0 : -EAGAIN);
	}
	ck_assert_int_eq(db_transaction(db, insert, "late"), -EAGAIN);
	db_stats(db, &stats);
	ck_assert_int_eq(stats.waiting, 3);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		sem_wait(&all);
	ck_assert_int_eq(tasks[3].told, 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 3);
}
END_TEST

static void *open_gate_late(void *argument)
{
	usleep(50000);
	gate_open(argument);
	return NULL;
}

/* Submitting from a done function while the store closes is refused. */
static atomic_int refused;

static void submit_again(struct db_job *job, int result)
{
	ck_assert_int_eq(result, 0);
	if (db_submit(db, job) == -ECANCELED)
		refused++;
}

START_TEST(closing_waits_for_jobs)
{
	struct task tasks[JOBS] = {0};
	struct db_job endless = {.function = wait_at_gate, .done = submit_again, .argument = NULL};
	struct gate gate, second;
	pthread_t opener;
	sem_t all;
	sem_init(&all, 0, 0);
	sem_init(&second.entered, 0, 0);
	sem_init(&second.open, 0, 1);
	endless.argument = &second;
	gate_close(&gate);
	for (int i = 0; i < JOBS; i++) {
		tasks[i] = (struct task){.function = insert_task, .all = &all};
		snprintf(tasks[i].id, sizeof(tasks[i].id), "id%d", i);
		tasks[i].job = (struct db_job){
			.function = run_task, .done = task_done, .argument = &tasks[i]};
		ck_assert_int_eq(db_submit(db, &tasks[i].job), 0);
	}
	ck_assert_int_eq(db_submit(db, &endless), 0);
	ck_assert_int_eq(pthread_create(&opener, NULL, open_gate_late, &gate), 0);
	db_close(db);
	pthread_join(opener, NULL);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(tasks[i].told, 1);
		ck_assert_int_eq(tasks[i].result, 0);
	}
	ck_assert_int_eq(refused, 1);
	db = store_open();
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS);
}
END_TEST

static int increment(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r =
		db_run(conn, "UPDATE items SET amount = amount + 1 WHERE id = 'a'", DB_NO_VALUES);
	return r < 0 ? (int)r : r == 1 ? 0 : -ENOENT;
}

static void *increment_often(UNUSED void *argument)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(db_transaction(db, increment, NULL), 0);
	return NULL;
}

START_TEST(many_threads_commit)
{
	pthread_t threads[JOBS];
	ck_assert_int_eq(db_transaction(db, insert, "a"), 0);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, increment_often, NULL), 0);
	for (int i = 0; i < JOBS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(store_number(db, "SELECT amount FROM items"), 1 + 20 * JOBS);
}
END_TEST

/* Programming errors: each would end in an endless wait, or in calling nothing. */

static int insert_in_another(UNUSED struct db_conn *conn, void *argument)
{
	return db_transaction(db, insert, argument);
}

START_TEST(a_transaction_waits_for_no_other)
{
	ck_abort_msg("told: %d", db_transaction(db, insert_in_another, "a"));
}
END_TEST

START_TEST(a_job_has_somebody_to_tell)
{
	struct db_job job = {.function = insert, .argument = "a"};
	ck_abort_msg("taken: %d", db_submit(db, &job));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer_queue");
	TCase *writer = tcase_create("writer");
	tcase_add_checked_fixture(writer, set_up, tear_down);
	tcase_set_timeout(writer, 60);
	if (!store_is_postgres()) {
		tcase_add_test(writer, a_foreign_lock_is_waited_for_and_given_up);
	}
	tcase_add_test(writer, the_queue_is_bounded);
	tcase_add_test(writer, closing_waits_for_jobs);
	tcase_add_test(writer, many_threads_commit);
	tcase_add_test_raise_signal(writer, a_transaction_waits_for_no_other, SIGABRT);
	tcase_add_test_raise_signal(writer, a_job_has_somebody_to_tell, SIGABRT);
	suite_add_tcase(suite, writer);
	return store_main(suite);
}
