#include "storage/migrate.h"

#include "base/clock.h"
#include "base/log.h"

struct plan {
	const struct db_migration *migrations;
	size_t count;
	char *reterr_message;
	size_t error_size;
	bool begun;    /* the last transaction began, so it holds the migration lock */
	bool complete; /* no migration is missing */
};

/* For a migration that keeps running into deadlocks. */
#define TRIES 10

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				   " version BIGINT PRIMARY KEY,"
				   " name TEXT NOT NULL,"
				   " applied_at BIGINT NOT NULL)";

static int make_plan(struct plan *plan, const struct db_migration *migrations, size_t count,
		     char *reterr_message, size_t error_size)
{
	*plan = (struct plan){.migrations = migrations,
			      .count = count,
			      .reterr_message = reterr_message,
			      .error_size = error_size};
	for (size_t i = 0; i < count; i++) {
		if (migrations[i].version == (int)i + 1)
			continue;
		snprintf(reterr_message, error_size,
			 "migration \"%s\" has version %d where %zu is expected",
			 migrations[i].name, migrations[i].version, i + 1);
		return -EINVAL;
	}
	return 0;
}

static int store_error(struct plan *plan, struct db_conn *conn, int error)
{
	snprintf(plan->reterr_message, plan->error_size, "cannot read the schema's version: %s",
		 conn->driver->message(conn));
	return error;
}

/* Compares the migrations in the database with the list; *ret_version: how many it has. */
static int read_version(struct plan *plan, struct db_conn *conn, size_t *ret_version)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn,
			 "SELECT version, name, (SELECT max(version) FROM schema_migrations)"
			 " FROM schema_migrations ORDER BY version",
			 DB_NO_VALUES, &rows);
	if (r < 0)
		return store_error(plan, conn, r);
	size_t version = 0;
	for (; (r = db_next(rows)) > 0; version++) {
		const char *name = db_column_text(rows, 1, NULL);
		if (version >= plan->count) {
			snprintf(plan->reterr_message, plan->error_size,
				 "the database is newer than this program: it has schema version "
				 "%lld, the program knows %zu",
				 (long long)db_column_int(rows, 2), plan->count);
			return -EINVAL;
		}
		if (db_column_int(rows, 0) != plan->migrations[version].version || !name ||
		    strcmp(name, plan->migrations[version].name) != 0) {
			snprintf(plan->reterr_message, plan->error_size,
				 "the database is not this program's: its schema version %lld is "
				 "\"%s\", not \"%s\"",
				 (long long)db_column_int(rows, 0), name ? name : "",
				 plan->migrations[version].name);
			return -EINVAL;
		}
	}
	if (r < 0)
		return store_error(plan, conn, r);
	*ret_version = version;
	return 0;
}

static int apply(struct plan *plan, struct db_conn *conn, const struct db_migration *migration)
{
	const char *dialect_sql =
		conn->driver->dialect == DB_SQLITE ? migration->sqlite : migration->postgres;
	int64_t r = 0;
	if (migration->sql)
		r = conn->driver->script(conn, migration->sql);
	if (!r && dialect_sql)
		r = conn->driver->script(conn, dialect_sql);
	if (!r)
		r = db_run(conn,
			   "INSERT INTO schema_migrations (version, name, applied_at)"
			   " VALUES ($1, $2, $3)",
			   DB_VALUES(db_int(migration->version), db_text(migration->name),
				     db_int(clock_now())));
	if (r < 0) {
		snprintf(plan->reterr_message, plan->error_size, "migration %d (%s) failed: %s",
			 migration->version, migration->name, conn->driver->message(conn));
		return (int)r;
	}
	log_write(LOG_INFO, "schema migrated", log_int("db.schema.version", migration->version),
		  log_text("db.schema.name", migration->name));
	return 0;
}

/* Refuses the tables of a program that knows no migrations: its tables and ours would get mixed up.
 * Tables of PostgreSQL extensions do not count. */
static int refuse_foreign(struct plan *plan, struct db_conn *conn)
{
	static const char in_sqlite[] =
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
		" AND name <> 'schema_migrations' ORDER BY name LIMIT 1";
	static const char in_postgres[] =
		"SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p')"
		" AND relnamespace = current_schema()::regnamespace"
		" AND relname <> 'schema_migrations'"
		" AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid"
		"  AND classid = 'pg_class'::regclass AND deptype = 'e')"
		" ORDER BY relname LIMIT 1";
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, conn->driver->dialect == DB_SQLITE ? in_sqlite : in_postgres,
			     DB_NO_VALUES, &rows);
	if (r == -ENOENT)
		return 0;
	if (r)
		return store_error(plan, conn, r);
	snprintf(plan->reterr_message, plan->error_size,
		 "the database is not this program's: it has a table \"%s\", and no schema version",
		 db_column_text(rows, 0, NULL));
	return -EINVAL;
}

/* Applies all migrations to a new database, but only one at a time to a database in use. */
static int apply_next(struct db_conn *conn, void *argument)
{
	struct plan *plan = argument;
	size_t version = 0;
	int r = conn->driver->script(conn, create_table);
	if (r)
		return store_error(plan, conn, r);
	r = read_version(plan, conn, &version);
	if (!r && version == 0 && plan->count > 0)
		r = refuse_foreign(plan, conn);
	size_t end = version == 0 || version == plan->count ? plan->count : version + 1;
	for (; !r && version < end; version++)
		r = apply(plan, conn, &plan->migrations[version]);
	plan->complete = version == plan->count;
	return r;
}

static int run_next(struct db_conn *conn, struct plan *plan)
{
	int r = conn->driver->begin(conn, DB_BEGIN_MIGRATION);
	plan->begun = r == 0;
	if (r) {
		snprintf(plan->reterr_message, plan->error_size, "cannot lock the schema: %s",
			 conn->driver->message(conn));
		return r;
	}
	r = db_call(conn, apply_next, plan);
	if (!r) {
		r = conn->driver->commit(conn);
		if (r)
			snprintf(plan->reterr_message, plan->error_size,
				 "cannot commit the schema: %s", conn->driver->message(conn));
	}
	if (r)
		conn->driver->rollback(conn);
	return r;
}

int migrate(struct db_conn *conn, const struct db_migration *migrations, size_t count,
	    char *reterr_message, size_t error_size)
{
	struct plan plan;
	int r = make_plan(&plan, migrations, count, reterr_message, error_size);
	int tries = 0;
	while (!r && !plan.complete) {
		r = run_next(conn, &plan);
		/* A deadlock with running workers. */
		if (r == -EAGAIN && plan.begun && ++tries < TRIES)
			r = 0;
	}
	return r;
}

static int compare(struct db_conn *conn, void *argument)
{
	struct plan *plan = argument;
	size_t version = 0;
	int r = read_version(plan, conn, &version);
	if (r || version == plan->count)
		return r;
	snprintf(plan->reterr_message, plan->error_size,
		 "the database has schema version %zu, this program's is %zu: it migrates when it "
		 "starts as a service",
		 version, plan->count);
	return -EINVAL;
}

int migrate_compare(struct db_conn *conn, const struct db_migration *migrations, size_t count,
		    char *reterr_message, size_t error_size)
{
	struct plan plan;
	int r = make_plan(&plan, migrations, count, reterr_message, error_size);
	if (r)
		return r;
	r = conn->driver->begin(conn, DB_BEGIN_READ);
	if (r)
		return store_error(&plan, conn, r);
	r = db_call(conn, compare, &plan);
	conn->driver->rollback(conn);
	return r;
}
