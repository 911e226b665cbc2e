/*
 * Shared by the files of the SQLite driver: sqlite.c (transactions, errors), sqlite_open.c
 * (connections), sqlite_session.c (whose process lives), sqlite_statement.c (statements),
 * sqlite_fts.c (ranking of full-text searches). No other file includes it, or sqlite3.h.
 */
#ifndef STORAGE_SQLITE_H
#define STORAGE_SQLITE_H

#include <sqlite3.h>

#include "storage/driver.h"
#include "storage/statements.h"

struct sqlite_sessions;

enum sqlite_control {
	CONTROL_BEGIN,
	CONTROL_BEGIN_IMMEDIATE,
	CONTROL_COMMIT,
	CONTROL_ROLLBACK,
	CONTROLS,
};
extern const char *const sqlite_control_sql[CONTROLS];

struct sqlite_conn {
	struct db_conn conn;
	sqlite3 *handle;
	sqlite3_stmt *control[CONTROLS];
	struct statements statements;
	int busy_timeout;                       /* milliseconds */
	int frames;                             /* (pages) in the log after the last commit */
	int checkpointed;                       /* frames at the last checkpoint */
	const struct sqlite_sessions *sessions; /* of the store; NULL: it has none */
};

static inline struct sqlite_conn *sqlite_conn(struct db_conn *conn)
{
	return container_of(conn, struct sqlite_conn, conn);
}

/* SQLite's (extended) result code as one of db.h's errors. */
int sqlite_error(int code);

/* Logs the failure of the last call on the handle, and maps it. */
int sqlite_report(sqlite3 *handle, int code, const char *sql);

/* As sqlite_report, inside a transaction: some errors end all of it. */
int sqlite_statement_error(struct sqlite_conn *self, int code, const char *sql);

int sqlite_open(const struct db_options *options, void *shared, enum db_role role,
		struct db_conn **ret_conn, char *ret_error, size_t error_size);
void sqlite_close(struct db_conn *conn);

/* ---- sqlite_session.c ---- */

int sqlite_share(const struct db_options *options, void **ret_shared, char *ret_error,
		 size_t error_size);
void sqlite_unshare(void *shared);

/* Begins the store's session beside the database of that path. Where it cannot, there is none, and
 * the log says so. */
void sqlite_begin_session(struct sqlite_sessions *sessions, const char *path);

int64_t sqlite_session(struct db_conn *conn);
int sqlite_session_ended(struct db_conn *conn, int64_t session);

/* Adds weighted_words() to the connection; SQLite's result code. */
int sqlite_add_fts_functions(sqlite3 *handle);

int64_t sqlite_run(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count);
int sqlite_query(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
		 struct db_rows **ret_rows);
int sqlite_next(struct db_rows *rows);
int64_t sqlite_column_int(struct db_rows *rows, int column);
const char *sqlite_column_text(struct db_rows *rows, int column, size_t *ret_length);
bool sqlite_column_is_null(struct db_rows *rows, int column);
void sqlite_rows_close(struct db_rows *rows);
void sqlite_statement_free(struct statement *entry);

#endif
