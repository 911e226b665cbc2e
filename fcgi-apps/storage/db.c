#include "storage/db.h"

#include <assert.h>

#include "storage/batch.h"
#include "storage/driver.h"
#include "storage/migrate.h"
#include "storage/opener.h"
#include "storage/pool.h"
#include "storage/writer.h"

#define WRITERS_MAX 8

static const struct db_driver *const drivers[] = {&sqlite_driver, &postgres_driver};

struct db {
	const struct db_driver *driver;
	void *shared; /* belongs to the driver */
	struct writer *writer;
	struct pool readers;
	struct opener *opener; /* opens the connections that are still missing; NULL: none are */
};

/* How many of the connections db_open() itself opens. */
static size_t at_first(const struct db *db, size_t count)
{
	return db->driver->gradual ? 1 : count;
}

static bool has_scheme(const char *url, const char *scheme)
{
	size_t length = strlen(scheme);
	return strncmp(url, scheme, length) == 0 && strncmp(url + length, "://", 3) == 0;
}

/* Messages never repeat the URL: it may hold a password. */
static int find_driver(const char *url, const struct db_driver **ret_driver, char *reterr_message,
		       size_t error_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (has_scheme(url, drivers[i]->scheme) ||
		    (drivers[i]->alias && has_scheme(url, drivers[i]->alias))) {
			*ret_driver = drivers[i];
			return 0;
		}
	}
	snprintf(reterr_message, error_size,
		 "the database URL is not of the form sqlite:///path/file.db or "
		 "postgresql://user:password@host/database");
	return -EINVAL;
}

static int start_writer(struct db *db, const struct db_options *options, char *reterr_message,
			size_t error_size)
{
	struct db_conn *conns[WRITERS_MAX] = {0};
	size_t opened = 0;
	int r = 0;
	assert(db->driver->writers >= 1 && db->driver->writers <= WRITERS_MAX);
	while (!r && opened < at_first(db, db->driver->writers)) {
		r = db->driver->open(options, db->shared, DB_WRITER, &conns[opened], reterr_message,
				     error_size);
		if (!r)
			opened++;
	}
	if (!r)
		r = migrate(conns[0], options->migrations, options->migration_count, reterr_message,
			    error_size);
	if (!r) {
		r = writer_start(db->driver, conns, opened, options, &db->writer);
		if (r)
			snprintf(reterr_message, error_size, "cannot start the database's writer");
	}
	while (r && opened > 0)
		db->driver->close(conns[--opened]);
	return r;
}

static int open_readers(struct db *db, const struct db_options *options, char *reterr_message,
			size_t error_size)
{
	int r = 0;
	for (size_t i = 0; !r && i < at_first(db, options->readers); i++) {
		struct db_conn *conn;
		r = db->driver->open(options, db->shared, DB_READER, &conn, reterr_message,
				     error_size);
		if (!r)
			pool_add(&db->readers, conn);
	}
	return r;
}

static int open_others(struct db *db, const struct db_options *options, char *reterr_message,
		       size_t error_size)
{
	size_t readers = options->readers - db->readers.size;
	size_t writers = db->writer ? db->driver->writers - at_first(db, db->driver->writers) : 0;
	if (readers + writers == 0)
		return 0;
	int r = opener_start(options, db->driver, db->shared, &db->readers, readers, db->writer,
			     writers, &db->opener);
	if (r)
		snprintf(reterr_message, error_size, "cannot start the opener of connections");
	return r;
}

