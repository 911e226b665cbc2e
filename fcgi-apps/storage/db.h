/*
 * The store: one interface, and a driver (driver.h) chosen by URL.
 *
 *	sqlite:///path/file.db      three slashes and a path relative to the working directory,
 *	                            four for an absolute one
 *	postgresql://user:password@host:port/database
 *	                            PostgreSQL 13 or newer; parameters as libpq takes them
 *
 * SQL keeps to what both know: $1, $2 … parameters, ON CONFLICT, RETURNING, partial indexes. Times
 *are BIGINT microseconds, money BIGINT minor units, booleans SMALLINT 0/1, ids TEXT.
 *
 * Five ways to run SQL, all thread-safe:
 *   db_read         on a pooled connection, one snapshot for all its queries, no writes
 *   db_read_watched the same, and it is ended when nobody waits for it any more
 *   db_read_batch   several short reads, which share the round trip to a server
 *   db_transaction  waits for the commit
 *   db_submit       returns at once; the job's done function hears of the commit
 * On SQLite all transactions are run by one writer thread that commits those waiting together as
 * one group (one fsync), each in its own savepoint. On PostgreSQL several writers run one
 * transaction each, READ COMMITTED: other replicas write too, so a function changes what it has
 *read only conditionally (WHERE version = …) or after locking it, and returns -EAGAIN when it lost.
 *
 * A transaction function may run more than once: up to four times when it returns -EAGAIN, and
 * again when the store gave up a group's transaction. It must leave nothing behind but SQL and
 * outputs that it sets anew. It returns 0 or more to commit or a negative error to roll back (only
 * its own work). It must not call db_read or db_transaction of the same store, or a remote service.
 * Connections and rows belong to the thread that runs the function and end with it.
 *
 * Errors of every call here: -EEXIST (uniqueness), -EINVAL (other constraint), -EAGAIN (busy beyond
 * the time-out), -EHOSTDOWN (no connection), -ENOSPC, -ENOMEM, -ECANCELED (closing), -EIO. Driver
 * texts go to the log only. A connection that is lost while it commits leaves open whether it did:
 * -EHOSTDOWN of a transaction means "unknown", and the caller's retry must be idempotent.
 */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include "base/base.h"

struct db;      /* the store: pool, writer */
struct db_conn; /* one connection, lent to a function */
struct db_rows; /* a running query */

/* One step of a service's schema. Versions start at 1 and have no gaps. The texts may hold
 * several statements; a dialect's own text runs after the common one; each may be NULL. */
struct db_migration {
	int version;
	const char *name;
	const char *sql;
	const char *sqlite;
	const char *postgres;
};

struct db_options {
	const char *url;
	size_t readers;       /* connections for db_read, 1..64 */
	int64_t busy_timeout; /* microseconds to wait for a lock or a free connection */
	/* Microseconds for which opening goes on trying to reach a server; 0: one try. */
	int64_t connect_patience;
	size_t queue_limit; /* jobs waiting for the writer; beyond it -EAGAIN */
	bool single_commit; /* commit each job on its own: for measurements */
	bool session;       /* what db_session() tells is wanted; not with read_only */
	/* For looking at a store beside those who work with it: nothing is created, migrated or
	 * written, and the schema must be just this program's (-EINVAL). Only db_read, db_ping and
	 * db_close may be called. */
	bool read_only;
	/* Runs in every transaction once more, before its commit, after all jobs of its group: for
	 * work that is cheaper for many changes at once. Its failure fails the group. NULL: none.
	 */
	int (*before_commit)(struct db_conn *conn, void *unused);
	const struct db_migration *migrations;
	size_t migration_count;
};

/*
 * Opens the store and applies the missing migrations under a lock. What the options point to must
 * stay. Of connections to a server only two are open then: the others follow. ret_error (of
 * error_size bytes) gets a message for the operator. Refuses a schema newer than the binary
 * (-EINVAL).
 */
int db_open(const struct db_options *options, struct db **ret_db, char *ret_error,
	    size_t error_size);

/*
 * Writes what store the URL leads to, the same for every spelling of it and without secrets:
 * "sqlite:////path/file.db", "postgresql://host:port/database". Needs no store. -EINVAL: no valid
 * URL; -EIO: PostgreSQL's library is missing, -ENOMEM. ret_error as of db_open().
 */
