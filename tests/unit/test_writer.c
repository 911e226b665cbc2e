/* Group commit: who is told what, exactly once, whatever happens to the others or to the disk. */
#include "store.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define JOBS 64

static struct db *db;

static void set_up(void)
{
	store_prepare();
	db = store_open();
}

static void tear_down(void)
{
	db_close(db);
	store_remove();
}

static int insert(struct db_conn *conn, void *argument)
{
	int64_t r = db_run(conn, "INSERT INTO items VALUES ($1, 1)", DB_VALUES(db_text(argument)));
	return r < 0 ? (int)r : 0;
}

/* Holds all writers back until it is opened, so that jobs gather behind it: one on SQLite, up to
 * WRITERS of them elsewhere. */
#define WRITERS 8

struct gate {
	struct db_job jobs[WRITERS];
	size_t count;
	sem_t entered, open;
};

static int wait_at_gate(UNUSED struct db_conn *conn, void *argument)
{
	struct gate *gate = argument;
	sem_post(&gate->entered);
	sem_wait(&gate->open);
	return 0;
}

static void ignore(UNUSED struct db_job *job, int result)
{
	ck_assert_int_eq(result, 0);
}

static void gate_close(struct gate *gate)
{
	*gate = (struct gate){.count = store_is_postgres() ? WRITERS : 1};
	sem_init(&gate->entered, 0, 0);
	sem_init(&gate->open, 0, 0);
	for (size_t i = 0; i < gate->count; i++) {
		gate->jobs[i] =
			(struct db_job){.function = wait_at_gate, .done = ignore, .argument = gate};
		ck_assert_int_eq(db_submit(db, &gate->jobs[i]), 0);
		sem_wait(&gate->entered);
	}
}

static void gate_open(struct gate *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		sem_post(&gate->open);
}

/* A job that remembers what it was told. */
struct task {
	struct db_job job;
	db_function *function;
	char id[16];
	int runs;
	int told;
	int result;
	sem_t *all;
};

static int run_task(struct db_conn *conn, void *argument)
{
	struct task *task = argument;
	task->runs++;
	return task->function(conn, task);
}

static void task_done(struct db_job *job, int result)
{
	struct task *task = job->argument;
	task->told++;
	task->result = result;
	sem_post(task->all);
}

static int insert_task(struct db_conn *conn, void *argument)
{
	struct task *task = argument;
	return insert(conn, task->id);
}

static int insert_and_fail(struct db_conn *conn, void *argument)
{
	int r = insert_task(conn, argument);
	return r ? r : -EDOM;
}

/* Submits all of them behind a gate, so that they are one group, and waits for the last. */
static void run_together(struct task tasks[JOBS])
{
	sem_t all;
	struct gate gate;
	sem_init(&all, 0, 0);
	gate_close(&gate);
	for (int i = 0; i < JOBS; i++) {
		struct task *task = &tasks[i];
		snprintf(task->id, sizeof(task->id), "id%d", i);
		if (!task->function)
			task->function = insert_task;
		task->job =
			(struct db_job){.function = run_task, .done = task_done, .argument = task};
		task->all = &all;
		ck_assert_int_eq(db_submit(db, &task->job), 0);
	}
	gate_open(&gate);
	for (int i = 0; i < JOBS; i++)
		sem_wait(&all);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(tasks[i].told, 1);
}

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

/* SQLite gives the whole transaction up when a page is missing: the disk is full for this job, and
 * for it alone. */
static int fill_disk(struct db_conn *conn, void *argument)
{
	struct store_count pages = {.sql = "PRAGMA page_count"};
	char sql[64];
	int r = insert_task(conn, argument);
	if (!r)
		r = store_read_count(conn, &pages);
	if (r)
		return r;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %d", (int)pages.value);
	db_run(conn, sql, DB_NO_VALUES);
	int64_t full =
		db_run(conn, "INSERT INTO items VALUES (hex(randomblob(100000)), 1)", DB_NO_VALUES);
	/* Must not be committed by itself, outside of the lost transaction. */
	int64_t after = db_run(conn, "INSERT INTO items VALUES ('astray', 1)", DB_NO_VALUES);
	ck_assert_int_eq(full, -ENOSPC);
	ck_assert_int_eq(after, -ENOSPC);
	return 0;
}

