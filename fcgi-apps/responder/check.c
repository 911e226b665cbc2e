#include "responder/check.h"

static const struct check shared[] = {
	{
		.rule = "file-intact",
		.sql = "SELECT 'database', integrity_check FROM pragma_integrity_check"
		       " WHERE integrity_check <> 'ok'",
		.sqlite_only = true,
	},
	{
		.rule = "references-exist",
		.sql = "SELECT \"table\", 'row ' || coalesce(rowid, '?') || ' refers to a row that"
		       " is not in ' || parent FROM pragma_foreign_key_check",
		.sqlite_only = true,
	},
	{
		.rule = "keys-are-answered",
		.sql = "SELECT key, operation || ' with this Idempotency-Key has no answer after '"
		       " || (($1 - created_at) / 60000000) || ' minutes'"
		       " FROM idempotency_keys WHERE status = 0"
		       " AND created_at + " CHECK_PATIENCE " < $1 ORDER BY operation, key",
		.dated = true,
	},
};

struct run {
	const struct check *checks;
	size_t count;
	int64_t now;
	check_visitor *visit;
	void *context;
	int64_t violations;
};

static const char *text_of(struct db_rows *rows, int column)
{
	const char *text = db_column_text(rows, column, NULL);

	return text ? text : "";
}

static int run_one(struct db_conn *conn, struct run *run, const struct check *check)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_value now = db_int(run->now);

	if (db_dialect(conn) == DB_SQLITE ? check->postgres_only : check->sqlite_only)
		return 0;
	int r = db_query(conn, check->sql, &now, check->dated ? 1 : 0, &rows);
	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		run->violations++;
		run->visit(run->context, check->rule, text_of(rows, 0), text_of(rows, 1));
	}
	return r;
}

static int run_all(struct db_conn *conn, void *argument)
{
	struct run *run = argument;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(shared); i++)
		r = run_one(conn, run, &shared[i]);
	for (size_t i = 0; r == 0 && i < run->count; i++)
		r = run_one(conn, run, &run->checks[i]);
	return r;
}

int64_t check_run(struct db *db, const struct check *checks, size_t count, int64_t now,
		  check_visitor *visit, void *context)
{
	struct run run = {checks, count, now, visit, context, 0};

	if (db_lacks_log(db)) {
		run.violations++;
		visit(context, "file-whole", "database",
		      "was copied from a running worker without its -wal file, or that was deleted:"
		      " what was written last is missing");
	}
	int r = db_read(db, run_all, &run);
	return r < 0 ? r : run.violations;
}
