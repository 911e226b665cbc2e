/*
 * Shared by the files of the SQLite driver: sqlite.c (transactions, errors), sqlite_open.c
 * (connections), sqlite_files.c (whether the files are still ours), sqlite_session.c (which
 * processes live), sqlite_statement.c (statements), sqlite_fts.c (ranking of full-text searches).
 * No other file includes it, or sqlite3.h.
 */
#ifndef STORAGE_SQLITE_H
#define STORAGE_SQLITE_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#include "storage/driver.h"
#include "storage/statements.h"

enum { SQLITE_DATABASE, SQLITE_LOG, SQLITE_INDEX, SQLITE_FILES };

/* The size in bytes to which SQLite cuts a long log when it restarts the log. */
#define SQLITE_LOG_LIMIT (64 << 20)

struct sqlite_files {
	struct sqlite_file {
		char path[PATH_MAX];
		dev_t device;
		ino_t inode;
	} list[SQLITE_FILES];
	/* Our own file descriptors, for reading, or -1. Closing the database's ends SQLite's locks,
	 * so close it only after SQLite has closed its own. */
	int database;
	int log;

	pthread_mutex_t lock; /* guards the members below */
	struct sqlite_content {
		/* Never decreases. As long as it stays the same, the file does not get shorter. */
		uint64_t age;
		off_t length;
		uint64_t identity; /* never changes; 0: the database has none yet */
	} content;
	/* As long as the salts stay the same, the log does not get shorter. */
	uint64_t log_salts;
	off_t log_length;  /* at most SQLITE_LOG_LIMIT */
	const char *fault; /* what was reported last; NULL: nothing is wrong */
};

/* What the connections of one store share. */
struct sqlite_store {
	bool begins_session;
	bool opened; /* by at least one connection */
	/* When the file was opened it had no log beside it, although its mark says that a store had
	 * it open. */
	bool lacks_log;
	int sessions;    /* the file of their locks, or -1 */
	int64_t session; /* locked; 0: none */
	struct sqlite_files files;
};

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
	struct sqlite_store *store;
	bool writes;
	int busy_timeout; /* milliseconds */
	int frames;       /* pages in the log after the last commit */
	int checkpointed; /* frames at the last checkpoint */
	bool logged;      /* the current commit has written to the log */
	bool marked;      /* the file has SQLITE_MARK: it is not whole without its log (sqlite.c) */
	const struct db_watch *watch; /* of the running read; NULL: none */
	int64_t look_at;              /* clock_monotonic(): when to ask it next */
};

static inline struct sqlite_conn *sqlite_conn(struct db_conn *conn)
{
	return container_of(conn, struct sqlite_conn, conn);
}

/* SQLite's (extended) result code as one of conn.h's errors. */
int sqlite_error(int code);

/* Logs the error of the last call on the handle, and maps it. */
int sqlite_report(sqlite3 *handle, int code, const char *sql);

/* As sqlite_report, inside a transaction: some errors end the whole transaction. */
int sqlite_statement_error(struct sqlite_conn *self, int code, const char *sql);

int sqlite_open(const struct db_options *options, void *shared, enum db_role role,
		struct db_conn **ret_conn, char *reterr_message, size_t error_size);
void sqlite_close(struct db_conn *conn);

/* PRAGMA user_version of a file that is not whole without its log: "open" in ASCII. */
#define SQLITE_MARK 1869636974

int sqlite_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		    size_t error_size);
/* Reads the number of a pragma; returns SQLite's result code. */
int sqlite_pragma(sqlite3 *handle, const char *sql, int *ret_number);

int sqlite_share(const struct db_options *options, void **ret_shared, char *reterr_message,
		 size_t error_size);
void sqlite_unshare(void *shared);

/* ---- sqlite_files.c ---- */

void sqlite_files_init(struct sqlite_files *files);
void sqlite_files_release(struct sqlite_files *files);

/* Records which files these are. Call it once the connection has read from the database at that
 * path. 0, or a negative errno. */
int sqlite_files_note(struct sqlite_files *files, const char *path, sqlite3 *handle);

/*
 * Whether writes still go to the files that the next start will find: 0; or -EHOSTDOWN if one was
 * removed, replaced or overwritten. The log says so once, and again when they are back. logged: the
 * call follows a write to the log file. Thread-safe.
 */
int sqlite_files_check(struct sqlite_files *files, bool logged);

/* ---- sqlite_session.c ---- */

/* Begins the store's session beside the database at this path. If that fails, there is no session,
 * and the log says so. */
void sqlite_begin_session(struct sqlite_store *store, const char *path);

int64_t sqlite_session(struct db_conn *conn);
int sqlite_session_ended(struct db_conn *conn, int64_t session);

/* Adds weighted_words() to the connection; returns SQLite's result code. */
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