int db_describe(const char *url, char *ret_text, size_t size, char *ret_error, size_t error_size);

/* Waits for submitted jobs, checkpoints, closes. No other thread may use the db any more. */
void db_close(struct db *db);

/* Whether the store answers now, and keeps what it is given: for readiness. 0, or an error of
 * db_read(); -EHOSTDOWN also where a file of the database was removed, replaced or written over. */
int db_ping(struct db *db);

/* Whether the database, as it was found, was copied from a running worker without its log
 * ("<database>-wal" on SQLite): what was written last is missing. */
bool db_lacks_log(const struct db *db);

enum db_dialect { DB_SQLITE, DB_POSTGRES };
enum db_dialect db_dialect(const struct db_conn *conn);

typedef int db_function(struct db_conn *conn, void *argument);

/* The function's result, or an error of the store. */
int db_read(struct db *db, db_function *function, void *argument);
int db_transaction(struct db *db, db_function *function, void *argument);

/* When a read that may take long ends before its time. */
struct db_watch {
	int64_t deadline; /* clock_monotonic() */
	/* 0, or the error to end with. Called on the thread of the read, often on SQLite, which
	 * computes there, and at the end of one that failed. From the deadline on it is an error.
	 */
	int (*look)(void *argument);
	void *argument;
};

/* As db_read. A read that is past its deadline, or (SQLite) that look() ends, ends within
 * milliseconds, with what look() says then. */
int db_read_watched(struct db *db, db_function *function, void *argument,
		    const struct db_watch *watch);

/* A read whose function makes exactly one db_query(), its only use of the connection. */
struct db_batched {
	db_function *function;
	/* Called exactly once, on the thread that called db_read_batch(), as soon as the function's
	 * result is there; or with an error of the store. */
	void (*done)(void *argument, int result);
	void *argument;
	enum { DB_BATCHED, DB_BATCHED_ASKED, DB_BATCHED_DONE } state; /* the store's own */
};

/*
 * Runs them all. Where a statement is a message to a server, those of the batch are sent together:
 * its functions are called up to their db_query(), which returns -EINPROGRESS for them to return,
 * and once more when its rows are there. They leave nothing behind but outputs that they set anew.
 */
void db_read_batch(struct db *db, struct db_batched *reads, size_t count);

/* Reads of a batch, at most: more save little, and the last waits for all. */
#define DB_BATCH_MAX 16

/* DB_BATCH_MAX, or 1 where nothing is gained by a batch. */
size_t db_batch_limit(const struct db *db);

/* A transaction whose end is told later. The caller owns the job until done is called, which
 * happens exactly once, on the writer thread, after the commit or roll-back; result is the
 * function's own or the store's error. done may free the job; it must be quick. */
struct db_job {
	db_function *function;
	void (*done)(struct db_job *job, int result);
	void *argument;
	struct db_job *next; /* from here on the store's own */
	int result;
	unsigned attempts;
};

/* 0, or -EAGAIN (queue full) / -ECANCELED: then done is not called. */
int db_submit(struct db *db, struct db_job *job);

/*
 * Inside a transaction: marks a place to return to. Ended by exactly one release (keeps what
 * followed) or rollback (undoes it). Nests. After a failed statement a function returns the error
 * or rolls back to a savepoint made before it: PostgreSQL refuses anything else.
 */
int db_savepoint(struct db_conn *conn);
int db_savepoint_release(struct db_conn *conn);
int db_savepoint_rollback(struct db_conn *conn);

/*
 * The session of this store: a random number above 0 that names whoever has it open, for leases to
 * be written under; or 0, where nobody could tell whether it is still there: options.session was
 * not set, or a pooler stands before the server (its sessions are anybody's). It is known by a lock
 * that ends with the process, however that ends: a byte, of that number, of the file
 * "<database>-sessions" (fcntl(2), F_OFD_SETLK), or a shared advisory lock of that number which all
 * connections to the server that write hold from their beginning.
 */
int64_t db_session(struct db_conn *conn);

