/* That a store's function does the same for another's thing as for none: the same result, by as
 * many statements, without waiting for who works on it. What takes as long tells nothing. */
#ifndef TESTS_UNIT_HIDDEN_H
#define TESTS_UNIT_HIDDEN_H

#include <pthread.h>
#include <semaphore.h>

#include "store.h"

#include "auth/authorize.h"
#include "storage/driver.h"

static const struct db_driver *hidden_driver;
static int hidden_statements;

static int64_t hidden_run(struct db_conn *conn, const char *sql, const struct db_value *values,
			  size_t count)
{
	hidden_statements++;
	return hidden_driver->run(conn, sql, values, count);
}

static int hidden_query(struct db_conn *conn, const char *sql, const struct db_value *values,
			size_t count, struct db_rows **ret_rows)
{
	hidden_statements++;
	return hidden_driver->query(conn, sql, values, count, ret_rows);
}

static int hidden_post(struct db_conn *conn, const char *sql, const struct db_value *values,
		       size_t count, int64_t rows)
{
	hidden_statements++;
	return hidden_driver->post(conn, sql, values, count, rows);
}

/* A probe asks for a thing as who does not own it, and returns what came of it. */
struct hidden_probe {
	int (*function)(struct db_conn *conn, const char *id, const struct owner *owner);
	const char *id;
	const struct owner *owner;
};

static int hidden_count(struct db_conn *conn, void *argument)
{
	struct hidden_probe *probe = argument;
	struct db_driver counting = *conn->driver;

	hidden_driver = conn->driver;
	hidden_statements = 0;
	counting.run = hidden_run;
	counting.query = hidden_query;
	if (counting.post)
		counting.post = hidden_post;
	conn->driver = &counting;
	int r = probe->function(conn, probe->id, probe->owner);
	conn->driver = hidden_driver;
	return r;
}

/* Who works on the thing, on a thread of its own. */
struct hidden_work {
	struct db *db;
	const char *lock;
	sem_t begun, over;
};

static int hidden_work(struct db_conn *conn, void *argument)
{
	struct hidden_work *work = argument;
	int r = db_lock(conn, work->lock, DB_NO_VALUES);

	if (r == 0)
		r = db_settle(conn);
	sem_post(&work->begun);
	sem_wait(&work->over);
	return r;
}

static void *hidden_worker(void *argument)
{
	struct hidden_work *work = argument;

	ck_assert_int_eq(db_transaction(work->db, hidden_work, work), 0);
	return NULL;
}

/* The probe's result while the thing is locked. */
static int hidden_beside(struct db *store, struct hidden_probe *probe, struct hidden_work *work)
{
	pthread_t thread;

	sem_init(&work->begun, 0, 0);
	sem_init(&work->over, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, hidden_worker, work), 0);
	sem_wait(&work->begun);
	int r = db_transaction(store, hidden_count, probe);
	sem_post(&work->over);
	pthread_join(thread, NULL);
	return r;
}

/* beside: the same store of another process. lock: SQL that locks the other's thing, as its owner's
 * transactions do. */
static void hidden_check(struct db *store, struct db *beside,
			 int (*function)(struct db_conn *, const char *, const struct owner *),
			 const char *others, const char *lock)
{
	static const struct owner owners[] = {
		{.user_id = "bob"}, {.guest = ""}, {.user_id = "bob", .guest = ""}, {0}};

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		struct hidden_probe probe = {function, "none", &owners[i]};
		int none = db_transaction(store, hidden_count, &probe);
		int statements = hidden_statements;

		ck_assert_int_ne(none, 0);
		ck_assert_int_gt(statements, 0);
		probe.id = others;
		ck_assert_int_eq(db_transaction(store, hidden_count, &probe), none);
		ck_assert_int_eq(hidden_statements, statements);
		/* SQLite has one writer at a time, and whoever writes waits for it. */
		if (!store_is_postgres())
			continue;
		struct hidden_work work = {.db = beside, .lock = lock};
		ck_assert_int_eq(hidden_beside(store, &probe, &work), none);
	}
}

#endif
