/* What only PostgreSQL can do to its clients: lost sessions, lost servers, deadlocks, time-outs. */
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "storage/postgres.h"

/* libpq's connect_timeout as the driver sets it: the cost of one host that keeps silent. */
#define CONNECT_TIMEOUT (2 * CLOCK_SECOND)

static struct db *db;

/* The server's socket, reached through a link: removing the link makes the server disappear. */
static char link_folder[64];
static char link_path[96];
static char socket_path[128];
static char link_url[640];

static void connect_through(const char *folder)
{
	const char *host = strstr(store_url, "host=") + 5;
	int length = (int)strcspn(host, "&");
	snprintf(link_folder, sizeof(link_folder), "%s", folder);
	snprintf(link_path, sizeof(link_path), "%s/.s.PGSQL.5432", folder);
	snprintf(socket_path, sizeof(socket_path), "%.*s/.s.PGSQL.5432", length, host);
	snprintf(link_url, sizeof(link_url), "%.*s%s%s&application_name=%s",
		 (int)(host - store_url), store_url, folder, host + length, strrchr(folder, '-'));
	ck_assert_int_eq(symlink(socket_path, link_path), 0);
}

static struct db *open_with_timeout(int64_t busy_timeout)
{
	struct db_options options = store_options();
	options.url = link_url;
	options.busy_timeout = busy_timeout;
	return store_open_with(&options);
}

static void set_up(void)
{
	char folder[] = "/tmp/link-XXXXXX";
	log_start("test", LOG_ERROR + 1);
	store_prepare();
	ck_assert_ptr_nonnull(mkdtemp(folder));
	connect_through(folder);
	db = open_with_timeout(2 * CLOCK_SECOND);
	ck_assert_int_eq(
		db_transaction(db, store_run, "INSERT INTO items VALUES ('a', 1), ('b', 1)"), 0);
}

static void tear_down(void)
{
	db_close(db);
	unlink(link_path);
	ck_assert_int_eq(rmdir(link_folder), 0);
	store_remove();
}

/* All sessions of this test except the one that asks. */
static void kill_sessions(void)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		 "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
		 " WHERE application_name = '%s'",
		 strrchr(link_folder, '-'));
	store_administer(sql);
}

START_TEST(idle_sessions_are_replaced_unnoticed)
{
	for (int round = 0; round < 3; round++) {
		kill_sessions();
		for (int i = 0; i < 8; i++)
			ck_assert_int_eq(db_transaction(db, store_run,
							"UPDATE items SET amount = amount + 1"),
					 0);
		ck_assert_int_eq(store_number(db, "SELECT max(amount) FROM items"),
				 1 + 8 * (round + 1));
	}
}
END_TEST

static int lose_session(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(store_run(conn, "INSERT INTO items VALUES ('lost', 1)"), 0);
	ck_assert_int_eq(store_run(conn, "SELECT pg_terminate_backend(pg_backend_pid())"),
			 -EHOSTDOWN);
	ck_assert_int_eq(store_run(conn, "INSERT INTO items VALUES ('astray', 1)"), -EHOSTDOWN);
	ck_assert_int_eq(db_savepoint(conn), -EHOSTDOWN);
	return 0;
}

START_TEST(a_session_lost_inside_commits_nothing)
{
	ck_assert_int_eq(db_transaction(db, lose_session, NULL), -EHOSTDOWN);
	ck_assert_int_eq(db_read(db, store_run, "SELECT pg_terminate_backend(pg_backend_pid())"),
			 -EHOSTDOWN);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 2);
}
END_TEST

START_TEST(a_lost_server_is_told_at_once_and_found_again)
{
	ck_assert_int_eq(unlink(link_path), 0);
	kill_sessions();
	for (int i = 0; i < 200; i++) {
		int64_t start = clock_monotonic();
		ck_assert_int_eq(db_ping(db), -EHOSTDOWN);
		ck_assert_int_eq(db_transaction(db, store_run, "DELETE FROM items"), -EHOSTDOWN);
		ck_assert_int_lt(clock_monotonic() - start, CONNECT_TIMEOUT);
		usleep(1000);
	}
	ck_assert_int_eq(symlink(socket_path, link_path), 0);
	int64_t deadline = clock_monotonic() + 20 * CLOCK_SECOND;
	while (db_ping(db) != 0) {
		ck_assert_int_lt(clock_monotonic(), deadline);
		usleep(10000);
	}
	ck_assert_int_eq(db_transaction(db, store_run, "UPDATE items SET amount = 5"), 0);
	ck_assert_int_eq(store_number(db, "SELECT sum(amount) FROM items"), 10);
}
END_TEST

