/*
 * Shared by the files of the PostgreSQL driver. From the lowest: postgres_library.c (libpq itself),
 * postgres_hosts.c (addresses), postgres_server.c (the URL, whether the server answers),
 * postgres_error.c (errors, lost connections), postgres_pipeline.c (commands and their results),
 * postgres_session.c (which processes live), postgres_connect.c (connections and their
 * replacement), postgres_statement.c (statements), postgres.c (transactions).
 *
 * Every connection is non-blocking and in libpq's pipeline mode: commands whose results are not
 * waited for (BEGIN, SAVEPOINT, statements of db_post()) travel with the next statement, and every
 * wait has a time limit.
 *
 * A pooler may stand between client and server and lend a session of the server for one transaction
 * at a time (PgBouncer's pool_mode=transaction). Then no setting in a session outlives a
 * transaction, and statements are prepared only by messages of the protocol, never by SQL.
 */
#ifndef STORAGE_POSTGRES_H
#define STORAGE_POSTGRES_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/driver.h"
#include "storage/postgres_hosts.h"
#include "storage/postgres_library.h"
#include "storage/statements.h"

/* The most commands that are sent before their results are read: the server's answers must not fill
 * the socket while more is sent. */
#define POSTGRES_QUEUE_MAX 256

/* What the connections of one store share. */
struct postgres_server {
	char *url;
	struct postgres_hosts *hosts; /* NULL: there is no name to look up */
	int64_t busy_timeout;         /* microseconds */
	/* Statements with the time-outs, for a session and for one transaction. */
	char settings[384];
	char local_settings[384];

	pthread_mutex_t mutex; /* guards the members up to retry_at */
	bool down;             /* it did not answer, or the last attempt to connect failed */
	bool probing;          /* a thread is trying again */
	int64_t probe_begin;   /* clock_monotonic() */
	pthread_cond_t probed; /* the attempt has ended */
	unsigned failures;
	int64_t retry_at; /* clock_monotonic() */

	atomic_uint silences; /* how often it did not answer in time */

	int64_t session;             /* db_session() without a pooler; 0: none */
	_Atomic int64_t regained_at; /* clock_monotonic() when a lost connection was replaced */
};

struct postgres_conn {
	struct db_conn conn;
	struct postgres_server *server;
	enum db_role role;
	PGconn *handle; /* NULL: lost; the next begin replaces it */
	struct statements statements;
	unsigned silences; /* the server's count when this connection was opened */
	unsigned names;    /* how many prepared statements this session has named */
	bool retired;      /* the handle was given up, not lost: postgres_retire() */
	bool pooled;       /* the session belongs to a pooler: see above */

	enum postgres_state {
		POSTGRES_IDLE,
		POSTGRES_READING, /* ended by a sync, and by a COMMIT before it where pooled */
		POSTGRES_BEGUN,   /* BEGIN is to be sent with the first statement */
		POSTGRES_WRITING, /* BEGIN has been sent */
	} state;
	/* Commands that were sent and whose results have not been read yet. */
	struct postgres_queued {
		const char *sql;
		int64_t rows; /* how many it must change, or DB_ANY_ROWS */
	} queue[POSTGRES_QUEUE_MAX];
	size_t queued;
	size_t asked;     /* queries of a batch without an answer yet: they follow the queue */
	bool unchecked;   /* some command must change a certain number of rows */
	bool unsynced;    /* something was sent since the last sync */
	bool syncing;     /* a sync was sent, and its answer not read yet */
	int aborted;      /* the error after which the server accepts only a roll-back */
	int64_t limit;    /* microseconds to wait for an answer */
	int64_t deadline; /* of the read's statements (clock_monotonic()), or 0 */

	char *scratch; /* the values of the running statement, as texts */
	size_t scratch_size;
	char message[256]; /* of the last error */
};

static inline struct postgres_conn *postgres_conn(struct db_conn *conn)
{
	return container_of(conn, struct postgres_conn, conn);
}

/* ---- postgres_server.c ---- */

int postgres_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		      size_t error_size);
int postgres_share(const struct db_options *options, void **ret_shared, char *reterr_message,
		   size_t error_size);
void postgres_unshare(void *shared);

/* Microseconds to wait after so many failures: half of the doubling ceiling, and a random part of
 * the other half. */
int64_t postgres_backoff(unsigned failures);

/* Whether to try to connect now. While the server is down, one thread tries at a time. A server
 * that is back answers it at once, so the others wait that long before this returns false. */
bool postgres_may_try(struct postgres_server *server);

