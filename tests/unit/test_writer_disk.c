/* Group commit on a full disk, and a log that stays small: only SQLite. */
#include "jobs.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* SQLite gives up the whole transaction when a page cannot be written: the disk is full for this
 * job only. */
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
	ck_assert_int_ge(db_run(conn, sql, DB_NO_VALUES), 0);
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

/* The log cannot be written any more: the commit itself fails. */
START_TEST(a_failed_commit_is_told_to_all)
{
	struct task tasks[JOBS] = {0}, later[JOBS] = {0};
	struct rlimit before;
	log_start("test", LOG_ERROR + 1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	struct rlimit full = before;
	full.rlim_cur = 0;

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

/* The log is copied into the file and starts again, although a reader is always active. */
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

/* SQLite's temporary files have names that begin so, and are removed as soon as they are open. */
static bool has_temporary_file(void)
{
	char path[PATH_MAX];
	for (int fd = 0; fd < 256; fd++) {
		char name[32];
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		ssize_t length = readlink(name, path, sizeof(path) - 1);
		path[length > 0 ? length : 0] = '\0';
		if (strstr(path, "/etilqs_"))
			return true;
	}
	return false;
}

static bool seen;

/* As many pages as a request changes that has much to change. */
static int change_pages(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r = db_run(conn,
			   "UPDATE items SET amount = amount + 1 WHERE id IN"
			   " (SELECT id FROM items ORDER BY id LIMIT 28)",
			   DB_NO_VALUES);
	seen = seen || has_temporary_file();
	return r < 0 ? (int)r : 0;
}

/* SQLite keeps an undo log for each job of a group: a file for it would cost as much as the
 * commit. */
START_TEST(a_job_is_undone_without_a_file)
{
	struct task tasks[JOBS] = {0};
	ck_assert_int_eq(db_transaction(db, write_much, NULL), 0);
	for (int i = 0; i < JOBS; i++)
		tasks[i].function = change_pages;
	run_together(tasks);
	ck_assert(!seen);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer_disk");
	TCase *writer = tcase_create("writer");
	tcase_add_checked_fixture(writer, set_up, tear_down);
	tcase_set_timeout(writer, 60);
	if (!store_is_postgres()) {
		tcase_add_test(writer, a_lost_transaction_is_run_again_without_its_culprit);
		tcase_add_test(writer, a_failed_commit_is_told_to_all);
		tcase_add_test(writer, the_log_is_bounded);
		tcase_add_test(writer, a_job_is_undone_without_a_file);
	}
	suite_add_tcase(suite, writer);
	return store_main(suite);
}
