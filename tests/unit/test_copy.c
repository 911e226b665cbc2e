/* storage/copy.h: copies a SQLite file into PostgreSQL (if TEST_DATABASE_URL names one). */
#include "store.h"

#include "storage/copy.h"

#define ROWS 130 /* several batches, the last one not full */

#define TABLES(number)                                                                             \
	"CREATE TABLE parents (" number ", id TEXT UNIQUE, note TEXT, amount BIGINT);"             \
	"CREATE TABLE children (\"key\" BIGINT PRIMARY KEY, parent TEXT REFERENCES parents (id))"

/* The children sort before what they refer to. */
static const struct db_migration schema[] = {
	{.version = 1,
	 .name = "family",
	 .sqlite = TABLES("seq INTEGER PRIMARY KEY"),
	 .postgres = TABLES("seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
			    " size BIGINT GENERATED ALWAYS AS (length(note)) STORED")},
};

static char folder[64];
static char source_url[128];

static struct db *open_url(const char *url)
{
	struct db_options options = store_options();

	options.url = url;
	options.migrations = schema;
	options.migration_count = ARRAY_SIZE(schema);
	return store_open_with(&options);
}

static int fill(struct db_conn *conn, UNUSED void *argument)
{
	static const char *const notes[] = {"", NULL, "a 'quoted'\nline", "Grüße, 茶 🍵", "\\N"};

	for (int64_t i = 0; i < ROWS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "p%d", (int)i);
		ck_assert_int_eq(
			db_run(conn,
			       "INSERT INTO parents (seq, id, note, amount)"
			       " VALUES ($1, $2, $3, $4)",
			       DB_VALUES(db_int(i * 10 + 1), db_text(id), db_text(notes[i % 5]),
					 i % 3 == 0 ? db_null() : db_int(INT64_MIN + i))),
			1);
	}
	ck_assert_int_eq(
		db_run(conn, "INSERT INTO children VALUES (-5, 'p7'), (9, NULL)", DB_NO_VALUES), 2);
	return 0;
}

static void setup(void)
{
	store_prepare();
	snprintf(folder, sizeof(folder), "/tmp/source-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(source_url, sizeof(source_url), "sqlite:///%s/source.db", folder);
}

static void teardown(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/source.db", folder);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	store_remove();
}

static struct db *open_source(void)
{
	struct db *source = open_url(source_url);

	ck_assert_int_eq(db_transaction(source, fill, NULL), 0);
	return source;
}

static void execute(struct db *db, const char *sql)
{
	ck_assert_int_eq(db_transaction(db, store_run, (void *)sql), 0);
}

static int copy(struct db *source, struct db *target, char error[256])
{
	int64_t rows = -1;
	int r = db_copy(source, target, &rows, error, 256);

	ck_assert_int_eq(rows, r ? -1 : ROWS + 2);
	return r;
}

struct rows {
	char *text;
	size_t length;
};

/* All rows of both tables; NULL and the empty text are told apart. */
static int read_all(struct db_conn *conn, void *argument)
{
	static const char *const queries[] = {
		"SELECT seq, id, note, amount FROM parents ORDER BY seq",
		"SELECT \"key\", parent, parent, parent FROM children ORDER BY \"key\""};
	struct rows *all = argument;
	FILE *out = open_memstream(&all->text, &all->length);

	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;

		ck_assert_int_eq(db_query(conn, queries[i], DB_NO_VALUES, &rows), 0);
		while (db_next(rows) > 0)
			for (int column = 0; column < 4; column++) {
				const char *text = db_column_text(rows, column, NULL);

				fprintf(out, "%c%s|", text ? '=' : '0', text ? text : "");
			}
	}
	fclose(out);
	return 0;
}

static void expect_same(struct db *source, struct db *target)
{
	struct rows from = {NULL, 0};
	struct rows to = {NULL, 0};

	ck_assert_int_eq(db_read(source, read_all, &from), 0);
	ck_assert_int_eq(db_read(target, read_all, &to), 0);
	ck_assert_uint_gt(from.length, 4000);
	ck_assert_str_eq(from.text, to.text);
	free(from.text);
	free(to.text);
}

START_TEST(every_row_is_copied_and_numbers_go_on)
{
	struct db *source = open_source();
	struct db *target = open_url(store_url);
	char error[256];

	if (store_is_postgres()) {
		ck_assert_msg(copy(source, target, error) == 0, "%s", error);
		expect_same(source, target);
		ck_assert_int_eq(store_number(target, "SELECT count(*) FROM parents WHERE size IS"
						      " DISTINCT FROM length(note)"),
				 0);
		execute(target, "INSERT INTO parents (id) VALUES ('next')");
		ck_assert_int_eq(store_number(target, "SELECT seq FROM parents WHERE id = 'next'"),
				 (ROWS - 1) * 10 + 2);
	} else {
		ck_assert_int_eq(copy(source, target, error), -EINVAL);
		ck_assert_str_eq(error, "the target must be PostgreSQL");
	}
	db_close(target);
	db_close(source);
}
END_TEST

START_TEST(empty_tables_leave_the_numbers_alone)
{
	struct db *source = open_url(source_url);
	struct db *target = open_url(store_url);
	int64_t rows = -1;
	char error[256];

	if (store_is_postgres()) {
		ck_assert_int_eq(db_copy(source, target, &rows, error, sizeof(error)), 0);
		ck_assert_int_eq(rows, 0);
		execute(target, "INSERT INTO parents (id) VALUES ('first')");
		ck_assert_int_eq(store_number(target, "SELECT seq FROM parents"), 1);
	}
	db_close(target);
	db_close(source);
}
END_TEST

START_TEST(target_with_rows_is_refused)
{
	struct db *source = open_source();
	struct db *target = open_url(store_url);
	char error[256];

	if (store_is_postgres()) {
		execute(target, "INSERT INTO children VALUES (1, NULL)");
		ck_assert_int_eq(copy(source, target, error), -EEXIST);
		ck_assert_ptr_nonnull(strstr(error, "table children: has rows"));
		ck_assert_int_eq(store_number(target, "SELECT count(*) FROM parents"), 0);
		ck_assert_int_eq(store_number(target, "SELECT count(*) FROM children"), 1);
	}
	db_close(target);
	db_close(source);
}
END_TEST

START_TEST(copy_that_fails_leaves_nothing)
{
	struct db *source = open_source();
	struct db *target = open_url(store_url);
	char error[256];

	if (store_is_postgres()) {
		/* SQLite's columns accept values of other types; the last table to be copied. */
		execute(source, "UPDATE parents SET amount = 'many' WHERE id = 'p100'");
		ck_assert_int_lt(copy(source, target, error), 0);
		ck_assert_ptr_nonnull(strstr(error, "table parents: "));
		ck_assert_ptr_nonnull(strstr(error, "many"));
		ck_assert_int_eq(store_number(target, "SELECT count(*) FROM parents"), 0);
		execute(source, "UPDATE parents SET amount = 1 WHERE id = 'p100'");
		ck_assert_int_eq(copy(source, target, error), 0);
		expect_same(source, target);
	}
	db_close(target);
	db_close(source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("copy");
	TCase *tcase = tcase_create("copy");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_row_is_copied_and_numbers_go_on);
	tcase_add_test(tcase, empty_tables_leave_the_numbers_alone);
	tcase_add_test(tcase, target_with_rows_is_refused);
	tcase_add_test(tcase, copy_that_fails_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
