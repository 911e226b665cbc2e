/* SQLite's files when another program removes, replaces or overwrites them. */
#include "items.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char log_path[128], index_path[128], aside[128];

static int write_item(void)
{
	return db_transaction(db, store_run, "INSERT INTO items VALUES (hex(randomblob(8)), 1)");
}

static void set_up_files(void)
{
	set_up();
	write_item(); /* and a checkpoint, which the next one waits for */
	log_start("test", LOG_ERROR + 1);
	snprintf(log_path, sizeof(log_path), "%s-wal", store_path);
	snprintf(index_path, sizeof(index_path), "%s-shm", store_path);
	snprintf(aside, sizeof(aside), "%s/aside", store_folder);
}

static void copy(const char *from, const char *to)
{
	char bytes[4096];
	ssize_t count;
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(out, 0);
	while ((count = read(in, bytes, sizeof(bytes))) > 0)
		ck_assert_int_eq(write(out, bytes, (size_t)count), count);
	close(in);
	close(out);
}

static void is_refused(void)
{
	ck_assert_int_eq(db_ping(db), -EHOSTDOWN);
	ck_assert_int_eq(write_item(), -EHOSTDOWN);
}

static void is_taken(void)
{
	ck_assert_int_eq(write_item(), 0);
	ck_assert_int_eq(db_ping(db), 0);
}

static const char *const parts[] = {store_path, log_path, index_path};

START_TEST(what_is_moved_away_is_missed_until_it_is_back)
{
	is_taken();
	int64_t before = store_number(db, "SELECT count(*) FROM items");
	ck_assert_int_eq(rename(parts[_i], aside), 0);
	is_refused();
	ck_assert_int_eq(rename(aside, parts[_i]), 0);
	is_taken();
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), before + 1);
}
END_TEST

START_TEST(what_is_replaced_is_noticed)
{
	is_taken();
	copy(parts[_i], aside);
	ck_assert_int_eq(rename(aside, parts[_i]), 0);
	is_refused();
}
END_TEST

START_TEST(a_folder_that_is_gone_is_noticed)
{
	char away[128];
	snprintf(away, sizeof(away), "%s-away", store_folder);
	ck_assert_int_eq(rename(store_folder, away), 0);
	is_refused();
	ck_assert_int_eq(rename(away, store_folder), 0);
	is_taken();
}
END_TEST

static int insert_and_remove(struct db_conn *conn, void *path)
{
	int64_t r = db_run(conn, "INSERT INTO items VALUES ('lost', 1)", DB_NO_VALUES);
	ck_assert_int_eq(unlink(path), 0);
	return r < 0 ? (int)r : 0;
}

/* The commit itself succeeds, but no caller may hear of success. */
START_TEST(what_is_removed_before_the_commit_is_not_told_as_done)
{
	ck_assert_int_eq(db_transaction(db, insert_and_remove, (void *)parts[_i]), -EHOSTDOWN);
}
END_TEST

/* As `cp` does it, into the same file: yesterday's database. */
START_TEST(an_older_copy_written_over_it_is_noticed)
{
	db_close(db);
	copy(store_path, aside);
	db = store_open();
	is_taken(); /* and a checkpoint, which the next one waits for */
	is_taken();
	copy(aside, store_path);
	is_refused();
}
END_TEST

/* A database of the same kind, with more in it. */
START_TEST(another_database_written_over_it_is_noticed)
{
	char url[256], path[128];
	struct db_options options = store_options();
	snprintf(path, sizeof(path), "%s/other.db", store_folder);
	snprintf(url, sizeof(url), "sqlite:///%s", path);
	options.url = url;
	for (int i = 0; i < 5; i++) {
		struct db *other = store_open_with(&options);
		ck_assert_int_eq(db_transaction(other, store_run,
						"INSERT INTO items SELECT hex(randomblob(3000)), 1"
						" FROM (SELECT 1 UNION SELECT 2)"),
				 0);
		db_close(other);
	}
	is_taken();
	copy(path, store_path);
	is_refused();
}
END_TEST

START_TEST(an_emptied_database_is_noticed)
{
	is_taken();
	ck_assert_int_eq(truncate(store_path, 0), 0);
	is_refused();
}
END_TEST