/* How the attempt ended. */
void postgres_note_attempt(struct postgres_server *server, bool success);

/* Call if the server did not answer in time. It probably would not on its other connections either,
 * and each would cost its user the same time again. So all are replaced before they are used. */
void postgres_distrust(struct postgres_conn *self);

/* Whether, as far as is known, the connection can be used. */
bool postgres_trusted(const struct postgres_conn *self);

/* ---- postgres_error.c ---- */

/* A SQLSTATE (PostgreSQL's appendix A) as one of conn.h's errors. */
int postgres_error(const char *sqlstate);

/* Stores the text of an error as a single line. */
void postgres_remember(struct postgres_conn *self, const char *message);

/* Ends the session, if there is one, with its prepared statements and pending commands. */
void postgres_disconnect(struct postgres_conn *self);

/* Drops the connection: until the next begin everything fails with this error, which is returned.
 */
int postgres_lost(struct postgres_conn *self, int error, const char *reason);

/* Maps and logs the error of a failed command; drops the connection if it is no longer usable. */
int postgres_report(struct postgres_conn *self, const PGresult *result, const char *sql);

/* ---- postgres_pipeline.c ---- */

/* Waits until the socket is ready for one of poll(2)'s events. False: the deadline has passed. */
bool postgres_wait(PGconn *handle, short events, int64_t deadline);

/* Sends the commands of a batch. sync: that ends the batch (a reader's ends only with its
 * transaction). */
int postgres_send(struct postgres_conn *self, bool sync);

/* Waits for the results of queued commands, which must have been sent. The first error, or 0. */
int postgres_collect(struct postgres_conn *self);

/* Waits for the last command's result. 0: the command succeeded, and the caller clears the result.
 */
int postgres_result(struct postgres_conn *self, const char *sql, PGresult **ret_result);

/* Reads the end of a batch. */
int postgres_synced(struct postgres_conn *self);

/* Runs a text of several statements, outside of the pipeline. */
int postgres_simple(struct postgres_conn *self, const char *sql);

/* How many rows a statement changed. */
int64_t postgres_changed_rows(PGresult *result);

/* ---- postgres_session.c ---- */

/* What a connection of this role selects besides its settings, once it is known that there is no
 * pooler: another column, which takes the lock, or "". */
void postgres_session_lock(const struct postgres_server *server, enum db_role role, char *ret_sql,
			   size_t size);

int64_t postgres_session(struct db_conn *conn);
int postgres_session_ended(struct db_conn *conn, int64_t session);

/* ---- postgres_connect.c ---- */

int postgres_open(const struct db_options *options, void *shared, enum db_role role,
		  struct db_conn **ret_conn, char *reterr_message, size_t error_size);
void postgres_close(struct db_conn *conn);

/* Ends a session that has many prepared statements, so that it is replaced. */
void postgres_retire(struct postgres_conn *self);

/* Replaces a connection that is lost or not trusted. -EHOSTDOWN: at once if an attempt failed a
 * short time ago, and soon if another thread's attempt takes long. */
int postgres_reconnect(struct postgres_conn *self);

/* ---- postgres_statement.c ---- */

/* Queues a command without values or rows; the next statement reports its error. */
int postgres_queue(struct postgres_conn *self, const char *sql);

/* Sends a command without values, after the queued ones, and waits for its result. */
int postgres_exchange(struct postgres_conn *self, const char *sql, PGresult **ret_result);

/* As the driver's savepoint. */
int postgres_savepoint(struct db_conn *conn, const char *sql, bool undo);

/* Sends the queued commands and waits for all results. */
int postgres_deliver(struct postgres_conn *self);

int postgres_post(struct db_conn *conn, const char *sql, const struct db_value *values,
		  size_t count, int64_t rows);
int postgres_settle(struct db_conn *conn);
int64_t postgres_run(struct db_conn *conn, const char *sql, const struct db_value *values,
		     size_t count);
int postgres_query(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count, struct db_rows **ret_rows);
int postgres_ask(struct db_conn *conn, const char *sql, const struct db_value *values,
		 size_t count);
int postgres_answer(struct db_conn *conn, struct db_rows **ret_rows);
int postgres_next(struct db_rows *rows);
int64_t postgres_column_int(struct db_rows *rows, int column);
const char *postgres_column_text(struct db_rows *rows, int column, size_t *ret_length);
bool postgres_column_is_null(struct db_rows *rows, int column);
void postgres_rows_close(struct db_rows *rows);
void postgres_statement_free(struct statement *entry);

#endif