static int lift_limit(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r = db_run(conn, "PRAGMA max_page_count = 1000000", DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

START_TEST(a_lost_transaction_is_run_again_without_its_culprit)
{
	struct task tasks[JOBS] = {0};
	log_start("test", LOG_ERROR + 1);
	tasks[40].function = fill_disk;
	tasks[41].function = lift_limit;
	run_together(tasks);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(tasks[i].result, i == 40 ? -ENOSPC : 0);
		ck_assert_int_eq(tasks[i].runs, i <= 40 ? 2 : 1);
	}
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS - 2);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items WHERE id = 'astray'"), 0);
}
END_TEST

/* The log cannot grow any more: the commit itself fails. */
START_TEST(a_failed_commit_is_told_to_all)
{
	struct task tasks[JOBS] = {0}, later[JOBS] = {0};
	struct rlimit before, full;
	char log_path[128];
	struct stat status;
	log_start("test", LOG_ERROR + 1);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(log_path, sizeof(log_path), "%s-wal", store_path);
	ck_assert_int_eq(stat(log_path, &status), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	full = before;
	full.rlim_cur = (rlim_t)status.st_size;

	tasks[7].function = insert_and_fail;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	run_together(tasks);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_int_eq(tasks[i].result, -EIO);
		ck_assert_int_eq(tasks[i].runs, 1);
	}
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);

	run_together(later);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(later[i].result, 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), JOBS);
}
END_TEST

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

/* The log is copied into the file and begins anew although somebody always reads. */
static atomic_bool stop;

static int read_slowly(struct db_conn *conn, UNUSED void *argument)
{
	struct store_count count = {.sql = "SELECT count(*) FROM (SELECT 1 FROM items LIMIT 9) x"};
	int r = store_read_count(conn, &count);
	usleep(1000);
	return r;
}

static void *read_on(UNUSED void *argument)
{
	while (!stop)
		ck_assert_int_eq(db_read(db, read_slowly, NULL), 0);
	return NULL;
}

static int write_much(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r = db_run(conn,
			   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "
			   "< 500) INSERT INTO items SELECT hex(randomblob(1500)), 1 FROM n",
			   DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

START_TEST(the_log_is_bounded)
{
	pthread_t readers[3];
	char log_path[128];
	struct stat status;
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on, NULL), 0);
	off_t largest = 0;
	snprintf(log_path, sizeof(log_path), "%s-wal", store_path);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(db_transaction(db, write_much, NULL), 0);
		ck_assert_int_eq(stat(log_path, &status), 0);
		largest = status.st_size > largest ? status.st_size : largest;
	}
	stop = true;
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		pthread_join(readers[i], NULL);
	ck_assert_int_eq(stat(store_path, &status), 0);
	ck_assert_msg(status.st_size > 80 << 20, "the file has %lld bytes",
		      (long long)status.st_size);
	ck_assert_msg(largest < 48 << 20, "the log had %lld bytes", (long long)largest);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *writer = tcase_create("writer");
	tcase_add_checked_fixture(writer, set_up, tear_down);
	tcase_set_timeout(writer, 60);
	if (!store_is_postgres()) {
		/* Groups, and what ends them. */
		tcase_add_test(writer, waiting_jobs_share_a_commit);
		tcase_add_test(writer, a_lost_transaction_is_run_again_without_its_culprit);
		tcase_add_test(writer, a_failed_commit_is_told_to_all);
		tcase_add_test(writer, a_foreign_lock_is_waited_for_and_given_up);
		tcase_add_test(writer, the_log_is_bounded);
	}
	tcase_add_test(writer, single_commit_commits_each);
	tcase_add_test(writer, a_failing_job_spoils_no_other);
	tcase_add_test(writer, sql_errors_and_open_savepoints_stay_inside);
	tcase_add_test(writer, a_lost_race_is_run_again);
	tcase_add_test(writer, the_queue_is_bounded);
	tcase_add_test(writer, closing_waits_for_jobs);
	tcase_add_test(writer, many_threads_commit);
	suite_add_tcase(suite, writer);
	return store_main(suite);
}
