/* Sessions of a store (storage/db.h): which processes are alive is known across processes and their
 * deaths. */
#include "store.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/uuid.h"

static struct db *db;

static struct db *open_session(void)
{
	struct db_options options = store_options();
	options.session = true;
	return store_open_with(&options);
}

static void start(void)
{
	store_prepare();
	db = open_session();
}

static void stop(void)
{
	db_close(db);
	store_remove();
}

static int read_session(struct db_conn *conn, void *session)
{
	*(int64_t *)session = db_session(conn);
	return 0;
}

static int64_t session_of(struct db *of)
{
	int64_t in_transaction, in_read;
	ck_assert_int_eq(db_transaction(of, read_session, &in_transaction), 0);
	ck_assert_int_eq(db_read(of, read_session, &in_read), 0);
	ck_assert_int_eq(in_transaction, in_read);
	return in_read;
}

static int read_ended(struct db_conn *conn, void *session)
{
	return db_session_ended(conn, *(int64_t *)session);
}

static int ended(int64_t session)
{
	int in_transaction = db_transaction(db, read_ended, &session);
	int in_read = db_read(db, read_ended, &session);
	ck_assert_int_ge(in_read, in_transaction); /* it may just have ended */
	return in_read;
}

/* A server notices within a moment that a client has gone. */
static bool ends_soon(int64_t session)
{
	for (int i = 0; i < 1000 && !ended(session); i++)
		usleep(10000);
	return ended(session);
}

START_TEST(a_session_is_alive_until_its_store_is_closed)
{
	struct db *other = open_session();
	int64_t session = session_of(other);
	ck_assert_int_gt(session, 0);
	ck_assert_int_ne(session, session_of(db));
	ck_assert_int_eq(ended(session), 0);
	ck_assert_int_eq(ended(session_of(db)), 0);
	db_close(other);
	ck_assert(ends_soon(session));
	ck_assert_int_eq(ended(session_of(db)), 0);
}
END_TEST

START_TEST(numbers_nobody_has_are_ended)
{
	static const int64_t numbers[] = {1, 4294967295, 4294967296, INT64_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		ck_assert_int_eq(ended(numbers[i]), 1);
}
END_TEST

START_TEST(a_killed_process_has_ended)
{
	int64_t session;
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	db_close(db); /* a child of a process with threads may not start any */
	pid_t child = fork();
	if (child == 0) {
		random_below(INT64_MAX); /* or it would draw its parent's number */
		session = session_of(open_session());
		ck_assert_int_eq(write(ends[1], &session, sizeof(session)), sizeof(session));
		for (;;)
			pause();
	}
	db = open_session();
	ck_assert_int_eq(read(ends[0], &session, sizeof(session)), sizeof(session));
	ck_assert_int_eq(ended(session), 0);
	kill(child, SIGSTOP); /* who only sleeps is alive */
	ck_assert_int_eq(ended(session), 0);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(ends_soon(session));
}
END_TEST

START_TEST(who_wants_no_session_has_none)
{
	struct db *other = store_open();
	ck_assert_int_eq(session_of(other), 0);
	db_close(other);
}
END_TEST

/* All writing connections, of all processes. */
static int cut_writers(struct db_conn *conn, void *unused UNUSED)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(
		conn,
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
		" WHERE locktype = 'advisory' AND objsubid = 1 AND pid <> pg_backend_pid()",
		DB_NO_VALUES, &rows);
	return r < 0 ? r : db_next(rows) < 0 ? -EIO : 0;
}

START_TEST(a_lost_session_is_taken_again)
{
	if (!store_is_postgres())
		return;
	struct db *other = open_session();
	int64_t session = session_of(other);
	int64_t own = session_of(db);
	ck_assert_int_eq(db_read(db, cut_writers, NULL), 0);
	/* Its next transactions restore the session, under the same number. */
	ck_assert_int_eq(session_of(other), session);
	ck_assert_int_eq(ended(session), 0);
	ck_assert_int_eq(session_of(db), own);
	db_close(other);
	/* We have just lost connections, so others may have lost theirs: too early to say. */
	ck_assert_int_eq(ended(session), 0);
}
END_TEST

/* More statements than one session of a server keeps prepared, each for the second time. */
static int ask_much(struct db_conn *conn, void *unused UNUSED)
{
	for (int i = 0; i < 600; i++) {
		char sql[32];
		int64_t number;
		snprintf(sql, sizeof(sql), "SELECT %d", i / 2);
		int r = db_query_int(conn, sql, DB_NO_VALUES, &number);
		if (r < 0)
			return r;
	}
	return 0;
}

START_TEST(a_connection_that_is_replaced_was_not_lost)
{
	ck_assert_int_eq(db_read(db, ask_much, NULL), 0);
	ck_assert_int_eq(ended(1), 1);
	ck_assert_int_eq(ended(1), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_session_is_alive_until_its_store_is_closed);
	tcase_add_test(tcase, numbers_nobody_has_are_ended);
	tcase_add_test(tcase, a_killed_process_has_ended);
	tcase_add_test(tcase, who_wants_no_session_has_none);
	tcase_add_test(tcase, a_lost_session_is_taken_again);
	tcase_add_test(tcase, a_connection_that_is_replaced_was_not_lost);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
