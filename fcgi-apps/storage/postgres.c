/*
 * The PostgreSQL driver (server 13 or newer, libpq 14 or newer).
 *
 * Isolation. Writers run READ COMMITTED: the services' SQL takes what it changes by conditional
 * UPDATEs (stock, versions, states), unique keys and FOR UPDATE, and each such statement looks
 * again at the row as it is once the lock is had, so that a lost race is "no row changed" and not
 * an aborted transaction. SERIALIZABLE would find the same conflicts, and many that are none: on
 * small tables its predicate locks cover whole pages, and 32 checkouts at once would mostly abort
 * each other. Deadlocks are told as -EAGAIN, and the writer runs the function again.
 *
 * Readers get one REPEATABLE READ snapshot without a BEGIN or COMMIT of their own: their statements
 * are one unsynced batch of the extended protocol, which the server runs as one implicit
 * transaction (PostgreSQL 15, section 55.2.4). The sync that ends it is not waited for, or travels
 * with the statement that was announced as the last, so one SELECT costs one round trip.
 *
 * Through a pooler the session's settings are not ours: there the same round trip carries a BEGIN
 * with the isolation level and the transaction's own time-outs.
 */
#include "storage/postgres.h"

#include <assert.h>
#include <poll.h>

#include "base/clock.h"

/* Concurrent transactions, each on its own connection. Commits wait for the disk, and the server
 * syncs waiting commits together: with 2 ms per sync, 32 submitters reached 1300 transactions a
 * second on 4 connections, 2800 on 8, 6400 on 16. But all replicas share the server's connections,
 * 100 by default. */
#define WRITERS 8

#define RETRY_PAUSE 2000 /* microseconds */

/* Waits for the migration of another replica, which may take long. */
#define MIGRATION_LOCK_WAIT "5min"
#define MIGRATION_LIMIT     (3600 * CLOCK_SECOND)

/* "migrate" in ASCII. Advisory locks are per database. */
#define MIGRATION_LOCK "30794994158826597"

/* Notices that the server hung up while the connection was idle, after a restart for example. */
static bool is_alive(struct postgres_conn *self)
{
	if (self->syncing && postgres_synced(self) && !self->handle)
		return false;
	/* A last message may precede the end of the stream: look several times, but not for
	 * ever. */
	for (int looks = 0; looks < 4 && postgres_wait(self->handle, POLLIN, 0); looks++) {
		if (!libpq.PQconsumeInput(self->handle)) {
			postgres_lost(self, -EHOSTDOWN, libpq.PQerrorMessage(self->handle));
			return false;
		}
		libpq.PQisBusy(self->handle); /* parses what arrived */
	}
	return true;
}

static int begin_migration(struct postgres_conn *self)
{
	self->limit = MIGRATION_LIMIT;
	self->state = POSTGRES_WRITING;
	return postgres_simple(self, "BEGIN; SET LOCAL statement_timeout = 0;"
				     "SET LOCAL lock_timeout = '" MIGRATION_LOCK_WAIT "';"
				     "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")");
}

static void postgres_rollback(struct db_conn *conn);

static int postgres_begin(struct db_conn *conn, enum db_begin kind)
{
	struct postgres_conn *self = postgres_conn(conn);
	postgres_retire(self);
	if (!self->handle || !postgres_trusted(self) || !is_alive(self)) {
		int r = postgres_reconnect(self);
		if (r)
			return r;
	}
	conn->failed = 0;
	self->aborted = 0;
	if (kind == DB_BEGIN_MIGRATION) {
		int r = begin_migration(self);
		if (r)
			postgres_rollback(conn);
		return r;
	}
	self->limit = self->server->busy_timeout + CLOCK_SECOND;
	self->state = kind == DB_BEGIN_READ && !self->pooled ? POSTGRES_READING : POSTGRES_BEGUN;
	return 0;
}