struct beginner {
	struct db_conn *conn;
	pthread_barrier_t *start;
	int r;
};

static void *begin_together(void *argument)
{
	struct beginner *self = argument;
	pthread_barrier_wait(self->start);
	self->r = postgres_driver.begin(self->conn, DB_BEGIN_READ);
	return NULL;
}

#define BEGINNERS 8

START_TEST(a_burst_after_a_silence_is_served)
{
	struct beginner beginners[BEGINNERS] = {0};
	pthread_t threads[BEGINNERS];
	pthread_barrier_t start;
	void *server = NULL;
	char error[256];
	struct db_options options = store_options();
	options.url = link_url;
	pthread_barrier_init(&start, NULL, BEGINNERS);
	ck_assert_int_eq(postgres_driver.share(&options, &server, error, sizeof(error)), 0);
	for (int i = 0; i < BEGINNERS; i++) {
		beginners[i].start = &start;
		ck_assert_int_eq(postgres_driver.open(&options, server, DB_READER,
						      &beginners[i].conn, error, sizeof(error)),
				 0);
	}
	postgres_distrust(postgres_conn(beginners[0].conn));
	for (int i = 0; i < BEGINNERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, begin_together, &beginners[i]),
				 0);
	for (int i = 0; i < BEGINNERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(beginners[i].r, 0);
		postgres_driver.rollback(beginners[i].conn);
		postgres_driver.close(beginners[i].conn);
	}
	postgres_driver.unshare(server);
	pthread_barrier_destroy(&start);
}
END_TEST

START_TEST(a_silent_host_is_passed_over)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/silent-XXXXXX";
	char url[768];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 16), 0);

	const char *host = strstr(link_url, "host=") + 5;
	snprintf(url, sizeof(url), "%.*s%s,%s", (int)(host - link_url), link_url, folder, host);
	struct db_options options = store_options();
	options.url = url;
	options.read_only = true;
	options.readers = 1;
	int64_t start = clock_monotonic();
	struct db *other = store_open_with(&options);
	ck_assert_int_lt(clock_monotonic() - start, 5 * CONNECT_TIMEOUT);
	ck_assert_int_eq(store_number(other, "SELECT count(*) FROM items"), 2);
	db_close(other);
	close(listener);
	unlink(address.sun_path);
	rmdir(folder);
}
END_TEST

static void *restore_link(UNUSED void *argument)
{
	usleep(300000);
	ck_assert_int_eq(symlink(socket_path, link_path), 0);
	return NULL;
}

START_TEST(a_server_that_starts_late_is_waited_for)
{
	struct db_options options = store_options();
	struct db *other = NULL;
	char error[256] = "";
	pthread_t thread;
	options.url = link_url;
	ck_assert_int_eq(unlink(link_path), 0);
	ck_assert_int_eq(db_open(&options, &other, error, sizeof(error)), -EHOSTDOWN);
	ck_assert_ptr_null(other);
	ck_assert_msg(strstr(error, "cannot use the database"), "%s", error);

	options.connect_patience = 20 * CLOCK_SECOND;
	ck_assert_int_eq(pthread_create(&thread, NULL, restore_link, NULL), 0);
	db_close(store_open_with(&options));
	pthread_join(thread, NULL);
}
END_TEST

/* Two transactions that conflict; each counts its runs. */
struct party {
	const char *first, *second; /* what it updates */
	pthread_barrier_t *meeting;
	int runs;
};

static int update(struct db_conn *conn, const char *id)
{
	int64_t r = db_run(conn, "UPDATE items SET amount = amount + 1 WHERE id = $1",
			   DB_VALUES(db_text(id)));
	return r < 0 ? (int)r : 0;
}

static int update_both(struct db_conn *conn, void *argument)
{
	struct party *party = argument;
	int r = update(conn, party->first);
	if (party->runs++ == 0)
		pthread_barrier_wait(party->meeting);
	return r ? r : update(conn, party->second);
}

