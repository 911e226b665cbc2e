/* The schema: new, upgraded, refused, failing half-way, applied by two processes at once. */
#include "store.h"

#include <pthread.h>
#include <sys/wait.h>

static const struct db_migration migrations[] = {
	{.version = 1,
	 .name = "one",
	 .sql = "CREATE TABLE one (id BIGINT); CREATE TABLE uno (x TEXT)"},
	{.version = 2,
	 .name = "two",
	 .sql = "CREATE TABLE two (id BIGINT)",
	 .sqlite = "INSERT INTO two VALUES (2)",
	 .postgres = "INSERT INTO two VALUES (3 - 1)"},
	{.version = 3,
	 .name = "three",
	 .sqlite = "INSERT INTO two VALUES (4)",
	 .postgres = "INSERT INTO two VALUES (4)"},
};

static char error[256];

static int open_with(const struct db_migration *list, size_t count, struct db **ret_db)
{
	struct db_options options = store_options();
	options.migrations = list;
	options.migration_count = count;
	error[0] = '\0';
	return db_open(&options, ret_db, error, sizeof(error));
}

static struct db *open_good(const struct db_migration *list, size_t count)
{
	struct db *db = NULL;
	int r = open_with(list, count, &db);
	ck_assert_msg(r == 0, "%d %s", r, error);
	return db;
}

static void check_refused(const struct db_migration *list, size_t count, int expected,
			  const char *message)
{
	struct db *db = NULL;
	ck_assert_int_eq(open_with(list, count, &db), expected);
	ck_assert_ptr_null(db);
	ck_assert_msg(strstr(error, message), "%s", error);
}

static void check_version(struct db *db, int64_t version)
{
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM schema_migrations"), version);
	ck_assert_int_eq(store_number(db, "SELECT max(version) FROM schema_migrations"), version);
}

static int64_t count_tables(struct db *db, const char *condition)
{
	char sql[256];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM (%s) AS tables WHERE %s",
		 store_dialect("SELECT name FROM sqlite_schema WHERE type = 'table'",
			       "SELECT tablename AS name FROM pg_tables"
			       " WHERE schemaname = current_schema"),
		 condition);
	return store_number(db, sql);
}

START_TEST(a_fresh_file_gets_all)
{
	struct db *db = open_good(migrations, 3);
	check_version(db, 3);
	ck_assert_int_eq(store_number(db, "SELECT sum(id) FROM two"), 2 + 4);
	ck_assert_int_gt(store_number(db, "SELECT min(applied_at) FROM schema_migrations"),
			 INT64_C(1700000000000000));
	db_close(db);
}
END_TEST

/* The database of a program without versions: it is left as it is. */
START_TEST(a_database_with_other_tables_is_refused)
{
	struct db *db = open_good(NULL, 0);
	ck_assert_int_eq(db_transaction(db, store_run, "CREATE TABLE customers (id BIGINT)"), 0);
	db_close(db);
	check_refused(migrations, 3, -EINVAL, "it has a table \"customers\"");
	db = open_good(NULL, 0);
	ck_assert_int_eq(count_tables(db, "name NOT IN ('customers', 'schema_migrations')"), 0);
	db_close(db);
}
END_TEST

START_TEST(an_old_file_gets_what_is_missing)
{
	db_close(open_good(migrations, 1));
	db_close(open_good(migrations, 2));
	struct db *db = open_good(migrations, 3);
	check_version(db, 3);
	db_close(db);
	db = open_good(migrations, 3);
	check_version(db, 3);
	ck_assert_int_eq(store_number(db, "SELECT sum(id) FROM two"), 2 + 4);
	db_close(db);
}
END_TEST

START_TEST(a_newer_file_is_refused)
{
	db_close(open_good(migrations, 3));
	check_refused(migrations, 1, -EINVAL,
		      "newer than this program: it has schema version 3, the program knows 1");
	struct db *db = open_good(migrations, 3);
	check_version(db, 3);
	db_close(db);
}
END_TEST

START_TEST(the_file_of_another_service_is_refused)
{
	static const struct db_migration others[] = {
		{.version = 1, .name = "others", .sql = "CREATE TABLE other (id BIGINT)"},
		{.version = 2, .name = "two", .sql = "CREATE TABLE more (id BIGINT)"},
	};
	db_close(open_good(migrations, 1));
	check_refused(others, 2, -EINVAL, "\"one\", not \"others\"");
	struct db *db = open_good(migrations, 1);
	check_version(db, 1);
	db_close(db);
}
END_TEST

