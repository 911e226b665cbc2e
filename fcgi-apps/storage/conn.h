/*
 * A connection lent to a function: statements, rows, savepoints. It comes from one of db.h's calls
 * (db_read, db_transaction …), which have begun a snapshot or a transaction and end it after the
 * function.
 *
 *	static int find_name(struct db_conn *conn, void *argument)
 *	{
 *		struct visitor *visitor = argument;
 *		struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
 *		int r = db_query_row(conn, "SELECT name FROM visitors WHERE id = $1",
 *				     DB_VALUES(db_text(visitor->id)), &rows);
 *		if (r)
 *			return r;
 *		db_column_copy(rows, 0, visitor->name, sizeof(visitor->name));
 *		return 0;
 *	}
 *
 * SQL keeps to what both stores know: $1, $2 … parameters, ON CONFLICT, RETURNING, partial indexes.
 * Times are BIGINT microseconds, money BIGINT minor units, booleans SMALLINT 0/1, ids TEXT.
 *
 * A connection and its rows belong to the thread that runs the function, and end with the function.
 *
 * Errors of the store, here and in db.h:
 *   -EEXIST     a unique key is taken
 *   -EINVAL     another constraint is broken, or the store cannot hold a value
 *   -EAGAIN     not now, and nothing was done: a lost race, a deadlock, or a lock, a connection or
 *               a place in the queue that did not become free in time
 *   -EHOSTDOWN  the store cannot be reached, or the files of the database are no longer ours; what
 *               a transaction did is unknown
 *   -ETIMEDOUT  the deadline of db_read_watched() passed
 *   -ENOSPC     the disk is full
 *   -ENOMEM     out of memory, here or in the server
 *   -ECANCELED  the store is closing
 *   -EIO        anything else, including a mistake in the statement
 * The driver's messages go only to the log.
 */
#ifndef STORAGE_CONN_H
#define STORAGE_CONN_H

#include "base/base.h"

struct db_conn;
struct db_rows; /* a running query */

/* What runs on a lent connection. 0 or more is success, a negative result an error. */
typedef int db_function(struct db_conn *conn, void *argument);

enum db_dialect { DB_SQLITE, DB_POSTGRES };
enum db_dialect db_dialect(const struct db_conn *conn);

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

/* The values of a statement, two arguments at once: DB_VALUES(db_text(id), db_int(3)). */
#define DB_VALUES(...)                                                                             \
	(const struct db_value[]){__VA_ARGS__}, ARRAY_SIZE(((const struct db_value[]){__VA_ARGS__}))
#define DB_NO_VALUES NULL, 0

/* ---- statements ---- */

/* A statement that is yet to run. One owner. */
#define DB_STATEMENT_VALUES 8
struct db_statement {
	const char *sql; /* NULL: none */
	struct db_value values[DB_STATEMENT_VALUES];
	size_t count;
	char *copies; /* what it owns, or NULL */
};

/* The first borrows SQL and texts, which must stay until its rows have been read; the second copies
 * them: -ENOMEM. At most DB_STATEMENT_VALUES values (assertion). */
void db_statement_set(struct db_statement *ret_statement, const char *sql,
		      const struct db_value *values, size_t count);
MUST_CHECK int db_statement_copy(struct db_statement *ret_statement, const char *sql,
				 const struct db_value *values, size_t count);
void db_statement_release(struct db_statement *statement);

/* Runs a statement for its effect. Returns the number of rows changed, or an error. Statements
 * are prepared once per connection and kept (a bounded number; the least recently used is dropped
 * first). Every parameter from $1 to the highest must occur in the text and have a value; otherwise
 * -EIO. */
MUST_CHECK int64_t db_run(struct db_conn *conn, const char *sql, const struct db_value *values,
			  size_t count);

/*
 * Runs a statement for its effect, without waiting for the outcome: a server gets it together with
 * what follows. rows is how many it must change (otherwise -EAGAIN), or DB_ANY_ROWS. An error is
 * reported here, by a later statement, by db_settle or by the commit. It then concerns the whole
 * transaction or savepoint: nothing says which statement failed. The values are copied; the text of
 * the statement must stay.
 */