static void *run_party(void *argument)
{
	ck_assert_int_eq(db_transaction(db, update_both, argument), 0);
	return NULL;
}

START_TEST(a_deadlock_is_run_again)
{
	pthread_barrier_t meeting;
	db_close(db);
	db = open_with_timeout(20 * CLOCK_SECOND);
	pthread_barrier_init(&meeting, NULL, 2);
	struct party parties[] = {{"a", "b", &meeting, 0}, {"b", "a", &meeting, 0}};
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_party, &parties[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	struct db_stats stats;
	db_stats(db, &stats);
	ck_assert_int_ge(stats.retries, 1);
	ck_assert_int_ge(parties[0].runs + parties[1].runs, 3);
	ck_assert_int_eq(store_number(db, "SELECT sum(amount) FROM items"), 6);
}
END_TEST

struct holder {
	pthread_barrier_t locked, release;
};

static int hold(struct db_conn *conn, void *argument)
{
	struct holder *holder = argument;
	int r = update(conn, "a");
	pthread_barrier_wait(&holder->locked);
	pthread_barrier_wait(&holder->release);
	return r;
}

static void *run_holder(void *argument)
{
	ck_assert_int_eq(db_transaction(db, hold, argument), 0);
	return NULL;
}

static int count_update(struct db_conn *conn, void *argument)
{
	++*(int *)argument;
	return update(conn, "a");
}

/* Waits for the lock in the commit. */
static int count_posted_update(struct db_conn *conn, void *argument)
{
	++*(int *)argument;
	return db_post(conn, "UPDATE items SET amount = amount + 1 WHERE id = 'a'", DB_NO_VALUES,
		       DB_ANY_ROWS);
}

START_TEST(a_lock_is_waited_for_once)
{
	struct holder holder;
	pthread_t thread;
	int runs = 0;
	db_close(db);
	db = open_with_timeout(300000);
	pthread_barrier_init(&holder.locked, NULL, 2);
	pthread_barrier_init(&holder.release, NULL, 2);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_holder, &holder), 0);
	pthread_barrier_wait(&holder.locked);
	int64_t start = clock_monotonic();
	ck_assert_int_eq(db_transaction(db, count_update, &runs), -EAGAIN);
	int64_t waited = clock_monotonic() - start;
	ck_assert_int_eq(runs, 1);
	ck_assert_int_ge(waited, 250000);
	ck_assert_int_lt(waited, 10 * CLOCK_SECOND);
	ck_assert_int_eq(db_transaction(db, count_posted_update, &runs), -EAGAIN);
	ck_assert_int_eq(runs, 2);
	pthread_barrier_wait(&holder.release);
	pthread_join(thread, NULL);
	ck_assert_int_eq(db_transaction(db, count_update, &runs), 0);
}
END_TEST

START_TEST(a_statement_has_an_end)
{
	db_close(db);
	db = open_with_timeout(300000);
	ck_assert_int_eq(db_read(db, store_run, "SELECT pg_sleep(60)"), -EAGAIN);
	ck_assert_int_eq(db_transaction(db, store_run, "SELECT pg_sleep(60)"), -EAGAIN);
	ck_assert_int_eq(db_ping(db), 0);
}
END_TEST

static int swallow_error(struct db_conn *conn, UNUSED void *argument)
{
	ck_assert_int_eq(store_run(conn, "INSERT INTO items VALUES ('new', 1)"), 0);
	ck_assert_int_eq(store_run(conn, "INSERT INTO items VALUES ('a', 1)"), -EEXIST);
	ck_assert_int_eq(store_run(conn, "INSERT INTO items VALUES ('newer', 1)"), -EEXIST);
	return 0;
}

START_TEST(a_spoilt_transaction_is_no_commit)
{
	ck_assert_int_eq(db_transaction(db, swallow_error, NULL), -EEXIST);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM items"), 2);
}
END_TEST

static const struct db_value bad_text = {.type = DB_TEXT, .text = "a\0b", .length = 3};
static const struct db_value bad_utf8 = {.type = DB_TEXT, .text = "\xff", .length = 1};

static int find_value(struct db_conn *conn, void *argument)
{
	int64_t r = db_run(conn, "DELETE FROM items WHERE id = $1", argument, 1);
	return r < 0 ? (int)r : 0;
}

