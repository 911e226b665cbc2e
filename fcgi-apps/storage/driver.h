/*
 * What a database driver implements, and what a connection is made of; the files above know
 * nothing else of a driver. Internal to storage/. A driver defines one struct db_driver, listed in
 * db.c.
 *
 * A connection is used by one thread at a time. Every statement runs between begin and commit or
 * rollback. Functions return 0 or one of conn.h's errors unless told otherwise; driver texts are
 * logged where they arise.
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
	/* Set by the driver when the running function cannot be committed any more, whatever it
	 * returns: further statements fail with it, and so does the function. db_call() resets. */
	int failed;
	/* Set by the driver with an -EAGAIN that took the whole time-out: to run the function again
	 * would be to wait again. db_call() resets. */
	bool waited;
	/* Set by db_last(): the next statement is the last; and once it has run. db_call() resets.
	 */
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
	DB_BEGIN_WRITE,     /* -EAGAIN when the lock is not had within the busy time-out */
	DB_BEGIN_MIGRATION, /* alone: other processes that begin this way wait, longer than usual */
};

struct db_driver {
	const char *scheme; /* of the URL, without "://" */
	const char *alias;  /* the same, or NULL */
	enum db_dialect dialect;
	/* How transactions are run: on so many connections with a thread each, and at most so many
	 * jobs committed together. SQLite, with its one lock: one thread, large groups. */
	size_t writers;
	/* Connections are dear to the server: db_open() opens one for writing and one for reading,
	 * opener.h the others. */
	bool gradual;
	size_t group_limit;
	/* Microseconds, at most, before jobs that lost a race run for the second time; twice as
	 * many before the third. 0 where there is one thread, which races with none. */
	int64_t retry_pause;

	/* As db_describe(). */
	int (*describe)(const char *url, char *ret_text, size_t size, char *reterr_message,
			size_t error_size);

	/* Makes what the connections of one store share and checks the URL; both may be NULL. */
	int (*share)(const struct db_options *options, void **ret_shared, char *reterr_message,
		     size_t error_size);
	void (*unshare)(void *shared);

	/* Both NULL where only the store's own programs come at its files. intact: 0, or -EHOSTDOWN
	 * as long as what is written would be lost. lacks_log: as db_lacks_log(). */
	int (*intact)(void *shared);
	bool (*lacks_log)(const void *shared);

	/* Opens one connection, thread-safe; the first one opened is a writer and creates what is
	 * missing. reterr_message gets a message for the operator. */
	int (*open)(const struct db_options *options, void *shared, enum db_role role,
		    struct db_conn **ret_conn, char *reterr_message, size_t error_size);
	void (*close)(struct db_conn *conn);

	/* Replaces a connection that was lost, if that is quick: -EHOSTDOWN otherwise. */
	int (*begin)(struct db_conn *conn, enum db_begin kind);
	/* On an error the transaction may be open still: rollback it. */
	int (*commit)(struct db_conn *conn);
	/* Does nothing without a transaction. */
	void (*rollback)(struct db_conn *conn);
	/* False when the store has ended the transaction by itself after an error. */
	bool (*in_transaction)(struct db_conn *conn);

	/* Until the next call, statements end as db_read_watched() tells; NULL: for good. */
	void (*watch)(struct db_conn *conn, const struct db_watch *watch);

	/* Runs SAVEPOINT, RELEASE SAVEPOINT or ROLLBACK TO SAVEPOINT (undo). Its failure may be
	 * told by the next statement or the commit instead. */
	int (*savepoint)(struct db_conn *conn, const char *sql, bool undo);
	/* Runs several statements without parameters, in a migration. */
	int (*script)(struct db_conn *conn, const char *sql);
	/* The text of the last error. */
	const char *(*message)(struct db_conn *conn);
	/* Upkeep between two transactions of a writer, when nobody waits for their result; or NULL.
	 */
	void (*maintain)(struct db_conn *conn);

	/* As conn.h's functions of these names. */
	int64_t (*session)(struct db_conn *conn);
	int (*session_ended)(struct db_conn *conn, int64_t session);

	/* As conn.h tells; both NULL where statements are cheap: then run does. */
	int (*post)(struct db_conn *conn, const char *sql, const struct db_value *values,
		    size_t count, int64_t rows);
	int (*settle)(struct db_conn *conn);

	/* For db_read_batch(), both NULL where statements are no messages. ask sends a query
	 * without waiting, and copies what it needs: 1, or 0 when it cannot go with others now.
	 * answer waits for the first that was asked and not answered yet; its rows are complete;
	 * after an error there are none left. */
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

/* ---- conn.c, for those who run functions ---- */

/* Runs a statement about savepoints, as the driver's savepoint. */
MUST_CHECK int db_control(struct db_conn *conn, const char *sql, bool undo);

/* The rows of the first statement that was asked and not answered yet, as the driver's answer. */
MUST_CHECK int db_answer(struct db_conn *conn, struct db_rows **ret_rows);

/* Ends what was begun for reading, however it went. */
void db_end_reading(struct db_conn *conn);

/* Runs the function on a connection that has begun; closes the rows it left open. Returns its
 * result, or conn->failed. */
MUST_CHECK int db_call(struct db_conn *conn, db_function *function, void *argument);

#endif