static void roll_back(struct postgres_conn *self)
{
	/* After an error the server skips the rest of the batch. */
	if (self->unsynced && (postgres_send(self, true) || postgres_synced(self)) && !self->handle)
		return;
	int r = postgres_queue(self, "ROLLBACK");
	if (!r)
		r = postgres_send(self, true);
	if (!r)
		r = postgres_synced(self);
	if (r)
		postgres_lost(self, -EHOSTDOWN, "a roll-back failed");
	self->aborted = 0;
}

/* Ends a reader's batch without waiting for the server. */
static int end_reading(struct postgres_conn *self)
{
	self->state = POSTGRES_IDLE;
	if (!self->pooled)
		return self->unsynced ? postgres_send(self, true) : 0;
	if (self->aborted) {
		roll_back(self);
		return 0;
	}
	int r = postgres_queue(self, "COMMIT");
	/* The transaction is still open, and the next one would begin inside it. */
	if (r && self->handle)
		roll_back(self);
	return r ? r : postgres_send(self, true);
}

static int commit_writing(struct postgres_conn *self)
{
	PGresult *result;
	if (self->aborted)
		return self->aborted;
	/* The server does not regard a wrong number of rows as an error and would commit it. */
	int r = self->unchecked ? postgres_deliver(self) : 0;
	if (r)
		return r;
	r = postgres_exchange(self, "COMMIT", &result);
	if (r)
		return r;
	/* The server answers COMMIT with ROLLBACK if the transaction had failed. */
	if (strcmp(libpq.PQcmdStatus(result), "COMMIT") != 0)
		r = -EIO;
	libpq.PQclear(result);
	if (!r)
		self->state = POSTGRES_IDLE;
	return r;
}

static int postgres_commit(struct db_conn *conn)
{
	struct postgres_conn *self = postgres_conn(conn);
	switch (self->state) {
	case POSTGRES_READING:
		return end_reading(self);
	case POSTGRES_WRITING:
		return commit_writing(self);
	case POSTGRES_BEGUN:
		self->state = POSTGRES_IDLE;
		return 0;
	case POSTGRES_IDLE: /* the connection was lost */
		break;
	}
	return -EHOSTDOWN;
}

static void postgres_rollback(struct db_conn *conn)
{
	struct postgres_conn *self = postgres_conn(conn);
	enum postgres_state state = self->state;
	self->state = POSTGRES_IDLE;
	if (state == POSTGRES_READING)
		end_reading(self);
	if (state == POSTGRES_WRITING)
		roll_back(self);
}

static void postgres_watch(struct db_conn *conn, const struct db_watch *watch)
{
	postgres_conn(conn)->deadline = watch ? watch->deadline : 0;
}

static bool postgres_in_transaction(struct db_conn *conn)
{
	return postgres_conn(conn)->state != POSTGRES_IDLE;
}

static int postgres_script(struct db_conn *conn, const char *sql)
{
	struct postgres_conn *self = postgres_conn(conn);
	if (conn->failed)
		return conn->failed;
	assert(self->state == POSTGRES_WRITING && !self->queued && !self->syncing);
	return self->aborted ? self->aborted : postgres_simple(self, sql);
}

static const char *postgres_message(struct db_conn *conn)
{
	return postgres_conn(conn)->message;
}

const struct db_driver postgres_driver = {
	.scheme = "postgresql",
	.alias = "postgres",
	.dialect = DB_POSTGRES,
	.writers = WRITERS,
	.gradual = true,
	.group_limit = 1,
	.retry_pause = RETRY_PAUSE,
	.describe = postgres_describe,
	.share = postgres_share,
	.unshare = postgres_unshare,
	.open = postgres_open,
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.in_transaction = postgres_in_transaction,
	.watch = postgres_watch,
	.savepoint = postgres_savepoint,
	.script = postgres_script,
	.message = postgres_message,
	.session = postgres_session,
	.session_ended = postgres_session_ended,
	.post = postgres_post,
	.settle = postgres_settle,
	.run = postgres_run,
	.query = postgres_query,
	.ask = postgres_ask,
	.answer = postgres_answer,
	.next = postgres_next,
	.column_int = postgres_column_int,
	.column_text = postgres_column_text,
	.column_is_null = postgres_column_is_null,
	.rows_close = postgres_rows_close,
};