START_TEST(a_list_with_gaps_is_refused)
{
	check_refused(migrations + 1, 2, -EINVAL, "\"two\" has version 2 where 1 is expected");
}
END_TEST

START_TEST(a_failing_migration_leaves_nothing)
{
	static const struct db_migration bad[] = {
		{.version = 1, .name = "one", .sql = "CREATE TABLE one (id BIGINT)"},
		{.version = 2,
		 .name = "bad",
		 .sql = "CREATE TABLE half (id BIGINT); INSERT INTO half VALUES (1); "
			"INSERT INTO nowhere VALUES (1)"},
	};
	log_start("test", LOG_ERROR + 1);
	check_refused(
		bad, 2, -EIO,
		store_dialect("migration 2 (bad) failed: no such table: nowhere",
			      "migration 2 (bad) failed: relation \"nowhere\" does not exist"));
	struct db *db = open_good(migrations, 0);
	ck_assert_int_eq(count_tables(db, "name <> 'schema_migrations'"), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM schema_migrations"), 0);
	db_close(db);

	db_close(open_good(migrations, 1));
	check_refused(bad, 2, -EIO, "migration 2 (bad) failed");
	db = open_good(migrations, 1);
	check_version(db, 1);
	ck_assert_int_eq(count_tables(db, "name = 'half'"), 0);
	db_close(db);
}
END_TEST

/* Each would fail on the other's CREATE TABLE if both applied it. */
#define STARTERS 6

START_TEST(several_processes_start_at_once)
{
	pid_t children[STARTERS];
	int start[2];
	ck_assert_int_eq(pipe(start), 0);
	for (int i = 0; i < STARTERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			char byte;
			struct db *db = NULL;
			close(start[1]);
			ssize_t ended = read(start[0], &byte, 1);
			int r = ended ? -EIO : open_with(migrations, 3, &db);
			if (r)
				fprintf(stderr, "%s\n", error);
			db_close(db);
			_exit(r ? 1 : 0);
		}
		ck_assert_int_gt(children[i], 0);
	}
	close(start[1]);
	for (int i = 0; i < STARTERS; i++) {
		int status;
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	close(start[0]);
	struct db *db = open_good(migrations, 3);
	check_version(db, 3);
	ck_assert_int_eq(store_number(db, "SELECT sum(id) FROM two"), 2 + 4);
	db_close(db);
}
END_TEST

static void *open_and_close(UNUSED void *argument)
{
	struct db_options options = store_options();
	char message[256] = "";
	struct db *db = NULL;
	options.migrations = migrations;
	options.migration_count = 3;
	int r = db_open(&options, &db, message, sizeof(message));
	ck_assert_msg(r == 0, "%d %s", r, message);
	db_close(db);
	return NULL;
}

START_TEST(several_threads_start_at_once)
{
	pthread_t threads[STARTERS];
	for (int i = 0; i < STARTERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, open_and_close, NULL), 0);
	for (int i = 0; i < STARTERS; i++)
		pthread_join(threads[i], NULL);
	struct db *db = open_good(migrations, 3);
	check_version(db, 3);
	db_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migrate");
	TCase *migrate = tcase_create("migrate");
	tcase_add_checked_fixture(migrate, store_prepare, store_remove);
	tcase_set_timeout(migrate, 30);
	tcase_add_test(migrate, a_fresh_file_gets_all);
	tcase_add_test(migrate, a_database_with_other_tables_is_refused);
	tcase_add_test(migrate, an_old_file_gets_what_is_missing);
	tcase_add_test(migrate, a_newer_file_is_refused);
	tcase_add_test(migrate, the_file_of_another_service_is_refused);
	tcase_add_test(migrate, a_list_with_gaps_is_refused);
	tcase_add_test(migrate, a_failing_migration_leaves_nothing);
	tcase_add_loop_test(migrate, several_processes_start_at_once, 0, 5);
	tcase_add_loop_test(migrate, several_threads_start_at_once, 0, 5);
	suite_add_tcase(suite, migrate);
	return store_main(suite);
}
