/*
 * What a database driver implements, and what a connection consists of; the files above know
 * nothing else about a driver. Internal to storage/. A driver defines one struct db_driver, which
 * db.c lists.
 *
 * A connection is used by one thread at a time. Every statement runs between begin and commit or
 * rollback. Unless stated otherwise, functions return 0 or one of conn.h's errors; the driver's
 * messages are logged where they arise.
 */
#ifndef STORAGE_DRIVER_H
#define STORAGE_DRIVER_H

#include "storage/conn.h"
#include "storage/options.h"
#include "storage/work.h"

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* The first member of a driver's own connection. */
struct db_conn {
	const struct db_driver *driver;
	struct db_conn *next; /* in the pool's or the writer's list of idle connections */
	struct db_rows *open; /* queries not yet closed */
	/* Set by the driver if the running function can no longer be committed, whatever it
	 * returns: this error is the result of further statements and of the function. db_call()
	 * resets it. */
	int failed;
	/* Set by the driver along with an -EAGAIN that took the whole time-out: running the
	 * function again would mean to wait again. db_call() resets it. */
	bool waited;
	/* last is set by db_last(): the next statement is the last one. over: it has run. db_call()
	 * resets both. */
	bool last, over;
};

/* A member of a driver's own running query. */
struct db_rows {
	struct db_conn *conn;
	struct db_rows *next; /* in conn->open */
};

enum db_role { DB_READER, DB_WRITER };

enum db_begin {
	DB_BEGIN_READ,      /* one snapshot until the end; writes are refused */
	DB_BEGIN_WRITE,     /* -EAGAIN if the lock does not become free within the busy time-out */
	DB_BEGIN_MIGRATION, /* exclusive: other processes that begin this way wait, longer than
			       usual */
};

struct db_driver {
	const char *scheme; /* of the URL, without "://" */
	const char *alias;  /* the same, or NULL */
	enum db_dialect dialect;
	/* How transactions run: on this many connections, with a thread each; group_limit is the
	 * most jobs that are committed together. SQLite, with its one lock: one thread, large
	 * groups. */
	size_t writers;
	/* Connections are expensive for the server: db_open() opens one for writing and one for
	 * reading, opener.h the others. */
	bool gradual;
	size_t group_limit;
	/* The longest pause, in microseconds, before jobs that lost a race run a second time; twice
	 * as long before the third. 0 if there is only one thread, which races with none. */
	int64_t retry_pause;

	/* As db_describe(). */
	int (*describe)(const char *url, char *ret_text, size_t size, char *reterr_message,
			size_t error_size);

	/* Checks the URL and makes what the connections of one store share; both may be NULL. */
	int (*share)(const struct db_options *options, void **ret_shared, char *reterr_message,
		     size_t error_size);
	void (*unshare)(void *shared);

	/* Both NULL if only the store's own programs can reach its files. intact: 0, or -EHOSTDOWN
	 * as long as writes would be lost. lacks_log: as db_lacks_log(). */
	int (*intact)(void *shared);
	bool (*lacks_log)(const void *shared);

	/* Opens one connection; thread-safe. The first one is a writer and creates what is missing.
	 * reterr_message gets a message for the operator. */
	int (*open)(const struct db_options *options, void *shared, enum db_role role,
		    struct db_conn **ret_conn, char *reterr_message, size_t error_size);
	void (*close)(struct db_conn *conn);

	/* Replaces a lost connection if that is quick; otherwise -EHOSTDOWN. */
	int (*begin)(struct db_conn *conn, enum db_begin kind);
	/* After an error the transaction may still be open: roll it back. */
	int (*commit)(struct db_conn *conn);
	/* Does nothing without a transaction. */
	void (*rollback)(struct db_conn *conn);
	/* False if the store itself has ended the transaction after an error. */
	bool (*in_transaction)(struct db_conn *conn);

	/* From now on, statements are aborted as in db_read_watched(); NULL: no longer. */
	void (*watch)(struct db_conn *conn, const struct db_watch *watch);

	/* Runs SAVEPOINT, RELEASE SAVEPOINT or ROLLBACK TO SAVEPOINT (undo). The next statement or
	 * the commit may report its failure instead. */
	int (*savepoint)(struct db_conn *conn, const char *sql, bool undo);
	/* Runs several statements without parameters, in a migration. */
	int (*script)(struct db_conn *conn, const char *sql);
	/* The text of the last error. */
	const char *(*message)(struct db_conn *conn);
	/* Maintenance between two transactions of a writer, when no one waits for a result; or
	 * NULL. */
	void (*maintain)(struct db_conn *conn);

	/* As conn.h's functions of these names. */
	int64_t (*session)(struct db_conn *conn);
	int (*session_ended)(struct db_conn *conn, int64_t session);

	/* As in conn.h. Both NULL if a statement is cheap: then run is used. */
	int (*post)(struct db_conn *conn, const char *sql, const struct db_value *values,
		    size_t count, int64_t rows);
	int (*settle)(struct db_conn *conn);

	/* For db_read_batch(); both NULL if statements are not messages. ask sends a query without
	 * waiting, and copies what it needs: 1, or 0 if it cannot be sent along with others now.
	 * answer waits for the first query that was asked and not answered yet; its rows are
	 * complete. After an error no answers are left. */
	int (*ask)(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count);
	int (*answer)(struct db_conn *conn, struct db_rows **ret_rows);

	/* conn.h's functions of the same names. query sets neither member of db_rows. */
	int64_t (*run)(struct db_conn *conn, const char *sql, const struct db_value *values,
		       size_t count);
	int (*query)(struct db_conn *conn, const char *sql, const struct db_value *values,
		     size_t count, struct db_rows **ret_rows);
	int (*next)(struct db_rows *rows);
	int64_t (*column_int)(struct db_rows *rows, int column);
	const char *(*column_text)(struct db_rows *rows, int column, size_t *ret_length);
	bool (*column_is_null)(struct db_rows *rows, int column);
	void (*rows_close)(struct db_rows *rows);
};

extern const struct db_driver sqlite_driver;
extern const struct db_driver postgres_driver;

/* ---- conn.c, for the files that run functions ---- */

/* Runs a savepoint statement, as the driver's savepoint. */
MUST_CHECK int db_control(struct db_conn *conn, const char *sql, bool undo);

/* The rows of the first statement that was asked and not answered yet; as the driver's answer. */
MUST_CHECK int db_answer(struct db_conn *conn, struct db_rows **ret_rows);

/* Ends a read, whether or not it succeeded. */
void db_end_reading(struct db_conn *conn);

/* Runs the function on a connection that has begun, and closes rows that it left open. Returns its
 * result, or conn->failed. */
MUST_CHECK int db_call(struct db_conn *conn, db_function *function, void *argument);

#endif
