/*
 * The store: one interface, and a driver (driver.h) chosen by URL.
 *
 *	sqlite:///path/file.db      three slashes and a path relative to the working directory,
 *	                            four for an absolute one
 *	postgresql://user:password@host:port/database
 *	                            PostgreSQL 13 or newer; parameters as libpq takes them
 *
 * Five ways to run SQL, all thread-safe. Each lends a function a connection (conn.h), except
 * db_read_batch, which only gives it rows:
 *   db_read         on a pooled connection, one snapshot for all its queries, no writes
 *   db_read_watched the same, but aborted when no one waits for it any more
 *   db_read_batch   several short reads, which share the round trip to a server
 *   db_transaction  waits for the commit
 *   db_submit       returns at once; the job's done function is called after the commit
 * README.md in this folder says what must hold across them, and why it does.
 *
 * A transaction function may run more than once: up to four times if it returns -EAGAIN, and again
 * if the store gave up a group's transaction. So it must have no effects except SQL and outputs
 *that each run sets again. It returns 0 or more to commit, or a negative error to roll back (only
 *its own work). It must not call db_read or db_transaction of the same store, or a remote service.
 *On PostgreSQL others write at the same time, READ COMMITTED: a function changes what it has read
 *only conditionally (WHERE version = …) or after locking it, and returns -EAGAIN if it lost the
 *race.
 *
 * The errors of every call are those of conn.h. -EHOSTDOWN of a transaction means "unknown": the
 * connection may have been lost during the commit, so the caller's retry must be idempotent.
 */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include "storage/conn.h"
#include "storage/options.h"
#include "storage/work.h"

struct db;

/*
 * Opens the store and applies the missing migrations under a lock. Everything that the options
 * point to must stay. Only two connections to a server are open on return: the others follow.
 * reterr_message (of error_size bytes) gets a message for the operator. Refuses a schema newer than
 * the binary (-EINVAL).
 */
MUST_CHECK int db_open(const struct db_options *options, struct db **ret_db, char *reterr_message,
		       size_t error_size);

/*
 * Writes which store the URL leads to, in one form for all spellings and without secrets:
 * "sqlite:////path/file.db", "postgresql://host:port/database". Needs no store. -EINVAL: not a
 * valid URL; -EIO: PostgreSQL's library is missing; -ENOMEM. reterr_message as in db_open().
 */
MUST_CHECK int db_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
			   size_t error_size);

/* Waits for submitted jobs, checkpoints, closes. No other thread may use the store any more. */
void db_close(struct db *db);

/* For readiness: whether the store answers now, and keeps what is written. 0, or an error of
 * db_read(); -EHOSTDOWN also if a file of the database was removed, replaced or overwritten. */
MUST_CHECK int db_ping(struct db *db);

/* Whether the database, when it was opened, was a copy made from a running worker without its log
 * ("<database>-wal" on SQLite): then the latest writes are missing. */
bool db_lacks_log(const struct db *db);

/* The function's result, or an error of the store. */
MUST_CHECK int db_read(struct db *db, db_function *function, void *argument);
MUST_CHECK int db_transaction(struct db *db, db_function *function, void *argument);

/* As db_read. A read ends within milliseconds of its deadline or, on SQLite, once look() returns an
 * error; look() then gives the result. */
MUST_CHECK int db_read_watched(struct db *db, db_function *function, void *argument,
			       const struct db_watch *watch);

/* Runs all reads. If a statement is a message to a server, the statements of the batch are sent
 * together, then answered one after the other. */
void db_read_batch(struct db *db, struct db_batched *reads, size_t count);

/* Which SQL the store takes: as db_dialect(), without a connection. */
enum db_dialect db_dialect_of(const struct db *db);

/* DB_BATCH_MAX, or 1 if a batch gains nothing. */
size_t db_batch_limit(const struct db *db);

/* 0, or -EAGAIN (queue full) / -ECANCELED: then done is not called. */
MUST_CHECK int db_submit(struct db *db, struct db_job *job);

void db_stats(struct db *db, struct db_stats *ret_stats);

#endif
