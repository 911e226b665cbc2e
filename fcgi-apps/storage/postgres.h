/*
 * Shared by the files of the PostgreSQL driver. From the lowest: postgres_library.c (libpq itself),
 * postgres_hosts.c (addresses), postgres_server.c (the URL, whether the server answers),
 * postgres_error.c (errors, lost connections), postgres_pipeline.c (commands and their results),
 * postgres_session.c (whose process lives), postgres_connect.c (connections and their replacement),
 * postgres_statement.c (statements), postgres.c (transactions).
 *
 * Every connection is non-blocking and in libpq's pipeline mode: commands whose results nobody
 * waits for (BEGIN, SAVEPOINT, what db_post() gets) travel with the next statement, and every wait
 * has an end.
 *
 * Between client and server there may be a pooler that lends a session of the server for a
 * transaction only (PgBouncer's pool_mode=transaction): then nothing that outlives a transaction is
 * set in a session, and statements are prepared by messages of the protocol alone, never by SQL.
 */
#ifndef STORAGE_POSTGRES_H
#define STORAGE_POSTGRES_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/driver.h"
#include "storage/postgres_hosts.h"
#include "storage/postgres_library.h"
#include "storage/statements.h"

/* Commands sent before their results are read, at most: the server's answers must not fill the
 * socket while more is sent. */
#define POSTGRES_QUEUE_MAX 256

/* What the connections of one store share. */
struct postgres_server {
	char *url;
	struct postgres_hosts *hosts; /* NULL: there is no name to look up */
	int64_t busy_timeout;         /* microseconds */
	/* Statements with the time-outs, for a session and for one transaction. */
	char settings[384];
	char local_settings[384];

	pthread_mutex_t mutex; /* guards what follows */
	bool down;             /* it kept silent, or the last attempt to connect failed */
	bool probing;          /* a thread is trying again */
	int64_t probe_begin;   /* clock_monotonic() */
	pthread_cond_t probed; /* the attempt has ended */
	unsigned failures;
	int64_t retry_at; /* clock_monotonic() */

	atomic_uint silences; /* how often it was found to keep silent */

	int64_t session;             /* this store's, as db_session() tells it; 0: none */
	_Atomic int64_t regained_at; /* clock_monotonic() when a lost connection was replaced */
};

struct postgres_conn {
	struct db_conn conn;
	struct postgres_server *server;
	enum db_role role;
	PGconn *handle; /* NULL: lost, to be replaced by the next begin */
	struct statements statements;
	unsigned silences; /* the server's, when this one was opened */
	unsigned names;    /* given to prepared statements of this session */
	bool retired;      /* the handle was given up, not lost: postgres_retire() */
	bool pooled;       /* the session is a pooler's: see above */

	enum postgres_state {
		POSTGRES_IDLE,
		POSTGRES_READING, /* ended by a sync, and by a COMMIT before it where pooled */
		POSTGRES_BEGUN,   /* BEGIN is to be sent with the first statement */
		POSTGRES_WRITING, /* BEGIN has been sent */
	} state;
	/* Commands sent whose results nobody has asked for yet. */
	struct postgres_queued {
		const char *sql;
		int64_t rows; /* that it must change, or DB_ANY_ROWS */
	} queue[POSTGRES_QUEUE_MAX];
	size_t queued;
	size_t asked;     /* of a batch, not answered yet: they follow what is queued */
	bool unchecked;   /* some must change a certain number of rows */
	bool unsynced;    /* something was sent since the last sync */
	bool syncing;     /* a sync was sent and its end not read */
	int aborted;      /* the error after which the server refuses all but a roll-back */
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

/* Whether to try to connect now. While the server is down one thread tries at a time. A server that
 * is back answers it at once: the others wait that long before they are told that it is down. */
bool postgres_may_try(struct postgres_server *server);

/* How the attempt ended. */
void postgres_note_attempt(struct postgres_server *server, bool success);

/* The server did not answer in time. It would be as silent on its other connections, and each of
 * them would cost its users that time again: all are replaced before they are used. */
void postgres_distrust(struct postgres_conn *self);

/* Whether the connection can be used, as far as is known. */
bool postgres_trusted(const struct postgres_conn *self);

/* ---- postgres_error.c ---- */

/* A SQLSTATE (PostgreSQL's appendix A) as one of conn.h's errors. */
int postgres_error(const char *sqlstate);

/* Keeps the text of an error, in one line. */
void postgres_remember(struct postgres_conn *self, const char *message);

/* Ends the session, if there is one, with all that was prepared in it or on its way. */
void postgres_disconnect(struct postgres_conn *self);

/* Drops the connection; all until the next begin fails with the error, which is returned. */
int postgres_lost(struct postgres_conn *self, int error, const char *reason);

/* Maps and logs a failed command; drops the connection where it is of no use any more. */
int postgres_report(struct postgres_conn *self, const PGresult *result, const char *sql);

/* ---- postgres_pipeline.c ---- */

/* Waits until the socket is ready, one of poll(2)'s events. False when the time was over. */
bool postgres_wait(PGconn *handle, short events, int64_t deadline);

/* Ends a batch of commands (a reader's ends with its transaction only) and sends it. */
int postgres_send(struct postgres_conn *self, bool sync);

/* Waits for the results of queued commands, which must have been sent. The first error, or 0. */
int postgres_collect(struct postgres_conn *self);

/* Waits for the last command's result, its owner is the caller: one of a command that went well. */
int postgres_result(struct postgres_conn *self, const char *sql, PGresult **ret_result);

/* Reads the end of a batch. */
int postgres_synced(struct postgres_conn *self);

/* Runs a text of several statements, which needs the connection by itself. */
int postgres_simple(struct postgres_conn *self, const char *sql);

/* How many rows a statement changed. */
int64_t postgres_changed_rows(PGresult *result);

/* ---- postgres_session.c ---- */

/* What a connection of this role asks for besides its settings, once it is known to be the server's
 * own: another column, or "". */
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

/* Replaces a connection that is lost or not trusted, or says -EHOSTDOWN: at once when a failed
 * attempt is not long ago, and soon when another thread's attempt lasts. */
int postgres_reconnect(struct postgres_conn *self);

/* ---- postgres_statement.c ---- */

/* Queues a command without values or rows: its error is the next statement's. */
int postgres_queue(struct postgres_conn *self, const char *sql);

/* Sends a command without values, after what is queued, and waits for its result. */
int postgres_exchange(struct postgres_conn *self, const char *sql, PGresult **ret_result);

/* A driver's savepoint. */
int postgres_savepoint(struct db_conn *conn, const char *sql, bool undo);

/* Sends what is queued and waits for all of it. */
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