static int insert_and_cut_log(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r = db_run(conn, "INSERT INTO items VALUES ('lost', 1)", DB_NO_VALUES);
	ck_assert_int_eq(truncate(log_path, 0), 0);
	return r < 0 ? (int)r : 0;
}

START_TEST(a_log_that_is_cut_is_noticed)
{
	is_taken();
	ck_assert_int_eq(db_transaction(db, insert_and_cut_log, NULL), -EHOSTDOWN);
}
END_TEST

/* The rest begins as it did before, but no later start would find commits after it. */
START_TEST(a_log_that_is_cut_in_part_is_noticed)
{
	static const off_t left[] = {20, 32, 5000};
	struct stat status;
	is_taken();
	is_taken();
	ck_assert_int_eq(stat(log_path, &status), 0);
	ck_assert_int_gt(status.st_size, 5000);
	ck_assert_int_eq(truncate(log_path, left[_i]), 0);
	is_refused();
}
END_TEST

/* Backup programs do this beside a worker. */
START_TEST(checkpoints_of_another_program_are_no_harm)
{
	char command[256];
	is_taken();
	snprintf(command, sizeof(command),
		 "sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null", store_path);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(system(command), 0);
		ck_assert_int_eq(db_ping(db), 0);
		is_taken();
	}
}
END_TEST

/* In the middle of it, the file is longer than its first page says. */
START_TEST(the_checkpoint_of_a_vacuum_is_no_harm)
{
	struct stat status;
	is_taken();
	ck_assert_int_eq(stat(store_path, &status), 0);
	ck_assert_int_eq(truncate(store_path, status.st_size + 100000), 0);
	ck_assert_int_eq(db_ping(db), 0);
	ck_assert_int_eq(truncate(store_path, status.st_size), 0);
	is_taken();
	ck_assert_int_eq(truncate(store_path, status.st_size - 1), 0);
	is_refused();
}
END_TEST

/* Closing must not delete the log of the database that is there now. */
START_TEST(the_successor_is_left_alone)
{
	char other[128], other_log[160];
	struct stat status;
	is_taken();
	snprintf(other, sizeof(other), "%s/other.db", store_folder);
	snprintf(other_log, sizeof(other_log), "%s-wal", other);
	struct db_options options = store_options();
	char url[256];
	snprintf(url, sizeof(url), "sqlite:///%s", other);
	options.url = url;
	struct db *successor = store_open_with(&options);
	ck_assert_int_eq(
		db_transaction(successor, store_run, "INSERT INTO items VALUES ('kept', 1)"), 0);
	ck_assert_int_eq(rename(other, store_path), 0);
	ck_assert_int_eq(rename(other_log, log_path), 0);
	db_close(db);
	ck_assert_int_eq(stat(log_path, &status), 0);
	ck_assert_int_gt(status.st_size, 0);
	db_close(successor);
	ck_assert_int_eq(unlink(index_path), 0);
	db = store_open();
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items WHERE id = 'kept'"), 1);
}
END_TEST

static bool lacks_log(const char *path)
{
	char url[256], error[256] = "";
	struct db *other = NULL;
	struct db_options options = store_options();
	snprintf(url, sizeof(url), "sqlite:///%s", path);
	options.url = url;
	options.read_only = true;
	ck_assert_msg(db_open(&options, &other, error, sizeof(error)) == 0, "%s", error);
	bool lacks = db_lacks_log(other);
	db_close(other);
	return lacks;
}

START_TEST(a_copy_without_its_log_is_known)
{
	char aside_log[160], command[512];
	is_taken();
	snprintf(aside_log, sizeof(aside_log), "%s-wal", aside);
	copy(store_path, aside);
	ck_assert(lacks_log(aside));
	copy(store_path, aside);
	copy(log_path, aside_log);
	ck_assert(!lacks_log(aside));
	ck_assert_int_eq(unlink(aside), 0);
	unlink(aside_log);
	snprintf(command, sizeof(command), "sqlite3 %s '.backup %s'", store_path, aside);
	ck_assert_int_eq(system(command), 0);
	ck_assert(!lacks_log(aside));
	ck_assert(!lacks_log(store_path));
	db_close(db);
	copy(store_path, aside);
	ck_assert(!lacks_log(aside));
	db = store_open();
}
END_TEST