int db_open(const struct db_options *options, struct db **ret_db, char *reterr_message,
	    size_t error_size)
{
	const struct db_driver *driver;
	assert(options->readers >= 1 && options->readers <= 64);
	int r = find_driver(options->url, &driver, reterr_message, error_size);
	if (r)
		return r;
	struct db *db = calloc(1, sizeof(*db));
	if (!db) {
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	db->driver = driver;
	pool_init(&db->readers, options->busy_timeout);
	if (driver->share)
		r = driver->share(options, &db->shared, reterr_message, error_size);
	if (!r && !options->read_only)
		r = start_writer(db, options, reterr_message, error_size);
	if (!r)
		r = open_readers(db, options, reterr_message, error_size);
	if (!r && options->read_only && options->migrations)
		r = migrate_compare(db->readers.idle, options->migrations, options->migration_count,
				    reterr_message, error_size);
	if (!r)
		r = open_others(db, options, reterr_message, error_size);
	if (r) {
		db_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

int db_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		size_t error_size)
{
	const struct db_driver *driver;
	int r = find_driver(url, &driver, reterr_message, error_size);
	return r ? r : driver->describe(url, ret_text, size, reterr_message, error_size);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	opener_stop(db->opener);
	pool_release(&db->readers);
	/* Stopped last: SQLite checkpoints when its last connection closes, which must be able to
	 * write. */
	writer_stop(db->writer);
	if (db->shared)
		db->driver->unshare(db->shared);
	free(db);
}

int db_read(struct db *db, db_function *function, void *argument)
{
	return db_read_watched(db, function, argument, NULL);
}

int db_read_watched(struct db *db, db_function *function, void *argument,
		    const struct db_watch *watch)
{
	struct db_conn *conn;
	int r = pool_take(&db->readers, &conn);
	if (r)
		return r;
	r = db->driver->begin(conn, DB_BEGIN_READ);
	if (!r) {
		db->driver->watch(conn, watch);
		r = db_call(conn, function, argument);
		db->driver->watch(conn, NULL);
		db_end_reading(conn);
	}
	pool_return(&db->readers, conn);
	int over = r < 0 && watch ? watch->look(watch->argument) : 0;
	return over ? over : r;
}

static int read_alone(struct db_conn *conn, void *argument)
{
	const struct db_batched *read = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	db_last(conn);
	int r = db_query_statement(conn, &read->statement, &rows);
	return r ? r : read->answer(read->argument, rows);
}

void db_read_batch(struct db *db, struct db_batched *reads, size_t count)
{
	struct batch batch = {.reads = reads, .count = count};
	int r = 0;
	for (size_t i = 0; i < count; i++)
		reads[i].state = DB_BATCHED;
	if (count > 1 && db->driver->ask)
		r = db_read(db, batch_read, &batch);
	/* Where none could begin together, each of them would wait as long in vain. */
	int failed = batch.begun ? 0 : r;
	for (size_t i = 0; i < count; i++) {
		struct db_batched *read = &reads[i];
		if (read->state != DB_BATCHED_DONE)
			read->done(read->argument, failed ? failed : db_read(db, read_alone, read));
	}
}

enum db_dialect db_dialect_of(const struct db *db)
{
	return db->driver->dialect;
}

size_t db_batch_limit(const struct db *db)
{
	return db->driver->ask ? DB_BATCH_MAX : 1;
}

int db_transaction(struct db *db, db_function *function, void *argument)
{
	assert(db->writer);
	return writer_run(db->writer, function, argument);
}

int db_submit(struct db *db, struct db_job *job)
{
	assert(db->writer);
	return writer_submit(db->writer, job);
}

static int read_something(struct db_conn *conn, UNUSED void *argument)
{
	int64_t version;
	return db_query_int(conn, "SELECT max(version) FROM schema_migrations", DB_NO_VALUES,
			    &version);
}

int db_ping(struct db *db)
{
	int r = db_read(db, read_something, NULL);
	return r || !db->driver->intact ? r : db->driver->intact(db->shared);
}

bool db_lacks_log(const struct db *db)
{
	return db->driver->lacks_log && db->driver->lacks_log(db->shared);
}

void db_stats(struct db *db, struct db_stats *ret_stats)
{
	writer_stats(db->writer, ret_stats);
	pool_stats(&db->readers, ret_stats);
}