#define DB_ANY_ROWS INT64_C(-1)
MUST_CHECK int db_post(struct db_conn *conn, const char *sql, const struct db_value *values,
		       size_t count, int64_t rows);

/* Waits for everything that was posted. 0, or the first error. */
MUST_CHECK int db_settle(struct db_conn *conn);

/*
 * Takes locks until the end of the transaction, where others write at the same time: sql is
 * PostgreSQL's SELECT … FOR UPDATE, or takes an advisory lock, and is posted. Read what the locks
 * protect by a further statement: if a lock has to be waited for, only a later statement sees the
 * data as it is then. Does nothing on SQLite, which has one writer at a time and no row locks.
 */
MUST_CHECK int db_lock(struct db_conn *conn, const char *sql, const struct db_value *values,
		       size_t count);

/* Announces that the next statement is the last one of this db_read, which saves a message to a
 * server. A further statement is a mistake of the program (assertion). Does nothing in a
 * transaction. */
void db_last(struct db_conn *conn);

/* ---- rows ---- */

/* Starts a query. Read its rows with db_next, and always end it with db_rows_close. */
MUST_CHECK int db_query(struct db_conn *conn, const char *sql, const struct db_value *values,
			size_t count, struct db_rows **ret_rows);

MUST_CHECK int db_query_statement(struct db_conn *conn, const struct db_statement *statement,
				  struct db_rows **ret_rows);

/* 1: a row is there; 0: no more; <0: error. */
MUST_CHECK int db_next(struct db_rows *rows);

/* Starts a query and goes to its first row. -ENOENT when there is none. */
MUST_CHECK int db_query_row(struct db_conn *conn, const char *sql, const struct db_value *values,
			    size_t count, struct db_rows **ret_rows);

/* The number in the first column of the first row. -ENOENT when there is no row. */
MUST_CHECK int db_query_int(struct db_conn *conn, const char *sql, const struct db_value *values,
			    size_t count, int64_t *ret_value);

/* Whether the query finds a row: 1 or 0. */
MUST_CHECK int db_exists(struct db_conn *conn, const char *sql, const struct db_value *values,
			 size_t count);

/* Columns from 0. Texts are NUL-terminated and valid until the next db_next or close. A NULL
 * column reads as 0 / NULL. */
int64_t db_column_int(struct db_rows *rows, int column);
const char *db_column_text(struct db_rows *rows, int column, size_t *ret_length);
bool db_column_is_null(struct db_rows *rows, int column);

/* Copies a text (NULL as "") and cuts it to the size of the buffer. */
void db_column_copy(struct db_rows *rows, int column, char *buffer, size_t size);

void db_rows_close(struct db_rows *rows);
DEFINE_CLEANUP(struct db_rows, db_rows_close)

/* ---- savepoints ---- */

/*
 * Inside a transaction: marks a place to return to. End it by exactly one release (keeps what
 * followed) or rollback (undoes it). Savepoints nest. After a failed statement a function must
 * return the error or roll back to an earlier savepoint: PostgreSQL refuses anything else.
 */
MUST_CHECK int db_savepoint(struct db_conn *conn);
MUST_CHECK int db_savepoint_release(struct db_conn *conn);
MUST_CHECK int db_savepoint_rollback(struct db_conn *conn);

/* ---- sessions ---- */

/*
 * The session of this store: a random number above 0 that identifies the process that has the store
 * open, for use in leases. 0 if no one could find out whether that process still lives:
 * options.session was not set, or a pooler, which lends its sessions to any client, stands in front
 * of the server. A session is a lock that ends with the process, however the process ends: the byte
 * at that offset of the file "<database>-sessions" (fcntl(2), F_OFD_SETLK), or a shared advisory
 * lock with that number, which every writing connection takes when it is opened.
 */
int64_t db_session(struct db_conn *conn);

/*
 * Whether that session has ended: 1; or 0 if it has not, or may not have. 1 is also the answer for
 * a process that lives but has lost all its writing connections, so act on it only if that does no
 * harm to a process that continues: a lease only keeps others from doing the same work. Just after
 * this process has lost a connection the answer is 0, because others will have lost theirs, too.
 */
MUST_CHECK int db_session_ended(struct db_conn *conn, int64_t session);

#endif
