#include "storage/sqlite.h"

#include "base/log.h"

#define PARAMETERS_MAX 999

struct sqlite_statement {
	struct statement entry;
	struct db_rows rows;
	sqlite3_stmt *handle;
	int pending; /* a result of sqlite3_step() that db_next() has not returned yet, or 0 */
	int ended;   /* the result of sqlite3_step() after the last row, or 0 */
	size_t parameters;
	int index[]; /* SQLite's number of $1, $2 …, which it assigns in order of appearance */
};

static struct sqlite_statement *of_rows(struct db_rows *rows)
{
	return container_of(rows, struct sqlite_statement, rows);
}

void sqlite_statement_free(struct statement *entry)
{
	struct sqlite_statement *statement = container_of(entry, struct sqlite_statement, entry);
	sqlite3_finalize(statement->handle);
	free(statement->entry.sql);
	free(statement);
}

/* Fills the map from $n to SQLite's numbers. False unless all are $1 … $count. */
static bool map_parameters(struct sqlite_statement *statement)
{
	for (size_t i = 1; i <= statement->parameters; i++) {
		const char *name = sqlite3_bind_parameter_name(statement->handle, (int)i);
		char *end;
		if (!name || name[0] != '$' || name[1] < '1' || name[1] > '9')
			return false;
		unsigned long number = strtoul(name + 1, &end, 10);
		if (*end || number > statement->parameters)
			return false;
		statement->index[number - 1] = (int)i;
	}
	return true;
}

/* Mistakes of the program, not of its input. */
static int refuse(const char *reason, const char *sql)
{
	log_write(LOG_ERROR, reason, log_text("db.query.text", sql));
	return -EIO;
}

static int prepare(struct sqlite_conn *self, const char *sql,
		   struct sqlite_statement **ret_statement)
{
	sqlite3_stmt *handle;
	const char *tail;
	int code = sqlite3_prepare_v3(self->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle,
				      &tail);
	if (code)
		return sqlite_statement_error(self, code, sql);
	size_t parameters = (size_t)sqlite3_bind_parameter_count(handle);
	if (!handle || tail[strspn(tail, "; \t\n")] || parameters > PARAMETERS_MAX) {
		sqlite3_finalize(handle);
		return refuse("not one statement, or too many parameters", sql);
	}
	struct sqlite_statement *statement =
		calloc(1, sizeof(*statement) + parameters * sizeof(statement->index[0]));
	if (!statement) {
		sqlite3_finalize(handle);
		return -ENOMEM;
	}
	statement->handle = handle;
	statement->parameters = parameters;
	statement->entry.sql = strdup(sql);
	int r = !statement->entry.sql        ? -ENOMEM
		: !map_parameters(statement) ? refuse("parameters are not $1, $2 …", sql)
					     : 0;
	if (r) {
		sqlite_statement_free(&statement->entry);
		return r;
	}
	statements_keep(&self->statements, &statement->entry);
	*ret_statement = statement;
	return 0;
}

