/* Statements, values, errors, snapshots, the pool and the URL of the store. */
#include "store.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include "storage/statements.h"

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

static int round_trip(struct db_conn *conn, void *argument)
{
	const struct db_value *values = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	size_t length = 99;

	ck_assert_int_eq(db_query(conn, "SELECT $1, $2, $3, $4, $5", values, 5, &rows), 0);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_int_eq(db_column_int(rows, 0), INT64_MIN);
	ck_assert(!db_column_is_null(rows, 0));
	ck_assert_str_eq(db_column_text(rows, 1, &length), "grün");
	ck_assert_uint_eq(length, 5);
	ck_assert(db_column_is_null(rows, 2));
	ck_assert_int_eq(db_column_int(rows, 2), 0);
	ck_assert_ptr_null(db_column_text(rows, 2, &length));
	ck_assert_uint_eq(length, 0);
	ck_assert_str_eq(db_column_text(rows, 3, &length), "");
	ck_assert(!db_column_is_null(rows, 3));
	ck_assert_str_eq(db_column_text(rows, 4, NULL), "cut");
	ck_assert_int_eq(db_next(rows), 0);
	ck_assert_int_eq(db_next(rows), 0); /* and does not start again */
	return 7;
}

START_TEST(values_come_back)
{
	struct db_value values[] = {db_int(INT64_MIN), db_text("grün"), db_text(NULL), db_text(""),
				    db_bytes("cut here", 3)};
	ck_assert_int_eq(db_read(db, round_trip, values), 7);
}
END_TEST

static int out_of_order(struct db_conn *conn, UNUSED void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	ck_assert_int_eq(db_query(conn, "SELECT $2, $1, $2, $10, $9, $8, $7, $6, $5, $4, $3",
				  DB_VALUES(db_int(1), db_int(2), db_int(3), db_int(4), db_int(5),
					    db_int(6), db_int(7), db_int(8), db_int(9), db_int(10)),
				  &rows),
			 0);
	ck_assert_int_eq(db_next(rows), 1);
	static const int64_t expected[] = {2, 1, 2, 10, 9, 8, 7, 6, 5, 4, 3};
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		ck_assert_int_eq(db_column_int(rows, (int)i), expected[i]);
	return 0;
}

START_TEST(parameters_go_by_number)
{
	ck_assert_int_eq(db_read(db, out_of_order, NULL), 0);
}
END_TEST

static const struct {
	const char *sql;
	int result;
} failures[] = {
	{"INSERT INTO items VALUES ('a', 1)", -EEXIST},
	{"UPDATE items SET id = 'a' WHERE id = 'b'", -EEXIST},
	{"INSERT INTO items VALUES ('c', -1)", -EINVAL},
	{"INSERT INTO parts VALUES (1, 'nothing')", -EINVAL},
	{"INSERT INTO parts VALUES (1, NULL)", -EINVAL},
	{"DELETE FROM items WHERE id = 'a'", -EINVAL},
	{"SELEKT 1", -EIO},
	{"SELECT \"nothing\"", -EIO},
	{"SELECT 1; SELECT 2", -EIO},
	{"", -EIO},
	{"SELECT $1", -EIO},
	{"SELECT ?", -EIO},
	{"SELECT $2", -EIO},
	{"SELECT :name", -EIO},
	{"SELECT 1; ", 0},
};

START_TEST(errors_are_mapped)
{
	ck_assert_int_eq(
		db_transaction(db, store_run, "INSERT INTO items VALUES ('a', 1), ('b', 2)"), 0);
	ck_assert_int_eq(db_transaction(db, store_run, "INSERT INTO parts VALUES (0, 'a')"), 0);
	log_start("test", LOG_ERROR + 1);
	ck_assert_int_eq(db_transaction(db, store_run, (void *)failures[_i].sql),
			 failures[_i].result);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 2);
}
END_TEST

START_TEST(reading_cannot_write)
{
	log_start("test", LOG_ERROR + 1);
	ck_assert_int_lt(db_read(db, store_run, "INSERT INTO items VALUES ('a', 1)"), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);
}
END_TEST

