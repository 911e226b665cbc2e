/* storage/db.h: reads that are ended early, and the state of their connection afterwards. */
#include "items.h"

#include <pthread.h>

#include "base/clock.h"

/* Hours on both stores. */
#define ENDLESS                                                                                    \
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000)" \
	" SELECT count(*) FROM n"

/* What a test may take at most, on a busy machine. */
#define PATIENCE (20 * CLOCK_SECOND)

struct patience {
	int64_t deadline;
	int looks;
	int gone_at; /* from this look on the client is gone; 0: it is not */
};

static int look(void *argument)
{
	struct patience *patience = argument;
	patience->looks++;
	if (patience->gone_at && patience->looks >= patience->gone_at)
		return -EPIPE;
	return clock_monotonic() < patience->deadline ? 0 : -ETIMEDOUT;
}

static int read_number(struct db_conn *conn, void *argument)
{
	int64_t value;
	return db_query_int(conn, argument, DB_NO_VALUES, &value);
}

static int read_with(struct patience *patience, const char *sql)
{
	struct db_watch watch = {
		.deadline = patience->deadline, .look = look, .argument = patience};
	return db_read_watched(db, read_number, (void *)sql, &watch);
}

static struct patience patience_of(int64_t duration)
{
	return (struct patience){.deadline = clock_monotonic() + duration};
}

START_TEST(a_read_in_time_is_left_alone)
{
	struct patience patience = patience_of(PATIENCE);
	ck_assert_int_eq(read_with(&patience, "SELECT count(*) FROM items"), 0);
	patience = patience_of(PATIENCE);
	ck_assert_int_eq(read_with(&patience, "SELECT missing FROM items"), -EIO);
}
END_TEST

START_TEST(a_read_ends_at_its_deadline)
{
	for (int i = 0; i < 3; i++) {
		struct patience patience = patience_of(CLOCK_SECOND / 10);
		ck_assert_int_eq(read_with(&patience, ENDLESS), -ETIMEDOUT);
		ck_assert_int_lt(clock_monotonic(), patience.deadline + PATIENCE);
	}
	/* The connection is as good as before, and has no deadline any more. */
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 0);
	struct db_stats stats;
	db_stats(db, &stats);
	ck_assert_int_eq(stats.readers_in_use, 0);
}
END_TEST

/* A server does not learn that the client has gone; there the deadline ends the read. */
START_TEST(a_read_ends_when_its_client_is_gone)
{
	struct patience patience = patience_of(store_is_postgres() ? CLOCK_SECOND / 10 : PATIENCE);
	patience.gone_at = 1;
	ck_assert_int_eq(read_with(&patience, ENDLESS), -EPIPE);
}
END_TEST

static int read_twice(struct db_conn *conn, void *argument)
{
	int r = read_number(conn, argument);
	return r ? r : read_number(conn, argument);
}

START_TEST(each_statement_has_what_time_is_left)
{
	struct patience patience = patience_of(-1);
	struct db_watch watch = {
		.deadline = patience.deadline, .look = look, .argument = &patience};
	ck_assert_int_eq(db_read_watched(db, read_twice, (void *)ENDLESS, &watch), -ETIMEDOUT);
}
END_TEST

/* 2,000 texts with a in a thousand places each, and nowhere just before b: to find that out is a
 * single step of the statement. */
static int fill(struct db_conn *conn, UNUSED void *argument)
{
	int64_t r = db_run(conn, "CREATE VIRTUAL TABLE texts USING fts5(words)", DB_NO_VALUES);
	if (r >= 0)
		r = db_run(conn,
			   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			   " WHERE i < 2000) INSERT INTO texts (words)"
			   " SELECT 'b' || replace(hex(zeroblob(500)), '0', ' a') FROM n",
			   DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

START_TEST(a_search_of_words_ends_as_well)
{
	struct patience patience = patience_of(PATIENCE);
	if (store_is_postgres())
		return;
	ck_assert_int_eq(db_transaction(db, fill, NULL), 0);
	patience.gone_at = 1;
	ck_assert_int_eq(
		read_with(&patience, "SELECT count(*) FROM texts WHERE texts MATCH '\"a b\"'"),
		-EPIPE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, a_read_in_time_is_left_alone);
	tcase_add_test(store, a_read_ends_at_its_deadline);
	tcase_add_test(store, a_read_ends_when_its_client_is_gone);
	tcase_add_test(store, each_statement_has_what_time_is_left);
	tcase_add_test(store, a_search_of_words_ends_as_well);
	suite_add_tcase(suite, store);
	return store_main(suite);
}
