/*
 * The SQLite driver (3.37 or newer): write-ahead log, synchronous=FULL, so that a commit that was
 * told survives a power cut. See https://www.sqlite.org/wal.html.
 */
#include "storage/sqlite.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"

/* Jobs per commit and fsync. More gain little and delay the first of them. */
#define GROUP_LIMIT 128

/* The log is copied into the database file each time it has grown by this many frames. At
 * RESTART_FRAMES it should start again from the beginning, so the checkpoint waits longer for
 * readers. Both waits are short compared with the time in which so many frames are written. */
#define CHECKPOINT_FRAMES 1000
#define RESTART_FRAMES    8000
#define CHECKPOINT_WAIT   2   /* milliseconds */
#define RESTART_WAIT      100 /* milliseconds */

#define MIGRATION_WAIT 30000 /* milliseconds */

/*
 * A watch is asked at most once per interval, and the clock is read every so many steps of SQLite's
 * virtual machine. The number is small because a full-text search makes few steps while it walks
 * its index: three for each page it reads.
 */
#define WATCH_STEPS    300
#define WATCH_INTERVAL 1000 /* microseconds */

const char *const sqlite_control_sql[CONTROLS] = {
	[CONTROL_BEGIN] = "BEGIN",
	[CONTROL_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
	[CONTROL_COMMIT] = "COMMIT",
	[CONTROL_ROLLBACK] = "ROLLBACK",
};

int sqlite_error(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
	case SQLITE_CONSTRAINT_UNIQUE:
		return -EEXIST;
	case SQLITE_IOERR_NOMEM:
		return -ENOMEM;
	case SQLITE_IOERR_SHMSIZE: /* no room for the log's index */
		return -ENOSPC;
	}
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return -EINVAL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_INTERRUPT: /* interrupted by a watch */
		return -EAGAIN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CANTOPEN:
		return -EHOSTDOWN;
	default:
		return -EIO;
	}
}

/* Logs the failure of a call on the handle and returns its error code. Errors that a caller can
 * provoke are logged at debug level only. */
int sqlite_report(sqlite3 *handle, int code, const char *sql)
{
	int r = sqlite_error(code);
	enum log_level level = r == -EEXIST || r == -EINVAL ? LOG_DEBUG
			       : r == -EAGAIN               ? LOG_WARN
							    : LOG_ERROR;
	log_write(level, "database error", log_error_code(r),
		  log_text("error.message", sqlite3_errmsg(handle)),
		  log_int("db.response.status_code", code), log_text("db.query.text", sql));
	return r;
}

int sqlite_statement_error(struct sqlite_conn *self, int code, const char *sql)
{
	int r = sqlite_report(self->handle, code, sql);
	if (sqlite3_get_autocommit(self->handle))
		self->conn.failed = r;
	return r;
}

static int control(struct sqlite_conn *self, enum sqlite_control which)
{
	sqlite3_step(self->control[which]);
	int code = sqlite3_reset(self->control[which]);
	return code ? sqlite_report(self->handle, code, sqlite_control_sql[which]) : 0;
}

static int sqlite_begin(struct db_conn *conn, enum db_begin kind)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	if (kind == DB_BEGIN_READ)
		return control(self, CONTROL_BEGIN);
	int r = sqlite_files_check(&self->store->files, false);
	if (r)
		return r;
	if (kind == DB_BEGIN_WRITE)
		return control(self, CONTROL_BEGIN_IMMEDIATE);
	sqlite3_busy_timeout(self->handle, MIGRATION_WAIT);
	r = control(self, CONTROL_BEGIN_IMMEDIATE);
	sqlite3_busy_timeout(self->handle, self->busy_timeout);
	return r;
}

static int sqlite_commit(struct db_conn *conn)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	self->logged = false;
	int r = control(self, CONTROL_COMMIT);
	/* Writes to a file that was removed succeed like any other. */
	return r || !self->writes ? r : sqlite_files_check(&self->store->files, self->logged);
}

static bool sqlite_in_transaction(struct db_conn *conn)
{
	return !sqlite3_get_autocommit(sqlite_conn(conn)->handle);
}

static void sqlite_rollback(struct db_conn *conn)
{
	if (sqlite_in_transaction(conn))
		control(sqlite_conn(conn), CONTROL_ROLLBACK);
}

static int is_over(void *argument)
{
	struct sqlite_conn *self = argument;
	int64_t now = clock_monotonic();
	if (now < self->look_at)
		return 0;
	self->look_at = now + WATCH_INTERVAL;
	return self->watch->look(self->watch->argument) != 0;
}