static int count_changes(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(db_run(conn, "INSERT INTO items VALUES ($1, $2), ('b', 2)",
				DB_VALUES(db_text("a"), db_int(1))),
			 2);
	ck_assert_int_eq(db_run(conn, "SELECT * FROM items", DB_NO_VALUES), 0);
	ck_assert_int_eq(db_run(conn, "UPDATE items SET amount = 5 WHERE id = 'z'", DB_NO_VALUES),
			 0);
	ck_assert_int_eq(db_run(conn, "CREATE TABLE other (id TEXT)", DB_NO_VALUES), 0);
	ck_assert_int_eq(db_run(conn,
				"INSERT INTO items VALUES ('a', 9) ON CONFLICT (id) DO UPDATE SET "
				"amount = 9 RETURNING id",
				DB_NO_VALUES),
			 1);
	return 0;
}

START_TEST(run_counts_rows)
{
	ck_assert_int_eq(db_transaction(db, count_changes, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT sum(amount) FROM items"), 11);
}
END_TEST

/* Texts made in one buffer: the address says nothing about the statement. */
static int many_texts(struct db_conn *conn, UNUSED void *argument)
{
	char sql[64];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3 * STATEMENTS_MAX; i++) {
			struct store_count count = {.sql = sql};
			snprintf(sql, sizeof(sql), "SELECT %d", i);
			ck_assert_int_eq(store_read_count(conn, &count), 0);
			ck_assert_int_eq(count.value, i);
		}
	}
	return 0;
}

START_TEST(statements_are_told_apart)
{
	ck_assert_int_eq(db_read(db, many_texts, NULL), 0);
}
END_TEST

/* The same text while it is running: more of them than are kept. */
static int nested(struct db_conn *conn, void *argument)
{
	int *depth = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	if (*depth == 0)
		return 0;
	--*depth;
	ck_assert_int_eq(
		db_query(conn, "SELECT $1 UNION ALL SELECT 7", DB_VALUES(db_int(*depth)), &rows),
		0);
	int here = *depth;
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_int_eq(nested(conn, depth), 0);
	ck_assert_int_eq(db_column_int(rows, 0), here);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_int_eq(db_column_int(rows, 0), 7);
	return 0;
}

START_TEST(a_statement_nests_in_itself)
{
	int depth = STATEMENTS_MAX + 20;
	ck_assert_int_eq(db_read(db, nested, &depth), 0);
}
END_TEST

static int leave_open(struct db_conn *conn, void *argument)
{
	struct db_rows *rows[3];
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(db_query(conn, argument, DB_NO_VALUES, &rows[i]), 0);
	return 0;
}

START_TEST(forgotten_rows_are_closed)
{
	ck_assert_int_eq(db_transaction(db, leave_open, "SELECT 1 UNION SELECT 2"), 0);
	ck_assert_int_eq(db_read(db, leave_open, "SELECT id FROM items"), 0);
	ck_assert_int_eq(db_transaction(db, store_run, "DROP TABLE parts"), 0);
}
END_TEST

static int query_without_walking(struct db_conn *conn, void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	return db_query(conn, argument, DB_NO_VALUES, &rows);
}

START_TEST(returning_needs_no_walk)
{
	ck_assert_int_eq(db_transaction(db, query_without_walking,
					"INSERT INTO items VALUES ('a', 1), ('b', 2) RETURNING id"),
			 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 2);
	ck_assert_int_eq(db_transaction(db, query_without_walking,
					"INSERT INTO items VALUES ('a', 1) RETURNING id"),
			 -EEXIST);
	ck_assert_int_eq(
		db_transaction(db, query_without_walking,
			       "INSERT INTO parts VALUES (1, 'none'), (2, 'none') RETURNING id"),
		-EINVAL);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM parts"), 0);
}
END_TEST

