/* Statements: values in and out, errors, what is kept and what is closed. */
#include "items.h"

#include "storage/statements.h"

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

/* Texts made in the same buffer: the address says nothing about the statement. */
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

static int first_rows(struct db_conn *conn, UNUSED void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char name[4] = "old";
	int64_t number = 7;
	ck_assert_int_eq(db_query_row(conn, "SELECT id FROM items", DB_NO_VALUES, &rows), -ENOENT);
	ck_assert_ptr_null(rows);
	ck_assert_int_eq(db_query_int(conn, "SELECT amount FROM items", DB_NO_VALUES, &number),
			 -ENOENT);
	ck_assert_int_eq(number, 7);
	ck_assert_int_eq(db_exists(conn, "SELECT id FROM items", DB_NO_VALUES), 0);

	ck_assert_int_eq(
		db_run(conn, "INSERT INTO items VALUES ('apple', 3), ('pear', 4)", DB_NO_VALUES),
		2);
	ck_assert_int_eq(db_exists(conn, "SELECT id FROM items", DB_NO_VALUES), 1);
	ck_assert_int_eq(
		db_query_int(conn, "SELECT amount FROM items ORDER BY id", DB_NO_VALUES, &number),
		0);
	ck_assert_int_eq(number, 3);
	ck_assert_int_eq(
		db_query_row(conn, "SELECT id, NULL FROM items ORDER BY id", DB_NO_VALUES, &rows),
		0);
	db_column_copy(rows, 0, name, sizeof(name));
	ck_assert_str_eq(name, "app");
	db_column_copy(rows, 1, name, sizeof(name));
	ck_assert_str_eq(name, "");
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_str_eq(db_column_text(rows, 0, NULL), "pear");
	return 0;
}

START_TEST(the_first_row_is_there_or_not)
{
	ck_assert_int_eq(db_transaction(db, first_rows, NULL), 0);
}
END_TEST

static int first_row_of_nonsense(struct db_conn *conn, UNUSED void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, "SELECT \"nothing\"", DB_NO_VALUES, &rows);
	ck_assert_ptr_null(rows);
	return r;
}

START_TEST(an_error_is_not_a_missing_row)
{
	ck_assert_int_eq(db_read(db, first_row_of_nonsense, NULL), -EIO);
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
	tcase_add_test(store, the_first_row_is_there_or_not);
	tcase_add_test(store, an_error_is_not_a_missing_row);
	suite_add_tcase(suite, store);
	return store_main(suite);
}