static void sqlite_watch(struct db_conn *conn, const struct db_watch *watch)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	self->watch = watch;
	self->look_at = 0;
	sqlite3_progress_handler(self->handle, watch ? WATCH_STEPS : 0, watch ? is_over : NULL,
				 self);
}

static int sqlite_savepoint(struct db_conn *conn, const char *sql, UNUSED bool undo)
{
	int64_t r = sqlite_run(conn, sql, DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

static int sqlite_script(struct db_conn *conn, const char *sql)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	int code = sqlite3_exec(self->handle, sql, NULL, NULL, NULL);
	return code ? sqlite_statement_error(self, code, sql) : 0;
}

static const char *sqlite_message(struct db_conn *conn)
{
	return sqlite3_errmsg(sqlite_conn(conn)->handle);
}

static bool exec(struct sqlite_conn *self, const char *sql)
{
	int code = sqlite3_exec(self->handle, sql, NULL, NULL, NULL);
	if (code)
		sqlite_report(self->handle, code, sql);
	return !code;
}

static bool set_pragma(struct sqlite_conn *self, const char *pragma, int number)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA %s = %d", pragma, number);
	return exec(self, sql);
}

/* Gives the database its identity, once: it distinguishes this database from another one written
 * over it. A transaction, as another process may do the same at this moment. */
static void identify(struct sqlite_conn *self)
{
	int identity = 0;
	if (!exec(self, "BEGIN IMMEDIATE"))
		return;
	if (!sqlite_pragma(self->handle, "PRAGMA application_id", &identity) && !identity)
		set_pragma(self, "application_id", 1 + (int)random_below(INT32_MAX - 1));
	if (!exec(self, "COMMIT"))
		exec(self, "ROLLBACK");
}

/* True: the whole log is in the file. */
static bool checkpoint(struct sqlite_conn *self)
{
	bool restart = self->frames >= RESTART_FRAMES;
	int frames = -1;
	int copied = -1;
	sqlite3_busy_timeout(self->handle, restart ? RESTART_WAIT : CHECKPOINT_WAIT);
	int code = sqlite3_wal_checkpoint_v2(
		self->handle, NULL, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_FULL,
		&frames, &copied);
	sqlite3_busy_timeout(self->handle, self->busy_timeout);
	if (code && (code & 0xff) != SQLITE_BUSY)
		sqlite_report(self->handle, code, "checkpoint");
	/* Both are -1 if another program's checkpoint was in the way. */
	return frames >= 0 && copied == frames;
}

static bool checkpoint_is_due(const struct sqlite_conn *self)
{
	bool first = !self->marked && !self->checkpointed;
	return first || self->frames - self->checkpointed >= CHECKPOINT_FRAMES;
}

/*
 * While a worker runs, the database file is complete only together with its log. Each checkpoint
 * leaves a mark in the file, by which a copy made without the log is recognised later. The next
 * change, in the log, removes the mark again. Whoever reads both files, as SQLite's backup does,
 * sees the mark only if the reading began during a checkpoint.
 */
static void sqlite_maintain(struct db_conn *conn)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	if (self->frames < self->checkpointed)
		self->checkpointed = 0; /* the log has started again */
	if (!checkpoint_is_due(self))
		return;
	if (sqlite_files_check(&self->store->files, false))
		return;
	if (!self->marked)
		identify(self);
	bool marked = set_pragma(self, "user_version", SQLITE_MARK) && checkpoint(self);
	bool taken_away = set_pragma(self, "user_version", 0);
	self->marked = marked && taken_away;
	self->checkpointed = taken_away ? self->frames : 0;
}

static int sqlite_intact(void *shared)
{
	struct sqlite_store *store = shared;
	return sqlite_files_check(&store->files, false);
}

static bool sqlite_lacks_log(const void *shared)
{
	const struct sqlite_store *store = shared;
	return store->lacks_log;
}

const struct db_driver sqlite_driver = {
	.scheme = "sqlite",
	.dialect = DB_SQLITE,
	.writers = 1,
	.group_limit = GROUP_LIMIT,
	.describe = sqlite_describe,
	.share = sqlite_share,
	.unshare = sqlite_unshare,
	.intact = sqlite_intact,
	.lacks_log = sqlite_lacks_log,
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.in_transaction = sqlite_in_transaction,
	.watch = sqlite_watch,
	.savepoint = sqlite_savepoint,
	.script = sqlite_script,
	.message = sqlite_message,
	.maintain = sqlite_maintain,
	.session = sqlite_session,
	.session_ended = sqlite_session_ended,
	.run = sqlite_run,
	.query = sqlite_query,
	.next = sqlite_next,
	.column_int = sqlite_column_int,
	.column_text = sqlite_column_text,
	.column_is_null = sqlite_column_is_null,
	.rows_close = sqlite_rows_close,
};