static int use_savepoints(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(db_savepoint(conn), 0);
	ck_assert_int_eq(store_run(conn, (void *)"INSERT INTO items VALUES ('kept', 1)"), 0);
	ck_assert_int_eq(db_savepoint(conn), 0);
	ck_assert_int_eq(store_run(conn, (void *)"INSERT INTO items VALUES ('gone', 2)"), 0);
	ck_assert_int_eq(db_savepoint_rollback(conn), 0);
	return db_savepoint_release(conn);
}

static int release_too_many(struct db_conn *conn, UNUSED void *argument)
{
	int r = use_savepoints(conn, NULL);
	return r ? r : db_savepoint_release(conn);
}

START_TEST(savepoints_nest)
{
	ck_assert_int_eq(db_transaction(db, use_savepoints, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT sum(amount) FROM items"), 1);
	log_start("test", LOG_ERROR + 1);
	ck_assert_int_eq(db_transaction(db, store_run, "DELETE FROM items"), 0);
	ck_assert_int_eq(db_transaction(db, release_too_many, NULL), -EIO);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);
}
END_TEST

static int go_on_after_an_error(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(store_run(conn, (void *)"INSERT INTO items VALUES ('a', 1)"), 0);
	ck_assert_int_eq(db_savepoint(conn), 0);
	ck_assert_int_eq(store_run(conn, (void *)"INSERT INTO items VALUES ('lost', 1)"), 0);
	ck_assert_int_eq(store_run(conn, (void *)"INSERT INTO items VALUES ('a', 2)"), -EEXIST);
	ck_assert_int_eq(db_savepoint_rollback(conn), 0);
	return store_run(conn, (void *)"INSERT INTO items VALUES ('b', 4)");
}

START_TEST(a_savepoint_heals_an_error)
{
	ck_assert_int_eq(db_transaction(db, go_on_after_an_error, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT sum(amount) FROM items"), 5);
}
END_TEST

static void *insert_one(UNUSED void *argument)
{
	ck_assert_int_eq(db_transaction(db, store_run, "INSERT INTO items VALUES ('new', 1)"), 0);
	return NULL;
}

static int read_around_a_write(struct db_conn *conn, UNUSED void *argument)
{
	struct store_count count = {.sql = "SELECT count(*) FROM items"};
	pthread_t other;
	ck_assert_int_eq(store_read_count(conn, &count), 0);
	ck_assert_int_eq(count.value, 0);
	ck_assert_int_eq(pthread_create(&other, NULL, insert_one, NULL), 0);
	pthread_join(other, NULL);
	ck_assert_int_eq(store_read_count(conn, &count), 0);
	ck_assert_int_eq(count.value, 0);
	return 0;
}

static int post_item(struct db_conn *conn, const char *id)
{
	return db_post(conn, "INSERT INTO items VALUES ($1, 1)", DB_VALUES(db_text(id)), 1);
}

/* More than is ever sent at once, with values that are gone by then. */
#define POSTS 600

static int post_many(struct db_conn *conn, UNUSED void *argument)
{
	char id[16];
	for (int i = 0; i < POSTS; i++) {
		snprintf(id, sizeof(id), "%d", i);
		ck_assert_int_eq(post_item(conn, id), 0);
		memset(id, 0, sizeof(id));
	}
	int64_t changed = db_run(conn, "UPDATE items SET amount = 2", DB_NO_VALUES);
	ck_assert_int_eq(changed, POSTS);
	ck_assert_int_eq(db_settle(conn), 0);
	ck_assert_int_eq(post_item(conn, "last"), 0);
	return 0;
}

START_TEST(what_is_posted_is_stored)
{
	ck_assert_int_eq(db_transaction(db, post_many, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), POSTS + 1);
	ck_assert_int_eq(store_number(db, "SELECT min(amount) FROM items WHERE id <> 'last'"), 2);
}
END_TEST

static int post_twice(struct db_conn *conn, UNUSED void *argument)
{
	int r = post_item(conn, "a");
	return r ? r : post_item(conn, "a");
}

static int post_for_nothing(struct db_conn *conn, UNUSED void *argument)
{
	int r = post_item(conn, "b");
	return r ? r : db_post(conn, "UPDATE items SET amount = 2 WHERE id = 'c'", DB_NO_VALUES, 1);
}

/* Each fails, whether or not anybody waits, and nothing of it is stored. */
START_TEST(a_posted_error_fails_the_transaction)
{
	ck_assert_int_eq(db_transaction(db, post_twice, NULL), -EEXIST);
	ck_assert_int_eq(db_transaction(db, post_for_nothing, NULL), -EAGAIN);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);
}
END_TEST

static int heal(struct db_conn *conn, db_function *function, int error)
{
	ck_assert_int_eq(db_savepoint(conn), 0);
	int r = function(conn, NULL);
	ck_assert_int_eq(r ? r : db_settle(conn), error);
	return db_savepoint_rollback(conn);
}

static int heal_posts(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(post_item(conn, "before"), 0);
	ck_assert_int_eq(heal(conn, post_twice, -EEXIST), 0);
	ck_assert_int_eq(heal(conn, post_for_nothing, -EAGAIN), 0);
	/* Undone unseen. */
	ck_assert_int_eq(db_savepoint(conn), 0);
	post_twice(conn, NULL);
	ck_assert_int_eq(db_savepoint_rollback(conn), 0);
	return post_item(conn, "after");
}

START_TEST(a_savepoint_heals_what_was_posted)
{
	ck_assert_int_eq(db_transaction(db, heal_posts, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 2);
}
END_TEST

static int announce_last(struct db_conn *conn, UNUSED void *argument)
{
	db_last(conn);
	return store_run(conn, "SELECT count(*) FROM items");
}

static int go_on_after_last(struct db_conn *conn, void *argument)
{
	announce_last(conn, argument);
	return announce_last(conn, argument);
}

START_TEST(the_last_statement_is_announced)
{
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(db_read(db, announce_last, NULL), 0);
	ck_assert_int_eq(db_transaction(db, announce_last, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);
}
END_TEST

START_TEST(nothing_follows_the_last_statement)
{
	db_read(db, go_on_after_last, NULL);
}
END_TEST

START_TEST(reading_is_one_snapshot)
{
	ck_assert_int_eq(db_read(db, read_around_a_write, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 1);
}
END_TEST

static int read_while_all_are_lent(UNUSED struct db_conn *conn, void *argument)
{
	int *depth = argument;
	struct db_stats stats;
	db_stats(db, &stats);
	ck_assert_int_eq(stats.readers, 4);
	ck_assert_int_eq(stats.readers_in_use, ++*depth);
	return db_read(db, read_while_all_are_lent, argument);
}

START_TEST(the_pool_is_bounded)
{
	struct db_options options = store_options();
	db_close(db);
	options.busy_timeout = 20000;
	db = store_open_with(&options);
	int depth = 0;
	ck_assert_int_eq(db_read(db, read_while_all_are_lent, &depth), -EAGAIN);
	ck_assert_int_eq(depth, 4);
	struct db_stats stats;
	db_stats(db, &stats);
	ck_assert_int_eq(stats.readers_in_use, 0);
	ck_assert_int_eq(stats.reader_timeouts, 1);
}
END_TEST

static void *read_often(void *argument)
{
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(store_number(db, argument), 0);
	return NULL;
}

START_TEST(more_threads_than_connections_read)
{
	pthread_t threads[16];
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, read_often, "SELECT count(*) FROM items"),
			0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(ping_answers)
{
	ck_assert_int_eq(db_ping(db), 0);
}
END_TEST

static const struct {
	const char *url;
	const char *message;
} bad_urls[] = {
	{"postgresql://user:secret@host:number/db", "invalid integer value"},
	{"postgres://user:sec@secret@host/db", "form postgresql://"},
	{"postgresql://user:secret@host/db?nothing=1", "form postgresql://"},
	{"postgresql://user:secret@%2Fnowhere/db", "cannot use the database"},
	{"mysql://user:secret@host/db", "not of the form"},
	{"", "not of the form"},
	{"var/file.db", "not of the form"},
	{"sqlite:file.db", "not of the form"},
	{"sqlite://file.db", "three slashes"},
	{"sqlite:///", "must name a file"},
	{"sqlite:////tmp/", "must name a file"},
	{"sqlite:////tmp/a.db?mode=ro", "without options"},
	{"sqlite:////nowhere/at/all.db", "cannot open /nowhere/at/all.db"},
	{"sqlite:////proc/version", "cannot open /proc/version"},
};

START_TEST(bad_urls_are_explained)
{
	struct db_options options = store_options();
	struct db *none = NULL;
	char error[256] = "";
	options.url = bad_urls[_i].url;
	ck_assert_int_lt(db_open(&options, &none, error, sizeof(error)), 0);
	ck_assert_ptr_null(none);
	ck_assert_msg(strstr(error, bad_urls[_i].message), "%s", error);
	ck_assert_ptr_null(strstr(error, "secret"));
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	struct db_options options = store_options();
	struct db *none = NULL;
	char error[256] = "";
	db_close(db);
	FILE *file = fopen(store_path, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 1000; i++)
		fputs("hello, world\n", file);
	fclose(file);
	ck_assert_int_eq(db_open(&options, &none, error, sizeof(error)), -EIO);
	ck_assert_msg(strstr(error, "not a database"), "%s", error);
	ck_assert_int_eq(unlink(store_path), 0);
	db = store_open();
}
END_TEST

START_TEST(a_missing_folder_is_made)
{
	char folder[96], url[160], path[128];
	struct stat status;
	struct db_options options = store_options();
	snprintf(folder, sizeof(folder), "%s/var", store_folder);
	snprintf(path, sizeof(path), "%s/new.db", folder);
	snprintf(url, sizeof(url), "sqlite:///%s", path);
	options.url = url;
	struct db *other = store_open_with(&options);
	ck_assert_int_eq(stat(folder, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0700);
	db_close(other);
	ck_assert_int_eq(unlink(path), 0); /* nothing else is left: the log went into the file */
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_relative_path_is_relative)
{
	struct db_options options = store_options();
	ck_assert_int_eq(chdir(store_folder), 0);
	options.url = "sqlite:///:memory:";
	struct db *other = store_open_with(&options);
	ck_assert_int_eq(access(":memory:", F_OK), 0);
	db_close(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, values_come_back);
	tcase_add_test(store, parameters_go_by_number);
	tcase_add_loop_test(store, errors_are_mapped, 0, ARRAY_SIZE(failures));
	tcase_add_test(store, reading_cannot_write);
	tcase_add_test(store, run_counts_rows);
	tcase_add_test(store, statements_are_told_apart);
	tcase_add_test(store, a_statement_nests_in_itself);
	tcase_add_test(store, forgotten_rows_are_closed);
	tcase_add_test(store, returning_needs_no_walk);
	tcase_add_test(store, savepoints_nest);
	tcase_add_test(store, a_savepoint_heals_an_error);
	tcase_add_test(store, what_is_posted_is_stored);
	tcase_add_test(store, a_posted_error_fails_the_transaction);
	tcase_add_test(store, a_savepoint_heals_what_was_posted);
	tcase_add_test(store, the_last_statement_is_announced);
	tcase_add_test_raise_signal(store, nothing_follows_the_last_statement, SIGABRT);
	tcase_add_test(store, reading_is_one_snapshot);
	tcase_add_test(store, the_pool_is_bounded);
	tcase_add_test(store, more_threads_than_connections_read);
	tcase_add_test(store, ping_answers);
	tcase_add_loop_test(store, bad_urls_are_explained, 0, ARRAY_SIZE(bad_urls));
	if (!store_is_postgres()) {
		tcase_add_test(store, a_file_that_is_no_database_is_refused);
		tcase_add_test(store, a_missing_folder_is_made);
		tcase_add_test(store, a_relative_path_is_relative);
	}
	suite_add_tcase(suite, store);
	return store_main(suite);
}
