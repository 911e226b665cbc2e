#include "storage/copy.h"

#include <inttypes.h>

#include "base/text.h"
#include "storage/driver.h"

/* Whether an attribute is copied: not if it is derived from others. */
#define COPIED                                                                                     \
	"attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"        \
	" AND col_description(attrelid, attnum) IS DISTINCT FROM 'derived'"

/* Rows and values of one INSERT: both stay below the limit of a statement's parameters. */
#define BATCH_ROWS   50
#define BATCH_VALUES 900

#define SQL_LIMIT 65536

struct copy {
	struct db *source;
	struct db_conn *target;
	int64_t rows;
	char *reterr_message;
	size_t error_size;
};

/* All tables except the list of migrations and those whose comment is 'derived', referenced tables
 * before those that refer to them. Names come quoted. */
static const char list_tables[] =
	"WITH RECURSIVE deep(id, level) AS ("
	" SELECT pg_class.oid, 0 FROM pg_class"
	"  JOIN pg_namespace ON pg_namespace.oid = relnamespace"
	"  WHERE relkind = 'r' AND nspname = current_schema() AND relname <> 'schema_migrations'"
	"  AND obj_description(pg_class.oid, 'pg_class') IS DISTINCT FROM 'derived'"
	" UNION SELECT conrelid, level + 1 FROM deep"
	"  JOIN pg_constraint ON confrelid = id AND contype = 'f' AND conrelid <> confrelid)"
	" SELECT quote_ident(relname),"
	"  (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
	"   WHERE " COPIED "),"
	"  (SELECT count(*) FROM pg_attribute WHERE " COPIED "),"
	"  (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = pg_class.oid"
	"   AND attidentity <> '' AND NOT attisdropped)"
	" FROM pg_class JOIN (SELECT id, max(level) AS level FROM deep GROUP BY id) AS ordered"
	" ON id = pg_class.oid ORDER BY level, relname";

struct table {
	const char *name;
	const char *columns; /* separated by commas */
	size_t column_count;
	const char *identity; /* or NULL */
};

static struct table table_of(struct db_rows *rows)
{
	return (struct table){
		.name = db_column_text(rows, 0, NULL),
		.columns = db_column_text(rows, 1, NULL),
		.column_count = (size_t)db_column_int(rows, 2),
		.identity = db_column_text(rows, 3, NULL),
	};
}

static int refuse(struct copy *copy, int error, const struct table *table, const char *reason)
{
	snprintf(copy->reterr_message, copy->error_size, "table %s: %s", table->name, reason);
	return error;
}

static int refused_by(struct copy *copy, struct db_conn *conn, int error, const struct table *table)
{
	return refuse(copy, error, table, conn->driver->message(conn));
}

static int run(struct copy *copy, const struct table *table, const struct text *sql)
{
	int64_t r = text_error(sql);
	if (!r)
		r = db_run(copy->target, text_string(sql), DB_NO_VALUES);
	return r < 0 ? refused_by(copy, copy->target, (int)r, table) : 0;
}

static int count_rows(struct copy *copy, struct db_conn *conn, const struct table *table,
		      int64_t *ret_number)
{
	char sql[256];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table->name);
	int r = db_query_int(conn, sql, DB_NO_VALUES, ret_number);
	return r ? refused_by(copy, conn, r, table) : 0;
}

static int lock_empty(struct copy *copy, const struct table *table)
{
	struct text sql CLEANUP(text_release) = TEXT_INIT(SQL_LIMIT);
	int64_t rows = 0;
	text_printf(&sql, "LOCK TABLE %s IN EXCLUSIVE MODE", table->name);
	int r = run(copy, table, &sql);
	if (!r)
		r = count_rows(copy, copy->target, table, &rows);
	if (r || rows == 0)
		return r;
	return refuse(copy, -EEXIST, table, "has rows already: the target must be empty");
}

/* ---- rows ---- */

struct batch {
	struct copy *copy;
	const struct table *table;
	size_t row_count;
	size_t value_count;
	struct db_value values[BATCH_VALUES]; /* their texts belong to the batch */
};

static void batch_empty(struct batch *batch)
{
	for (size_t i = 0; i < batch->value_count; i++)
		free((char *)batch->values[i].text);
	batch->value_count = 0;
	batch->row_count = 0;
}

static void write_insert(const struct batch *batch, struct text *sql)
{
	size_t number = 0;
	text_printf(sql, "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES ", batch->table->name,
		    batch->table->columns);
	for (size_t row = 0; row < batch->row_count; row++) {
		text_append_string(sql, row ? ", (" : "(");
		for (size_t column = 0; column < batch->table->column_count; column++)
			text_printf(sql, "%s$%zu", column ? ", " : "", ++number);
		text_append_char(sql, ')');
	}
}

