/*
 * Shared by the files of the SQLite driver: sqlite.c (transactions, errors), sqlite_open.c
 * (connections), sqlite_files.c (whether the files are still ours), sqlite_session.c (whose process
 * lives), sqlite_statement.c (statements), sqlite_fts.c (ranking of full-text searches). No other
 * file includes it, or sqlite3.h.
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

/* Bytes that SQLite leaves of a long log when it begins it again. */
#define SQLITE_LOG_LIMIT (64 << 20)

struct sqlite_files {
	struct sqlite_file {
		char path[PATH_MAX];
		dev_t device;
		ino_t inode;
	} list[SQLITE_FILES];
	/* Our own file descriptors, for reading, or -1. Closing the one of the database ends
	 * SQLite's locks: only after SQLite has closed its own. */
	int database;
	int log;

	pthread_mutex_t lock; /* guards what follows */
	struct sqlite_content {
		/* Never less than before, and as long as it is the same the file is never shorter.
		 */
		uint64_t age;
		off_t length;
		uint64_t identity; /* never another one; 0: the database has none yet */
	} content;
	/* With the same salts the log is never shorter. */
	uint64_t log_salts;
	off_t log_length;  /* SQLITE_LOG_LIMIT at most */
	const char *fault; /* what was told of last; NULL: nothing is wrong */
};

/* What the connections of one store share. */
struct sqlite_store {
	bool begins_session;
	bool opened; /* by one connection at least */
	/* The file had no log beside it before it was opened, although it was left by a store that
	 * was open. */
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
	int frames;       /* (pages) in the log after the last commit */
	int checkpointed; /* frames at the last checkpoint */
	bool logged;      /* the commit under way has written to the log */
	bool marked;      /* the file tells that it is nothing without its log: see sqlite.c */
	const struct db_watch *watch; /* of the read that runs; NULL: none */
	int64_t look_at;              /* clock_monotonic(): the next look at it */
};

static inline struct sqlite_conn *sqlite_conn(struct db_conn *conn)
{
	return container_of(conn, struct sqlite_conn, conn);
}

/* SQLite's (extended) result code as one of conn.h's errors. */
int sqlite_error(int code);

/* Logs the failure of the last call on the handle, and maps it. */
int sqlite_report(sqlite3 *handle, int code, const char *sql);

/* As sqlite_report, inside a transaction: some errors end all of it. */
int sqlite_statement_error(struct sqlite_conn *self, int code, const char *sql);

int sqlite_open(const struct db_options *options, void *shared, enum db_role role,
		struct db_conn **ret_conn, char *reterr_message, size_t error_size);
void sqlite_close(struct db_conn *conn);

/* PRAGMA user_version of a file that is not whole without its log: "open" in ASCII. */
#define SQLITE_MARK 1869636974

int sqlite_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		    size_t error_size);
/* The number that a pragma tells; SQLite's result code. */
int sqlite_pragma(sqlite3 *handle, const char *sql, int *ret_number);

int sqlite_share(const struct db_options *options, void **ret_shared, char *reterr_message,
		 size_t error_size);
void sqlite_unshare(void *shared);

/* ---- sqlite_files.c ---- */

void sqlite_files_init(struct sqlite_files *files);
void sqlite_files_release(struct sqlite_files *files);

/* Notes which files these are, as soon as the connection has read from the database at that path. A
 * negative errno. */
int sqlite_files_note(struct sqlite_files *files, const char *path, sqlite3 *handle);

/*
 * Whether what is written is still written to the files that whoever starts next will find: 0, or
 * -EHOSTDOWN where one was removed, replaced or written over. The log says so once, and when they
 * are back. logged: just after something was written to the log. Thread-safe.
 */
int sqlite_files_check(struct sqlite_files *files, bool logged);

/* ---- sqlite_session.c ---- */

/* Begins the store's session beside the database of that path. Where it cannot, there is none, and
 * the log says so. */
void sqlite_begin_session(struct sqlite_store *store, const char *path);

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
