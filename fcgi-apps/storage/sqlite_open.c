#include "storage/sqlite.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Kilobytes of page cache. The kernel's cache serves reads anyway. */
#define WRITER_CACHE  1536
#define READERS_CACHE 1024 /* for all readers together */
#define READER_CACHE  64   /* the least for one reader */

/* How many bytes of a job's undo log stay in memory; the rest goes into a temporary file. The pages
 * that a request changes fit. With SQLite's default of 64 KiB they do not, and the file costs a
 * quarter of a POST's processor time. SQLite writes the whole buffer at once when it creates the
 * file, and its write fails from 128 KiB on (SQLITE_FULL, in 3.40). */
#define UNDO_IN_MEMORY (124 << 10)

#define PATH_LIMIT 4096

static void start_library(void)
{
	/* Statistics take a global lock at every allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, UNDO_IN_MEMORY);
	sqlite3_initialize();
}

/* sqlite:///a/b.db is ./a/b.db, sqlite:////a/b.db is /a/b.db. The leading "./" or "/" keeps names
 * like ":memory:" from having a special meaning. */
static int parse_url(const char *url, char path[PATH_LIMIT], char *reterr_message,
		     size_t error_size)
{
	static const char prefix[] = "sqlite:///";
	if (strncmp(url, prefix, strlen(prefix)) != 0) {
		snprintf(reterr_message, error_size,
			 "a SQLite URL has three slashes: %spath/file.db", prefix);
		return -EINVAL;
	}
	const char *name = url + strlen(prefix);
	if (!*name || strpbrk(name, "?#") || name[strlen(name) - 1] == '/') {
		snprintf(reterr_message, error_size,
			 "the database URL must name a file, without options: %spath/file.db",
			 prefix);
		return -EINVAL;
	}
	int length = snprintf(path, PATH_LIMIT, "%s%s", *name == '/' ? "" : "./", name);
	if (length >= PATH_LIMIT) {
		snprintf(reterr_message, error_size, "the path of the database is too long");
		return -EINVAL;
	}
	return 0;
}

/* Creates the file's folder, but not its parents. If that fails, opening the file reports it. */
static void make_folder(const char *path)
{
	char folder[PATH_LIMIT];
	size_t length = (size_t)(strrchr(path, '/') - path);
	memcpy(folder, path, length);
	folder[length] = '\0';
	if (length > 0 && mkdir(folder, 0700) == 0)
		log_write(LOG_INFO, "folder created for the database",
			  log_text("file.path", folder));
}

static int set_up(struct sqlite_conn *self, const struct db_options *options, enum db_role role)
{
	char sql[256];
	/* A savepoint's undo log is as large as its changes, and a new index needs a sort: both go
	 * to files. */
	const char *temporary = role == DB_WRITER ? "FILE" : "MEMORY";
	int64_t share = READERS_CACHE / (int64_t)options->readers;
	int64_t cache = role == DB_WRITER      ? WRITER_CACHE
			: share > READER_CACHE ? share
					       : READER_CACHE;
	snprintf(sql, sizeof(sql),
		 "PRAGMA cache_size=-%lld; PRAGMA temp_store=%s; PRAGMA foreign_keys=ON;"
		 "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d;%s",
		 (long long)cache, temporary, SQLITE_LOG_LIMIT,
		 role == DB_READER ? "PRAGMA query_only=ON;" : "");
	/* A name in double quotes is a column, never a text. */
	sqlite3_db_config(self->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(self->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	int code = sqlite3_exec(self->handle, sql, NULL, NULL, NULL);
	if (!code)
		code = sqlite_add_fts_functions(self->handle);
	for (int i = 0; i < CONTROLS && !code; i++)
		code = sqlite3_prepare_v3(self->handle, sqlite_control_sql[i], -1,
					  SQLITE_PREPARE_PERSISTENT, &self->control[i], NULL);
	return code;
}

/* The mode is stored in the file. In some cases SQLite does not wait for the lock that changing it
 * needs, in spite of the busy time-out: another process may be starting on the same new file. */
static int set_wal(struct sqlite_conn *self)
{
	int64_t deadline = clock_monotonic() + (int64_t)self->busy_timeout * 1000;
	for (;;) {
		sqlite3_stmt *statement;
		int code = sqlite3_prepare_v2(self->handle, "PRAGMA journal_mode=WAL", -1,
					      &statement, NULL);
		if (!code)
			code = sqlite3_step(statement);
		if (code == SQLITE_ROW) {
			const char *mode = (const char *)sqlite3_column_text(statement, 0);
			code = mode && strcmp(mode, "wal") == 0 ? SQLITE_OK : SQLITE_CANTOPEN;
		}
		sqlite3_finalize(statement);
		if ((code & 0xff) != SQLITE_BUSY || clock_monotonic() >= deadline)
			return code;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

static int note_frames(void *argument, UNUSED sqlite3 *handle, UNUSED const char *name, int frames)
{
	struct sqlite_conn *self = argument;
	self->frames = frames;
	self->logged = true;
	return SQLITE_OK;
}

int sqlite_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		    size_t error_size)
{
	char path[PATH_LIMIT];
	int r = parse_url(url, path, reterr_message, error_size);
	if (r)
		return r;
	char *file = strrchr(path, '/');
	*file++ = '\0';
	char *folder = realpath(*path ? path : "/", NULL);
	/* The folder may not exist yet. */
	if (!folder && *path == '.') {
		char *here = get_current_dir_name();
		if (!here || asprintf(&folder, "%s%s", here, path + 1) < 0)
			folder = NULL;
		free(here);
	}
	snprintf(ret_text, size, "sqlite:///%s/%s", folder ? folder : path, file);
	free(folder);
	return 0;
}

int sqlite_share(const struct db_options *options, void **ret_shared, char *reterr_message,
		 size_t error_size)
{
	struct sqlite_store *store = calloc(1, sizeof(*store));
	if (!store) {
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	store->begins_session = options->session;
	store->sessions = -1;
	sqlite_files_init(&store->files);
	*ret_shared = store;
	return 0;
}

void sqlite_unshare(void *shared)
{
	struct sqlite_store *store = shared;
	if (store->sessions >= 0)
		close(store->sessions);
	sqlite_files_release(&store->files);
	free(store);
}

void sqlite_close(struct db_conn *conn)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	/* The last connection to close writes the log into the database and deletes the log by
	 * name. */
	if (self->writes && sqlite_files_check(&self->store->files, false))
		sqlite3_db_config(self->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	statements_release(&self->statements);
	for (int i = 0; i < CONTROLS; i++)
		sqlite3_finalize(self->control[i]);
	sqlite3_close(self->handle);
	free(self);
}

/* Only for a database that exists. */
static bool has_no_log(const char *path)
{
	char log[PATH_LIMIT + 8];
	char *real = realpath(path, NULL);
	snprintf(log, sizeof(log), "%s-wal", real ? real : path);
	bool missing = real && access(log, F_OK) < 0;
	free(real);
	return missing;
}

int sqlite_pragma(sqlite3 *handle, const char *sql, int *ret_number)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
	if (!code)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*ret_number = sqlite3_column_int(statement, 0);
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return code;
}

/* If there is a log, a crash left the mark: remove it before the log is gone. */
static int look_at_mark(struct sqlite_conn *self, bool alone, enum db_role role)
{
	int version = 0;
	int code = sqlite_pragma(self->handle, "PRAGMA user_version", &version);
	if (code || version != SQLITE_MARK)
		return code;
	if (alone)
		self->store->lacks_log = true;
	else if (role == DB_WRITER)
		code = sqlite3_exec(self->handle, "PRAGMA user_version = 0", NULL, NULL, NULL);
	return code;
}

static int prepare_writing(struct sqlite_conn *self, const char *path, char *reterr_message,
			   size_t error_size)
{
	struct sqlite_store *store = self->store;
	sqlite3_wal_hook(self->handle, note_frames, self);
	int r = sqlite_files_note(&store->files, path, self->handle);
	if (r) {
		snprintf(reterr_message, error_size, "cannot look at the files of %s: %s", path,
			 strerrorname_np(-r));
		return r;
	}
	self->writes = true;
	if (store->lacks_log)
		log_write(LOG_ERROR,
			  "the database was copied from a running worker without its -wal file, or"
			  " that was deleted: what was written last is missing",
			  log_text("file.path", path));
	if (store->begins_session)
		sqlite_begin_session(store, path);
	return 0;
}

static int why_not_writable(const char *path, int otherwise)
{
	char folder[PATH_LIMIT];
	if (access(path, F_OK) == 0 && access(path, W_OK) < 0)
		return errno;
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
	return access(folder, W_OK) < 0 ? errno : otherwise;
}

static void explain(struct sqlite_conn *self, const char *path, int code, char *reterr_message,
		    size_t error_size)
{
	char buffer[128];
	int cause = sqlite3_system_errno(self->handle);
	/* SQLite retries read-only and reports the error of that attempt. */
	if (code == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY)
		cause = why_not_writable(path, cause);
	const char *reason = cause ? strerror_r(cause, buffer, sizeof(buffer)) : "no system error";
	snprintf(reterr_message, error_size, "cannot open %s: %s (%s)", path, sqlite3_errstr(code),
		 reason);
}

int sqlite_open(const struct db_options *options, void *shared, enum db_role role,
		struct db_conn **ret_conn, char *reterr_message, size_t error_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char path[PATH_LIMIT];
	pthread_once(&once, start_library);
	int r = parse_url(options->url, path, reterr_message, error_size);
	if (r)
		return r;
	struct sqlite_conn *self = calloc(1, sizeof(*self));
	if (!self) {
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	self->conn.driver = &sqlite_driver;
	self->store = shared;
	self->busy_timeout = (int)(options->busy_timeout / 1000);
	statements_init(&self->statements, sqlite_statement_free);
	if (role == DB_WRITER)
		make_folder(path);
	/* Also for readers: they may have to create the log's index. query_only keeps them from
	 * writing. */
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (!options->read_only)
		flags |= SQLITE_OPEN_CREATE;
	bool alone = !self->store->opened && has_no_log(path);
	int code = sqlite3_open_v2(path, &self->handle, flags, NULL);
	if (!code) {
		sqlite3_extended_result_codes(self->handle, 1);
		sqlite3_busy_timeout(self->handle, self->busy_timeout);
		code = set_up(self, options, role);
	}
	if (!code && role == DB_WRITER)
		code = set_wal(self);
	if (!code)
		code = look_at_mark(self, alone, role);
	if (!code && role == DB_WRITER)
		r = prepare_writing(self, path, reterr_message, error_size);
	if (code) {
		explain(self, path, code, reterr_message, error_size);
		r = sqlite_error(code);
	}
	if (r) {
		sqlite_close(&self->conn);
		return r;
	}
	self->store->opened = true;
	*ret_conn = &self->conn;
	return 0;
}