/*
 * Whether that session is gone: 1, or 0 while it is there or may be. Of a process that lives 1 is
 * told while it has lost all connections that write, so this is for what does harm to nobody who
 * goes on: a lease only keeps others from doing the same work. Just after a lost connection of our
 * own 0 is told, as others will have lost theirs. An error of the store.
 */
int db_session_ended(struct db_conn *conn, int64_t session);

enum db_type { DB_NULL, DB_INTEGER, DB_TEXT };

struct db_value {
	enum db_type type;
	int64_t integer;
	const char *text;
	size_t length;
};

static inline struct db_value db_int(int64_t value)
{
	return (struct db_value){.type = DB_INTEGER, .integer = value};
}

static inline struct db_value db_bytes(const char *text, size_t length)
{
	if (!text)
		return (struct db_value){.type = DB_NULL};
	return (struct db_value){.type = DB_TEXT, .text = text, .length = length};
}

/* NULL is SQL NULL. The text must stay until the rows are closed. */
static inline struct db_value db_text(const char *text)
{
	return db_bytes(text, text ? __builtin_strlen(text) : 0);
}

static inline struct db_value db_null(void)
{
	return (struct db_value){.type = DB_NULL};
}

/* The two last arguments of db_run and db_query: DB_VALUES(db_text(id), db_int(3)). */
#define DB_VALUES(...)                                                                             \
	(const struct db_value[]){__VA_ARGS__}, ARRAY_SIZE(((const struct db_value[]){__VA_ARGS__}))
#define DB_NO_VALUES NULL, 0

/* Runs a statement for its effect. Returns the number of rows changed, or an error. Statements
 * are prepared once per connection and kept (bounded, least recently used goes first). Every
 * parameter from $1 to the highest occurs in the text, and has a value; -EIO otherwise. */
int64_t db_run(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count);

/* Starts a query; rows are walked with db_next and ended with db_rows_close, always. */
int db_query(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
	     struct db_rows **ret_rows);

/* Announces that the next statement is the last one of this db_read: a server is spared a message.
 * A further one is a mistake of the program (assertion). Nothing in a transaction. */
void db_last(struct db_conn *conn);

/*
 * Runs a statement for its effect, whose outcome is not needed yet: a server gets it together with
 * what follows. rows is how many it must change (-EAGAIN otherwise), or DB_ANY_ROWS. An error is
 * told here, by a later statement, by db_settle or by the commit, and it is then the transaction's
 * or the savepoint's: which statement failed is not told. The values are copied; the text of the
 * statement must stay.
 */
#define DB_ANY_ROWS INT64_C(-1)
int db_post(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
	    int64_t rows);

/* Waits for what was posted: its first error, or 0. */
int db_settle(struct db_conn *conn);

/*
 * Takes locks that hold until the end of the transaction, where others write at the same time: sql
 * is PostgreSQL's SELECT … FOR UPDATE or of an advisory lock, and posted. What they protect is read
 * by a further statement: where a lock has to be waited for, only that sees what is there by then.
 * Does nothing on SQLite, which has one writer at a time and no row locks.
 */
int db_lock(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count);

/* 1: a row is there; 0: no more; <0: error. */
int db_next(struct db_rows *rows);

/* Columns from 0. Texts are NUL-terminated and valid until the next db_next or close. A NULL
 * column reads as 0 / NULL. */
int64_t db_column_int(struct db_rows *rows, int column);
const char *db_column_text(struct db_rows *rows, int column, size_t *ret_length);
bool db_column_is_null(struct db_rows *rows, int column);

void db_rows_close(struct db_rows *rows);
DEFINE_CLEANUP(struct db_rows, db_rows_close)

/* The first column of a query's first row; -ENOENT when it has none. */
int db_query_int(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
		 int64_t *ret_value);

/* Figures for /metrics. */
struct db_stats {
	int64_t commits; /* groups */
	int64_t jobs;    /* transactions inside them */
	int64_t retries; /* functions run again */
	int64_t waiting; /* jobs queued now */
	int64_t readers_in_use;
	int64_t readers;
	int64_t reader_timeouts; /* reads given up since no connection was free in time */
};
void db_stats(struct db *db, struct db_stats *ret_stats);

#endif
