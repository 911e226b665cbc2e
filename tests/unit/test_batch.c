/* Reads that share a round trip: each gets its own rows or its own error, and is finished once. */
#include "store.h"

#define READS 40

static struct db *db;

struct read {
	const char *sql;
	int64_t key;
	int calls;
	int told;
	int result;
	int64_t value;
};

static void set_up(void)
{
	store_prepare();
	db = store_open();
	ck_assert_int_eq(db_transaction(db, store_run, "INSERT INTO items VALUES ('a', 1)"), 0);
	log_start("test", LOG_ERROR + 1);
}

static void tear_down(void)
{
	db_close(db);
	store_remove();
}

static int answer(void *argument, struct db_rows *rows)
{
	struct read *read = argument;

	read->calls++;
	int r = db_next(rows);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read->value = db_column_int(rows, 0);
	return 0;
}

static void note(void *argument, int result)
{
	struct read *read = argument;
	read->told++;
	read->result = result;
}

static void read_all(struct read *reads, size_t count)
{
	struct db_batched batch[READS];
	ck_assert_uint_le(count, READS);
	for (size_t i = 0; i < count; i++) {
		reads[i].calls = reads[i].told = 0;
		reads[i].value = -1;
		batch[i] =
			(struct db_batched){.answer = answer, .done = note, .argument = &reads[i]};
		db_statement_set(&batch[i].statement, reads[i].sql,
				 DB_VALUES(db_int(reads[i].key)));
	}
	db_read_batch(db, batch, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(reads[i].told, 1);
		ck_assert_int_le(reads[i].calls, 1);
	}
}

/* CAST: SQLite would compare what stands in a parameter as it came. */
#define TWICE "SELECT 2 * CAST($1 AS BIGINT)"

/* A server's text is prepared, and so can go with others, when it comes for the second time. */
static void prepare(const char *sql)
{
	struct read read = {.sql = sql, .key = 1};
	/* On every connection. */
	for (int i = 0; i < 12; i++)
		read_all(&read, 1);
}

START_TEST(each_gets_its_own_rows)
{
	struct read reads[READS];
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < READS; i++)
			reads[i] = (struct read){.sql = TWICE, .key = (int64_t)i + round};
		read_all(reads, READS);
		for (size_t i = 0; i < READS; i++) {
			ck_assert_int_eq(reads[i].result, 0);
			ck_assert_int_eq(reads[i].value, 2 * ((int64_t)i + round));
		}
	}
}
END_TEST

/* What goes together is one transaction to the server, which began once. */
START_TEST(they_go_together)
{
	static const char began[] =
		"SELECT $1 + CAST(1000000 * extract(epoch FROM now()) AS BIGINT)";
	struct read reads[READS];
	prepare(began);
	for (size_t i = 0; i < READS; i++)
		reads[i] = (struct read){.sql = began};
	read_all(reads, READS);
	ck_assert_int_gt(reads[0].value, 0);
	for (size_t i = 0; i < READS; i++)
		ck_assert_int_eq(reads[i].value, reads[0].value);
}
END_TEST

START_TEST(a_batch_may_be_empty)
{
	db_read_batch(db, NULL, 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 1);
}
END_TEST

START_TEST(no_rows_are_a_result)
{
	static const char none[] = "SELECT amount FROM items WHERE amount < $1";
	prepare(TWICE);
	prepare(none);
	struct read reads[] = {
		{.sql = none, .key = 0},
		{.sql = TWICE, .key = 4},
		{.sql = none, .key = 9},
		{.sql = TWICE, .key = 5},
	};
	read_all(reads, ARRAY_SIZE(reads));
	ck_assert_int_eq(reads[0].result, -ENOENT);
	ck_assert_int_eq(reads[1].value, 8);
	ck_assert_int_eq(reads[2].value, 1);
	ck_assert_int_eq(reads[3].value, 10);
}
END_TEST

START_TEST(an_error_is_its_own_only)
{
	const char *fails = store_dialect("SELECT abs(-9223372036854775807 - $1)",
					  "SELECT 1 / (CAST($1 AS BIGINT) - 1)");
	struct read warm = {.sql = fails, .key = 0};
	prepare(TWICE);
	for (int i = 0; i < 12; i++)
		read_all(&warm, 1);
	ck_assert_int_eq(warm.result, 0);
	for (size_t failing = 0; failing < 5; failing++) {
		struct read reads[5];
		for (size_t i = 0; i < 5; i++)
			reads[i] = (struct read){.sql = i == failing ? fails : TWICE,
						 .key = i == failing ? 1 : (int64_t)i};
		read_all(reads, 5);
		for (size_t i = 0; i < 5; i++) {
			if (i == failing)
				ck_assert_int_lt(reads[i].result, 0);
			else
				ck_assert_int_eq(reads[i].value, 2 * (int64_t)i);
		}
	}
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 1);
}
END_TEST