static int bind(struct sqlite_statement *statement, const struct db_value *values, size_t count)
{
	int code = SQLITE_OK;
	for (size_t i = 0; i < count && !code; i++) {
		const struct db_value *value = &values[i];
		int index = statement->index[i];
		switch (value->type) {
		case DB_INTEGER:
			code = sqlite3_bind_int64(statement->handle, index, value->integer);
			break;
		case DB_TEXT:
			code = sqlite3_bind_text64(statement->handle, index, value->text,
						   value->length, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case DB_NULL:
			code = sqlite3_bind_null(statement->handle, index);
			break;
		}
	}
	return code;
}

/* Ends one use of the statement, and frees it unless it is kept. Returns SQLite's code. */
static int finish(struct sqlite_statement *statement)
{
	int code = sqlite3_reset(statement->handle);
	statement->entry.in_use = false;
	if (!statement->entry.kept)
		sqlite_statement_free(&statement->entry);
	return code;
}

/* Finds or prepares the statement and binds its values. */
static int start(struct sqlite_conn *self, const char *sql, const struct db_value *values,
		 size_t count, struct sqlite_statement **ret_statement)
{
	struct sqlite_statement *statement = NULL;
	struct statement *entry = statements_find(&self->statements, sql);
	int r = 0;
	if (entry && !entry->in_use)
		statement = container_of(entry, struct sqlite_statement, entry);
	else
		r = prepare(self, sql, &statement);
	if (!statement)
		return r;
	statement->entry.in_use = true;
	if (count != statement->parameters) {
		r = refuse("wrong number of values", sql);
	} else {
		int code = bind(statement, values, count);
		if (code)
			r = sqlite_report(self->handle, code, sql);
	}
	if (r) {
		finish(statement);
		return r;
	}
	*ret_statement = statement;
	return 0;
}

int64_t sqlite_run(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	struct sqlite_statement *statement;
	int code;
	int r = start(self, sql, values, count, &statement);
	if (r)
		return r;
	/* sqlite3_changes() keeps the count of the last statement that wrote, whatever ran
	 * since. */
	sqlite3_int64 before = sqlite3_total_changes64(self->handle);
	do
		code = sqlite3_step(statement->handle);
	while (code == SQLITE_ROW);
	if (code != SQLITE_DONE)
		r = sqlite_statement_error(self, code, sql);
	finish(statement);
	if (r)
		return r;
	bool changed = sqlite3_total_changes64(self->handle) != before;
	return changed ? sqlite3_changes64(self->handle) : 0;
}

/* Makes the first step at once, so that a statement with RETURNING takes effect, and a broken
 * constraint is reported, even if its rows are not read. */
int sqlite_query(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
		 struct db_rows **ret_rows)
{
	struct sqlite_conn *self = sqlite_conn(conn);
	struct sqlite_statement *statement;
	int r = start(self, sql, values, count, &statement);
	if (r)
		return r;
	int code = sqlite3_step(statement->handle);
	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		r = sqlite_statement_error(self, code, sql);
		finish(statement);
		return r;
	}
	statement->pending = code;
	statement->ended = 0;
	*ret_rows = &statement->rows;
	return 0;
}

int sqlite_next(struct db_rows *rows)
{
	struct sqlite_statement *statement = of_rows(rows);
	int code = statement->ended;
	if (!code) {
		code = statement->pending;
		statement->pending = 0;
		if (!code)
			code = sqlite3_step(statement->handle);
	}
	if (code == SQLITE_ROW)
		return 1;
	/* One more step would restart the statement. */
	if (!statement->ended) {
		statement->ended = code;
		if (code != SQLITE_DONE)
			return sqlite_statement_error(sqlite_conn(rows->conn), code,
						      statement->entry.sql);
	}
	return code == SQLITE_DONE ? 0 : sqlite_error(code);
}

int64_t sqlite_column_int(struct db_rows *rows, int column)
{
	return sqlite3_column_int64(of_rows(rows)->handle, column);
}

const char *sqlite_column_text(struct db_rows *rows, int column, size_t *ret_length)
{
	sqlite3_stmt *handle = of_rows(rows)->handle;
	bool null = sqlite3_column_type(handle, column) == SQLITE_NULL;
	const char *text = null ? NULL : (const char *)sqlite3_column_text(handle, column);
	if (!text && !null)
		rows->conn->failed = -ENOMEM;
	if (ret_length)
		*ret_length = text ? (size_t)sqlite3_column_bytes(handle, column) : 0;
	return text;
}

bool sqlite_column_is_null(struct db_rows *rows, int column)
{
	return sqlite3_column_type(of_rows(rows)->handle, column) == SQLITE_NULL;
}

void sqlite_rows_close(struct db_rows *rows)
{
	struct sqlite_statement *statement = of_rows(rows);
	struct sqlite_conn *self = sqlite_conn(rows->conn);
	bool told = statement->ended;
	/* If RETURNING's rows were not read to the end, a broken foreign key shows only here. */
	int code = finish(statement);
	if (code && !told)
		self->conn.failed = sqlite_report(self->handle, code, "close");
}