static int batch_flush(struct batch *batch)
{
	struct copy *copy = batch->copy;
	struct text sql CLEANUP(text_release) = TEXT_INIT(SQL_LIMIT);
	if (!batch->row_count)
		return 0;
	write_insert(batch, &sql);
	int64_t r = text_error(&sql);
	if (!r)
		r = db_run(copy->target, text_string(&sql), batch->values, batch->value_count);
	if (r < 0)
		return refused_by(copy, copy->target, (int)r, batch->table);
	batch_empty(batch);
	return 0;
}

/* Every value travels as text; the target knows the column types. */
static int batch_add(struct batch *batch, struct db_rows *rows)
{
	for (size_t column = 0; column < batch->table->column_count; column++) {
		size_t length;
		const char *text = db_column_text(rows, (int)column, &length);
		char *copied = NULL;
		if (text) {
			copied = malloc(length + 1);
			if (!copied)
				return refuse(batch->copy, -ENOMEM, batch->table, "out of memory");
			memcpy(copied, text, length);
			copied[length] = '\0';
		}
		batch->values[batch->value_count++] = db_bytes(copied, length);
	}
	batch->row_count++;
	bool full = batch->row_count == BATCH_ROWS ||
		    batch->value_count + batch->table->column_count > BATCH_VALUES;
	return full ? batch_flush(batch) : 0;
}

static int copy_rows(struct copy *copy, struct db_conn *source, const struct table *table,
		     int64_t *ret_count)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct batch batch CLEANUP(batch_empty) = {.copy = copy, .table = table};
	struct text sql CLEANUP(text_release) = TEXT_INIT(SQL_LIMIT);
	int64_t count = 0;
	if (table->column_count > BATCH_VALUES)
		return refuse(copy, -EINVAL, table, "has too many columns");
	text_printf(&sql, "SELECT %s FROM %s", table->columns, table->name);
	int r = text_error(&sql);
	if (!r)
		r = db_query(source, text_string(&sql), DB_NO_VALUES, &rows);
	if (r)
		return refused_by(copy, source, r, table);
	while ((r = db_next(rows)) > 0) {
		r = batch_add(&batch, rows);
		if (r)
			return r;
		count++;
	}
	if (r)
		return refused_by(copy, source, r, table);
	*ret_count = count;
	return batch_flush(&batch);
}

/* ---- tables ---- */

static int continue_identity(struct copy *copy, const struct table *table)
{
	struct text sql CLEANUP(text_release) = TEXT_INIT(SQL_LIMIT);
	if (!table->identity)
		return 0;
	text_printf(&sql,
		    "SELECT setval(pg_get_serial_sequence('%s', '%s'), (SELECT max(%s) FROM %s))",
		    table->name, table->identity, table->identity, table->name);
	return run(copy, table, &sql);
}

static int copy_table(struct copy *copy, struct db_conn *source, const struct table *table)
{
	int64_t read = 0;
	int64_t before = 0;
	int64_t after = 0;
	int r = copy_rows(copy, source, table, &read);
	if (!r)
		r = continue_identity(copy, table);
	if (!r)
		r = count_rows(copy, source, table, &before);
	if (!r)
		r = count_rows(copy, copy->target, table, &after);
	if (r)
		return r;
	if (read != before || after != before) {
		char reason[128];
		snprintf(reason, sizeof(reason),
			 "%" PRId64 " rows in the source, %" PRId64 " read, %" PRId64
			 " in the target",
			 before, read, after);
		return refuse(copy, -EIO, table, reason);
	}
	copy->rows += read;
	return 0;
}

static int for_tables(struct copy *copy, struct db_conn *source,
		      int (*step)(struct copy *, struct db_conn *, const struct table *))
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(copy->target, list_tables, DB_NO_VALUES, &rows);
	while (!r && (r = db_next(rows)) > 0) {
		struct table table = table_of(rows);
		r = step(copy, source, &table);
	}
	return r;
}

static int prepare_table(struct copy *copy, UNUSED struct db_conn *source,
			 const struct table *table)
{
	return lock_empty(copy, table);
}

static int from_snapshot(struct db_conn *source, void *argument)
{
	return for_tables(argument, source, copy_table);
}

static int into_transaction(struct db_conn *target, void *argument)
{
	struct copy *copy = argument;
	copy->target = target;
	copy->rows = 0;
	if (db_dialect(target) != DB_POSTGRES) {
		snprintf(copy->reterr_message, copy->error_size, "the target must be PostgreSQL");
		return -EINVAL;
	}
	int r = for_tables(copy, NULL, prepare_table);
	return r ? r : db_read(copy->source, from_snapshot, copy);
}

int db_copy(struct db *source, struct db *target, int64_t *ret_rows, char *reterr_message,
	    size_t error_size)
{
	struct copy copy = {
		.source = source, .reterr_message = reterr_message, .error_size = error_size};
	snprintf(reterr_message, error_size, "the store failed, see the log");
	int r = db_transaction(target, into_transaction, &copy);
	if (!r)
		*ret_rows = copy.rows;
	return r;
}
