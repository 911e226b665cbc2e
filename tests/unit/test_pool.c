/* Lending connections: never more than exist, and to more threads than there are connections. */
#include "items.h"

#include <pthread.h>

static int read_while_all_are_lent(UNUSED struct db_conn *conn, void *argument)
{
	int *depth = argument;
	struct db_stats stats;
	db_stats(db, &stats);
	ck_assert_int_eq(stats.readers, 4);
	ck_assert_int_eq(stats.readers_in_use, ++*depth);
	return db_read(db, read_while_all_are_lent, argument);
}

/* Connections to a server are opened one after the other. */
static void await_readers(int64_t count)
{
	struct db_stats stats;
	for (db_stats(db, &stats); stats.readers < count; db_stats(db, &stats))
		usleep(1000);
}

START_TEST(the_pool_is_bounded)
{
	struct db_options options = store_options();
	db_close(db);
	options.busy_timeout = 20000;
	db = store_open_with(&options);
	int depth = 0;
	await_readers(4);
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

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, the_pool_is_bounded);
	tcase_add_test(store, more_threads_than_connections_read);
	suite_add_tcase(suite, store);
	return store_main(suite);
}
