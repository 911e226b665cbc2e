/* Carts and orders of users whose ids were stored before texts had a normal form. */
#include "store.h"

#include "base/clock.h"
#include "cart/cart_store.h"
#include "cart/migrations.h"
#include "order/migrations.h"
#include "order/order_store.h"
#include "responder/old_user_ids.h"

#define NOW INT64_C(1769853960000000)

#define LETTERS_32                                                                                 \
	"\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958"                 \
	"\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958"                 \
	"\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958"
/* 128 characters, and in Normalization Form C twice as many. */
#define GROWING LETTERS_32 LETTERS_32 LETTERS_32 LETTERS_32

static const struct subject {
	const struct old_user_ids *ids;
	const struct db_migration *migrations;
	size_t migration_count;
	const char *add; /* $1 rows of the user $2, ids from $3 on */
	const char *count;
} subjects[] = {
	{&cart_old_user_ids, cart_migrations, CART_MIGRATION_COUNT,
	 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)"
	 " INSERT INTO carts (id, user_id, version, created_at, updated_at, expires_at,"
	 " emptied_version) SELECT $3 || i, $2, 3, i, 5, 9, 0 FROM n",
	 "SELECT count(*) FROM carts WHERE user_id = $1 AND version = 3"},
	{&order_old_user_ids, order_migrations, ORDER_MIGRATION_COUNT,
	 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)"
	 " INSERT INTO orders (id, user_id, cart_id, saga, lease_until, status, total_amount,"
	 " currency, version, created_at, updated_at)"
	 " SELECT $3 || i, $2, 'c', 'placed', 0, 'pending', 1, 'USD', 3, i, 5 FROM n",
	 "SELECT count(*) FROM orders WHERE user_id = $1 AND version = 3"},
};

static const struct subject *subject;
static struct db *db;

static void start(int which)
{
	subject = &subjects[which];
	store_prepare();
	struct db_options options = store_options();
	options.migrations = subject->migrations;
	options.migration_count = subject->migration_count;
	db = store_open_with(&options);
}

static void stop(void)
{
	db_close(db);
	store_remove();
}

struct rows {
	const char *user_id;
	const char *id;
	int64_t count;
};

static int add_rows(struct db_conn *conn, void *argument)
{
	const struct rows *rows = argument;
	int64_t r =
		db_run(conn, subject->add,
		       DB_VALUES(db_int(rows->count), db_text(rows->user_id), db_text(rows->id)));

	return r < 0 ? (int)r : 0;
}

static void add(const char *user_id, const char *id, int64_t count)
{
	struct rows rows = {user_id, id, count};

	ck_assert_int_eq(db_transaction(db, add_rows, &rows), 0);
}

static int count_rows(struct db_conn *conn, void *argument)
{
	struct rows *rows = argument;

	return db_query_int(conn, subject->count, DB_VALUES(db_text(rows->user_id)), &rows->count);
}

static int64_t rows_of(const char *user_id)
{
	struct rows rows = {.user_id = user_id};

	ck_assert_int_eq(db_read(db, count_rows, &rows), 0);
	return rows.count;
}

/* As if a program of an earlier version had left the rows. */
static void begin_pass(const char *passes)
{
	char sql[96];

	ck_assert_int_eq(db_transaction(db, store_run, (void *)"DELETE FROM old_user_ids"), 0);
	snprintf(sql, sizeof(sql), "INSERT INTO old_user_ids VALUES (%s, 0, '')", passes);
	ck_assert_int_eq(db_transaction(db, store_run, sql), 0);
}

/* The number of pieces. */
static int run(int64_t now)
{
	int pieces = 1;
	int r;

	while ((r = old_user_ids_renew_some(db, subject->ids, now)) > 0)
		ck_assert_int_lt(++pieces, 100);
	ck_assert_int_eq(r, 0);
	return pieces;
}

START_TEST(ids_are_brought_into_the_normal_form)
{
	start(_i);
	add("ada", "a", 1);
	add(" ada ", "b", 2);
	add("\ufeff"
	    "ada\t",
	    "c", 1);
	add("O\u0308", "d", 1);
	add("a\x1b"
	    "b",
	    "e", 1);
	add(" ", "f", 1);
	add(GROWING, "g", 1);
	begin_pass("1");
	run(NOW);
	ck_assert_int_eq(rows_of("ada"), 4);
	ck_assert_int_eq(rows_of("\u00d6"), 1);
	ck_assert_int_eq(rows_of("a b"), 1);
	ck_assert_int_eq(rows_of(" "), 1);
	ck_assert_int_eq(rows_of(GROWING), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM old_user_ids"), 0);
}
END_TEST

/* A piece changes 500 rows at most, and looks at 1,000 ids. */
START_TEST(long_lists_go_in_pieces)
{
	start(_i);
	add(" one", "a", 1200);
	for (int i = 0; i < 1100; i++) {
		char text[16];

		snprintf(text, sizeof(text), "u%04d", i);
		add(text, text, 1);
	}
	begin_pass("1");
	ck_assert_int_gt(old_user_ids_renew_some(db, subject->ids, NOW), 0);
	ck_assert_int_eq(rows_of("one"), 500);
	ck_assert_int_eq(run(NOW), 3);
	ck_assert_int_eq(rows_of("one"), 1200);
	ck_assert_int_eq(rows_of(" one"), 0);
}
END_TEST

/* What an old replica writes behind the first pass is found by the second. */
START_TEST(a_second_pass_follows)
{
	start(_i);
	begin_pass("2");
	add("z", "a", 1);
	run(NOW);
	add(" a", "b", 1);
	run(NOW + OLD_USER_IDS_PAUSE - 1);
	ck_assert_int_eq(rows_of(" a"), 1);
	run(NOW + OLD_USER_IDS_PAUSE);
	ck_assert_int_eq(rows_of("a"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM old_user_ids"), 0);
}
END_TEST

START_TEST(a_new_database_has_nothing_old)
{
	start(_i);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM old_user_ids"), 0);
	ck_assert_int_eq(run(NOW), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("old user ids");
	TCase *tcase = tcase_create("old user ids");

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, NULL, stop);
	tcase_add_loop_test(tcase, ids_are_brought_into_the_normal_form, 0, ARRAY_SIZE(subjects));
	tcase_add_loop_test(tcase, long_lists_go_in_pieces, 0, ARRAY_SIZE(subjects));
	tcase_add_loop_test(tcase, a_second_pass_follows, 0, ARRAY_SIZE(subjects));
	tcase_add_loop_test(tcase, a_new_database_has_nothing_old, 0, ARRAY_SIZE(subjects));
	return store_main(suite);
}
