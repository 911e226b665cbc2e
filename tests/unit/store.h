/*
 * What the tests of the store share: a fresh store for each test, removed at its end. It is a
 * database file in a folder of its own under /tmp, or, where TEST_DATABASE_URL names a PostgreSQL
 * server (scripts/with-postgres.sh), a schema of its own there.
 */
#ifndef TESTS_UNIT_STORE_H
#define TESTS_UNIT_STORE_H

#include <check.h>
#include <dirent.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/db.h"

static char store_folder[64];
static char store_path[96];
static char store_url[512];

static bool store_is_postgres(void)
{
	return getenv("TEST_DATABASE_URL") != NULL;
}

/* Statements of a dialect's own that the tests need. */
static UNUSED const char *store_dialect(const char *sqlite, const char *postgres)
{
	return store_is_postgres() ? postgres : sqlite;
}

static const struct db_migration store_schema[] = {
	{.version = 1,
	 .name = "items",
	 .sql = "CREATE TABLE items (id TEXT PRIMARY KEY, amount BIGINT CHECK (amount >= 0));"
		"CREATE TABLE parts (id BIGINT PRIMARY KEY, item TEXT NOT NULL REFERENCES items)"},
};

static struct db_options store_options(void)
{
	return (struct db_options){
		.url = store_url,
		.readers = 4,
		.busy_timeout = 2000000,
		.queue_limit = 1024,
		.migrations = store_schema,
		.migration_count = ARRAY_SIZE(store_schema),
	};
}

static struct db *store_open_with(const struct db_options *options)
{
	struct db *db = NULL;
	char error[256] = "";
	int r = db_open(options, &db, error, sizeof(error));
	ck_assert_msg(r == 0, "db_open: %d %s", r, error);
	return db;
}

static int store_run(struct db_conn *conn, void *argument)
{
	int64_t r = db_run(conn, argument, DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

/* Runs a statement as the superuser, outside of the test's schema. */
static UNUSED void store_administer(const char *sql)
{
	struct db_options options = {.url = getenv("TEST_DATABASE_URL"),
				     .readers = 1,
				     .busy_timeout = 20000000,
				     .queue_limit = 1};
	struct db *db = store_open_with(&options);
	ck_assert_int_eq(db_transaction(db, store_run, (void *)sql), 0);
	db_close(db);
}

/* Each test is a process, and may prepare one store after the other. */
static void store_name_schema(char *name, size_t size)
{
	snprintf(name, size, "test_%d", (int)getpid());
}

static void store_prepare(void)
{
	log_start("test", LOG_ERROR);
	if (store_is_postgres()) {
		char sql[64], schema[32];
		store_name_schema(schema, sizeof(schema));
		snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", schema);
		store_administer(sql);
		snprintf(store_url, sizeof(store_url), "%s&options=-csearch_path%%3D%s",
			 getenv("TEST_DATABASE_URL"), schema);
		return;
	}
	snprintf(store_folder, sizeof(store_folder), "/tmp/store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(store_folder));
	snprintf(store_path, sizeof(store_path), "%s/test.db", store_folder);
	snprintf(store_url, sizeof(store_url), "sqlite:///%s", store_path);
}

static void store_remove(void)
{
	if (store_is_postgres()) {
		char sql[64], schema[32];
		store_name_schema(schema, sizeof(schema));
		snprintf(sql, sizeof(sql), "DROP SCHEMA %s CASCADE", schema);
		store_administer(sql);
		return;
	}
	DIR *folder = opendir(store_folder);
	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	ck_assert_int_eq(rmdir(store_folder), 0);
}

static UNUSED struct db *store_open(void)
{
	struct db_options options = store_options();
	return store_open_with(&options);
}

struct store_count {
	const char *sql;
	int64_t value;
};

static int store_read_count(struct db_conn *conn, void *argument)
{
	struct store_count *count = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, count->sql, DB_NO_VALUES, &rows);
	if (!r)
		r = db_next(rows);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	count->value = db_column_int(rows, 0);
	return 0;
}

/* The integer that a query answers, read outside of any transaction of the test's own. */
static UNUSED int64_t store_number(struct db *db, const char *sql)
{
	struct store_count count = {.sql = sql};
	ck_assert_int_eq(db_read(db, store_read_count, &count), 0);
	return count.value;
}

struct store_update {
	db_function *function;
	void *argument;
	const char *table;
};

static int store_count_index_writes(struct db_conn *conn, void *argument)
{
	const struct store_update *update = argument;
	int64_t updated, heap_only;
	int r = update->function(conn, update->argument);
	if (r)
		return r;
	ck_assert_int_eq(
		db_query_int(conn,
			     "SELECT pg_stat_get_xact_tuples_updated($1::text::regclass::oid)",
			     DB_VALUES(db_text(update->table)), &updated),
		0);
	ck_assert_int_eq(
		db_query_int(conn,
			     "SELECT pg_stat_get_xact_tuples_hot_updated($1::text::regclass::oid)",
			     DB_VALUES(db_text(update->table)), &heap_only),
		0);
	ck_assert_int_gt(updated, 0);
	ck_assert_int_eq(heap_only, updated);
	return 0;
}

/* Runs it in a transaction, in which no index of the table it updates may be written. PostgreSQL
 * only: SQLite writes those whose columns change. */
static UNUSED void store_update_heap_only(struct db *db, const char *table, db_function *function,
					  void *argument)
{
	struct store_update update = {function, argument, table};
	ck_assert_int_eq(db_transaction(db, store_count_index_writes, &update), 0);
}

static UNUSED int store_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
