/* Transactions: savepoints, posted statements, the last statement, a reader's snapshot. */
#include "items.h"

#include <pthread.h>
#include <signal.h>

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

static int post_item(struct db_conn *conn, const char *id)
{
	return db_post(conn, "INSERT INTO items VALUES ($1, 1)", DB_VALUES(db_text(id)), 1);
}

/* More than is ever sent at once, with values that no longer exist by then. */
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

/* Each of them fails, whether or not anyone waits, and nothing of it is stored. */
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
	/* Rolled back before anyone could see it. */
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

/* What it read still holds when it writes. */
static int count_up(struct db_conn *conn, UNUSED void *argument)
{
	int64_t amount;
	int r = db_lock(conn, "SELECT 1 FROM items WHERE id = $1 FOR UPDATE",
			DB_VALUES(db_text("a")));
	if (!r)
		r = db_query_int(conn, "SELECT amount FROM items WHERE id = 'a'", DB_NO_VALUES,
				 &amount);
	return r ? r
		 : db_post(conn, "UPDATE items SET amount = $1 WHERE id = 'a'",
			   DB_VALUES(db_int(amount + 1)), 1);
}

static void *count_often(void *unused)
{
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(db_transaction(db, count_up, NULL), 0);
	return unused;
}

START_TEST(what_is_locked_is_changed_by_one_at_a_time)
{
	pthread_t threads[4];
	ck_assert_int_eq(db_transaction(db, store_run, "INSERT INTO items VALUES ('a', 0)"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_often, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(store_number(db, "SELECT amount FROM items"), 200);
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
	ck_abort_msg("read: %d", db_read(db, go_on_after_last, NULL));
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

START_TEST(reading_is_one_snapshot)
{
	ck_assert_int_eq(db_read(db, read_around_a_write, NULL), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db_transaction");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, savepoints_nest);
	tcase_add_test(store, a_savepoint_heals_an_error);
	tcase_add_test(store, what_is_posted_is_stored);
	tcase_add_test(store, a_posted_error_fails_the_transaction);
	tcase_add_test(store, a_savepoint_heals_what_was_posted);
	tcase_add_test(store, what_is_locked_is_changed_by_one_at_a_time);
	tcase_add_test(store, the_last_statement_is_announced);
	tcase_add_test_raise_signal(store, nothing_follows_the_last_statement, SIGABRT);
	tcase_add_test(store, reading_is_one_snapshot);
	suite_add_tcase(suite, store);
	return store_main(suite);
}