START_TEST(texts_that_it_cannot_hold_are_refused)
{
	ck_assert_int_eq(db_transaction(db, find_value, (void *)&bad_text), -EINVAL);
	ck_assert_int_eq(db_transaction(db, find_value, (void *)&bad_utf8), -EINVAL);
}
END_TEST

START_TEST(a_changed_schema_heals_itself)
{
	char sql[] = "SELECT * FROM items ORDER BY id";
	/* From the second time on it is prepared. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(db_read(db, store_run, sql), 0);
	ck_assert_int_eq(db_transaction(db, store_run, "ALTER TABLE items ADD COLUMN more TEXT"),
			 0);
	/* The same connection, the one used last: its statement's result has another type now. */
	ck_assert_int_eq(db_read(db, store_run, sql), -EAGAIN);
	ck_assert_int_eq(db_read(db, store_run, sql), 0);
}
END_TEST

static int run_variants(struct db_conn *conn, void *argument)
{
	char sql[96];
	int *number = argument;
	for (int end = *number + 20; *number < end; ++*number) {
		snprintf(sql, sizeof(sql), "SELECT %d FROM pg_prepared_statements", *number);
		/* A text gets a name when it comes again. */
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(store_run(conn, sql), 0);
	}
	return 0;
}

static int count_prepared(struct db_conn *conn, void *argument)
{
	return db_query_int(conn, "SELECT count(*) FROM pg_prepared_statements", DB_NO_VALUES,
			    argument);
}

START_TEST(prepared_statements_are_bounded)
{
	int number = 0;
	int64_t most = 0;
	while (number < 1000) {
		int64_t count = 0;
		ck_assert_int_eq(db_read(db, run_variants, &number), 0);
		ck_assert_int_eq(db_read(db, count_prepared, &count), 0);
		most = count > most ? count : most;
	}
	ck_assert_int_gt(most, 100);
	ck_assert_int_lt(most, 300);
}
END_TEST

static const struct {
	const char *sqlstate;
	int error;
} sqlstates[] = {
	{"23505", -EEXIST},    {"23503", -EINVAL},    {"23514", -EINVAL},    {"22003", -EINVAL},
	{"40001", -EAGAIN},    {"40P01", -EAGAIN},    {"55P03", -EAGAIN},    {"57014", -EAGAIN},
	{"53100", -ENOSPC},    {"53200", -ENOMEM},    {"53300", -EHOSTDOWN}, {"57P01", -EHOSTDOWN},
	{"57P03", -EHOSTDOWN}, {"08006", -EHOSTDOWN}, {"08P01", -EIO},       {"42601", -EIO},
	{"XX000", -EIO},
};

START_TEST(sqlstates_are_mapped)
{
	ck_assert_int_eq(postgres_error(sqlstates[_i].sqlstate), sqlstates[_i].error);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("postgres");
	TCase *errors = tcase_create("errors");
	tcase_add_loop_test(errors, sqlstates_are_mapped, 0, ARRAY_SIZE(sqlstates));
	suite_add_tcase(suite, errors);
	if (!store_is_postgres())
		return store_main(suite);
	TCase *server = tcase_create("server");
	tcase_add_checked_fixture(server, set_up, tear_down);
	tcase_set_timeout(server, 60);
	tcase_add_test(server, idle_sessions_are_replaced_unnoticed);
	tcase_add_test(server, prepared_statements_are_bounded);
	tcase_add_test(server, a_session_lost_inside_commits_nothing);
	tcase_add_test(server, a_lost_server_is_told_at_once_and_found_again);
	tcase_add_test(server, a_burst_after_a_silence_is_served);
	tcase_add_test(server, a_silent_host_is_passed_over);
	tcase_add_test(server, a_server_that_starts_late_is_waited_for);
	tcase_add_test(server, a_deadlock_is_run_again);
	tcase_add_test(server, a_lock_is_waited_for_once);
	tcase_add_test(server, a_statement_has_an_end);
	tcase_add_test(server, a_spoilt_transaction_is_no_commit);
	tcase_add_test(server, texts_that_it_cannot_hold_are_refused);
	tcase_add_test(server, a_changed_schema_heals_itself);
	suite_add_tcase(suite, server);
	return store_main(suite);
}
