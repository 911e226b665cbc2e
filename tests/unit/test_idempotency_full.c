/* The number of keys, and what happens when there are too many. */
#include "keyed.h"

/* An expired key counts as new, even before it is purged. */
START_TEST(an_expired_key_is_not_replayed_where_there_are_too_many)
{
	int64_t by = IDEMPOTENCY_LIFETIME + CLOCK_SECOND;

	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(db_transaction(runtime.db, age, &by), 0);
	runtime.keys_full = true;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "\"keys-full\""));
	ck_assert_int_eq(handled, 1);
}
END_TEST

START_TEST(no_new_key_is_taken_where_there_are_too_many)
{
	ck_assert_int_eq(run(), 0);
	runtime.keys_full = true;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 201);
	ck_assert_int_eq(things(), 1);
	request.idempotency_key = "key-2";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "\"keys-full\""));
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Retry-After: 60"));
	ck_assert_int_eq(things(), 1);
	request.idempotency_key = NULL;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 2);
	runtime.keys_full = false;
	request.idempotency_key = "key-2";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 3);
}
END_TEST

static int count_some(struct db_conn *conn, void *count)
{
	return idempotency_count(conn, 2, count);
}

START_TEST(keys_are_counted_up_to_a_limit)
{
	static const char *const keys[] = {"a", "b", "b", "c"};
	static const int64_t counts[] = {1, 2, 2, 2};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t count = 0;

		request.idempotency_key = keys[i];
		ck_assert_int_eq(run(), 0);
		ck_assert_int_eq(db_read(runtime.db, count_some, &count), 0);
		ck_assert_int_eq(count, counts[i]);
	}
}
END_TEST

#define MANY 100001
#define SOME 9091 /* so many a statement takes in, on a busy machine too: eleven make MANY */

static int add_some(struct db_conn *conn, void *from)
{
	return (int)db_run(conn,
			   "WITH RECURSIVE n (i) AS (SELECT $1 + 1 UNION ALL SELECT i + 1 FROM n"
			   " WHERE i < $1 + $2) INSERT INTO idempotency_keys (operation, key,"
			   " fingerprint, status, headers, content_type, body, created_at)"
			   " SELECT 'o', 'k' || i, '', 200, '', '', '', i FROM n",
			   DB_VALUES(db_int(*(int64_t *)from), db_int(SOME)));
}

static int count_all(struct db_conn *conn, void *count)
{
	return idempotency_count(conn, 10 * MANY, count);
}

START_TEST(more_than_one_statement_counts_are_counted)
{
	int64_t count = 0;

	for (int64_t from = 0; from < MANY; from += SOME)
		ck_assert_int_ge(db_transaction(runtime.db, add_some, &from), 0);
	ck_assert_int_eq(db_read(runtime.db, count_all, &count), 0);
	ck_assert_int_eq(count, MANY);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("idempotency_full");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, an_expired_key_is_not_replayed_where_there_are_too_many);
	tcase_add_test(tcase, no_new_key_is_taken_where_there_are_too_many);
	tcase_add_test(tcase, keys_are_counted_up_to_a_limit);
	tcase_add_test(tcase, more_than_one_statement_counts_are_counted);
	return unit_run(tcase, "idempotency_full");
}