static int read_until_told(struct db_conn *conn, void *told)
{
	int64_t count;
	int r = db_query_int(conn, "SELECT count(*) FROM items", DB_NO_VALUES, &count);
	sem_post((sem_t *)told);
	sem_wait((sem_t *)told + 1);
	return r;
}

static void *read_for_long(void *told)
{
	ck_assert_int_eq(db_read(db, read_until_told, told), 0);
	return NULL;
}

/* The next checkpoint is near, and it leaves the mark. */
static void is_marked_soon(void)
{
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(write_item(), 0);
	copy(store_path, aside);
	ck_assert(lacks_log(aside));
}

/* A reader keeps the log from being copied into the file, and the mark with it. */
START_TEST(a_copy_is_known_although_a_reader_was_in_the_way)
{
	sem_t told[2];
	pthread_t reader;
	sem_init(&told[0], 0, 0);
	sem_init(&told[1], 0, 0);
	db_close(db);
	db = store_open();
	ck_assert_int_eq(pthread_create(&reader, NULL, read_for_long, told), 0);
	sem_wait(&told[0]);
	is_taken();
	is_taken();
	sem_post(&told[1]);
	pthread_join(reader, NULL);
	is_marked_soon();
}
END_TEST

/* Another process that holds the lock of checkpoints, a byte of the index
 * (https://www.sqlite.org/walformat.html, section 2.3.1). */
static pid_t checkpoint_elsewhere(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 121, .l_len = 1};
	int told[2];
	char byte;
	ck_assert_int_eq(pipe(told), 0);
	pid_t child = fork();
	if (child == 0) {
		if (fcntl(open(index_path, O_RDWR), F_SETLK, &lock) == 0 &&
		    write(told[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	close(told[0]);
	return child;
}

START_TEST(a_copy_is_known_although_another_checkpoint_was_in_the_way)
{
	db_close(db);
	db = store_open();
	pid_t other = checkpoint_elsewhere();
	is_taken();
	is_taken(); /* when the checkpoint after the first one has ended */
	kill(other, SIGKILL);
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
	is_marked_soon();
}
END_TEST

static int leave_mark(struct db_conn *conn, UNUSED void *argument)
{
	return (int)db_run(conn, "PRAGMA user_version = 1869636974", DB_NO_VALUES);
}

/* Killed just before the mark would have been removed. */
START_TEST(a_mark_that_a_crash_left_is_no_alarm)
{
	int status;
	db_close(db);
	pid_t child = fork();
	if (child == 0) {
		db = store_open();
		is_taken();
		ck_assert_int_eq(db_transaction(db, leave_mark, NULL), 0);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	db = store_open();
	db_close(db);
	ck_assert(!lacks_log(store_path));
	db = store_open();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db_files");
	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, set_up_files, tear_down);
	if (!store_is_postgres()) {
		int count = ARRAY_SIZE(parts);
		tcase_add_loop_test(files, what_is_moved_away_is_missed_until_it_is_back, 0, count);
		tcase_add_loop_test(files, what_is_replaced_is_noticed, 0, count);
		tcase_add_test(files, a_folder_that_is_gone_is_noticed);
		tcase_add_loop_test(files, what_is_removed_before_the_commit_is_not_told_as_done, 0,
				    count);
		tcase_add_test(files, an_older_copy_written_over_it_is_noticed);
		tcase_add_test(files, another_database_written_over_it_is_noticed);
		tcase_add_test(files, an_emptied_database_is_noticed);
		tcase_add_test(files, a_log_that_is_cut_is_noticed);
		tcase_add_loop_test(files, a_log_that_is_cut_in_part_is_noticed, 0, 3);
		tcase_add_test(files, checkpoints_of_another_program_are_no_harm);
		tcase_add_test(files, the_checkpoint_of_a_vacuum_is_no_harm);
		tcase_add_test(files, the_successor_is_left_alone);
		tcase_add_test(files, a_copy_without_its_log_is_known);
		tcase_add_test(files, a_copy_is_known_although_a_reader_was_in_the_way);
		tcase_add_test(files, a_copy_is_known_although_another_checkpoint_was_in_the_way);
		tcase_add_test(files, a_mark_that_a_crash_left_is_no_alarm);
	}
	suite_add_tcase(suite, files);
	return store_main(suite);
}