/* The session ends amid its answers: who was answered is, the others hear of it, the next are
 * served by another session. */
START_TEST(a_lost_session_is_told_to_who_waits)
{
	static const char ends[] = "SELECT CASE WHEN $1 = 1 THEN 0 ELSE"
				   " CAST(pg_terminate_backend(pg_backend_pid()) AS INT) END";
	prepare(TWICE);
	prepare(ends);
	struct read reads[] = {{.sql = TWICE, .key = 1},
			       {.sql = TWICE, .key = 2},
			       {.sql = ends, .key = 0},
			       {.sql = TWICE, .key = 3},
			       {.sql = TWICE, .key = 4}};
	read_all(reads, ARRAY_SIZE(reads));
	/* What was answered before may or may not have been sent. */
	for (size_t i = 0; i < 2; i++)
		ck_assert(reads[i].result == -EHOSTDOWN || reads[i].value == 2 * reads[i].key);
	for (size_t i = 2; i < ARRAY_SIZE(reads); i++)
		ck_assert_int_eq(reads[i].result, -EHOSTDOWN);
	read_all(reads, 2);
	ck_assert_int_eq(reads[0].value, 2);
	ck_assert_int_eq(reads[1].value, 4);
}
END_TEST

/* Amid the answers that an error has made void. */
START_TEST(a_session_lost_behind_an_error_leaves_nothing)
{
	static const char ends[] = "SELECT CASE WHEN $1 = 1 THEN 0 ELSE"
				   " CAST(pg_terminate_backend(pg_backend_pid()) AS INT) / 0 END";
	prepare(TWICE);
	prepare(ends);
	struct read reads[] = {
		{.sql = ends, .key = 7}, {.sql = TWICE, .key = 1}, {.sql = TWICE, .key = 2}};
	read_all(reads, ARRAY_SIZE(reads));
	ck_assert_int_lt(reads[0].result, 0);
	ck_assert_int_eq(reads[1].value, 2);
	ck_assert_int_eq(reads[2].value, 4);
	prepare(TWICE);
	struct read next[4];
	for (size_t i = 0; i < ARRAY_SIZE(next); i++)
		next[i] = (struct read){.sql = TWICE, .key = (int64_t)i};
	read_all(next, ARRAY_SIZE(next));
	for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
		ck_assert_int_eq(next[i].result, 0);
		ck_assert_int_eq(next[i].value, 2 * (int64_t)i);
	}
}
END_TEST

/* Their statements are prepared anew on another session: nobody has to come again. */
START_TEST(a_changed_schema_heals_itself)
{
	static const char all[] = "SELECT *, $1 FROM items";
	struct read reads[5];
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		reads[i] = (struct read){.sql = i == 2 ? all : TWICE, .key = (int64_t)i};
	prepare(TWICE);
	prepare(all);
	ck_assert_int_eq(db_transaction(db, store_run, "ALTER TABLE items ADD COLUMN more TEXT"),
			 0);
	read_all(reads, ARRAY_SIZE(reads));
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		ck_assert_int_eq(reads[i].result, 0);
}
END_TEST

/* Larger than what libpq and the server's socket hold. */
START_TEST(long_answers_come_whole)
{
	static const char text[] =
		"SELECT length(t) FROM (SELECT repeat('x', CAST($1 AS INT)) AS t) x";
	static const char lines[] = "SELECT n + $1 FROM generate_series(1, 2000) AS n"
				    " ORDER BY repeat('y', 100) || n";
	struct read reads[16];
	prepare(text);
	prepare(lines);
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		reads[i] = (struct read){.sql = i % 2 ? lines : text, .key = 100000};
	read_all(reads, ARRAY_SIZE(reads));
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		ck_assert_int_eq(reads[i].value, i % 2 ? 100001 : 100000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("batch");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, each_gets_its_own_rows);
	tcase_add_test(store, a_batch_may_be_empty);
	tcase_add_test(store, no_rows_are_a_result);
	tcase_add_test(store, an_error_is_its_own_only);
	if (store_is_postgres()) {
		tcase_add_test(store, they_go_together);
		tcase_add_test(store, a_lost_session_is_told_to_who_waits);
		tcase_add_test(store, a_session_lost_behind_an_error_leaves_nothing);
		tcase_add_test(store, a_changed_schema_heals_itself);
		tcase_add_test(store, long_answers_come_whole);
	}
	suite_add_tcase(suite, store);
	return store_main(suite);
}
