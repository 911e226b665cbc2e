#include "storage/conn.h"

#include <assert.h>

#include "storage/driver.h"

int db_call(struct db_conn *conn, db_function *function, void *argument)
{
	assert(!conn->open);
	conn->failed = 0;
	conn->waited = false;
	conn->last = conn->over = false;
	int r = function(conn, argument);
	while (conn->open)
		db_rows_close(conn->open);
	if (r >= 0 && conn->failed)
		r = conn->failed;
	conn->failed = 0;
	return r;
}

void db_end_reading(struct db_conn *conn)
{
	/* A read: the outcome of its commit does not matter. */
	if (conn->driver->in_transaction(conn) && conn->driver->commit(conn))
		conn->driver->rollback(conn);
}

enum db_dialect db_dialect(const struct db_conn *conn)
{
	return conn->driver->dialect;
}

/* ---- statements ---- */

void db_statement_set(struct db_statement *ret_statement, const char *sql,
		      const struct db_value *values, size_t count)
{
	assert(count <= DB_STATEMENT_VALUES);
	ret_statement->sql = sql;
	if (count)
		memcpy(ret_statement->values, values, count * sizeof(*values));
	ret_statement->count = count;
	ret_statement->copies = NULL;
}

int db_statement_copy(struct db_statement *ret_statement, const char *sql,
		      const struct db_value *values, size_t count)
{
	size_t length = strlen(sql) + 1;
	size_t size = length;
	for (size_t i = 0; i < count; i++)
		size += values[i].type == DB_TEXT ? values[i].length + 1 : 0;
	char *copies = malloc(size);
	if (!copies)
		return -ENOMEM;
	memcpy(copies, sql, length);
	db_statement_set(ret_statement, copies, values, count);
	ret_statement->copies = copies;
	char *next = copies + length;
	for (size_t i = 0; i < count; i++) {
		struct db_value *value = &ret_statement->values[i];
		if (value->type != DB_TEXT)
			continue;
		memcpy(next, value->text, value->length);
		value->text = next;
		next += value->length;
		*next++ = '\0';
	}
	return 0;
}

void db_statement_release(struct db_statement *statement)
{
	free(statement->copies);
	*statement = (struct db_statement){0};
}

/* Before each statement of a function. */
static int next_statement(struct db_conn *conn)
{
	assert(!conn->over);
	conn->over = conn->last;
	return conn->failed;
}

int64_t db_run(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count)
{
	int r = next_statement(conn);
	return r ? r : conn->driver->run(conn, sql, values, count);
}

int db_post(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
	    int64_t rows)
{
	int64_t r = next_statement(conn);
	if (r)
		return (int)r;
	if (conn->driver->post)
		return conn->driver->post(conn, sql, values, count, rows);
	r = conn->driver->run(conn, sql, values, count);
	if (r < 0)
		return (int)r;
	return rows == DB_ANY_ROWS || r == rows ? 0 : -EAGAIN;
}

int db_lock(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count)
{
	if (conn->driver->dialect != DB_POSTGRES)
		return 0;
	return db_post(conn, sql, values, count, DB_ANY_ROWS);
}

int db_settle(struct db_conn *conn)
{
	if (conn->failed || !conn->driver->settle)
		return conn->failed;
	return conn->driver->settle(conn);
}

void db_last(struct db_conn *conn)
{
	conn->last = true;
}

/* ---- rows ---- */

static void open_rows(struct db_conn *conn, struct db_rows *rows)
{
	rows->conn = conn;
	rows->next = conn->open;
	conn->open = rows;
}

int db_query(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
	     struct db_rows **ret_rows)
{
	struct db_rows *rows;
	int r = next_statement(conn);
	if (!r)
		r = conn->driver->query(conn, sql, values, count, &rows);
	if (r)
		return r;
	open_rows(conn, rows);
	*ret_rows = rows;
	return 0;
}

int db_query_statement(struct db_conn *conn, const struct db_statement *statement,
		       struct db_rows **ret_rows)
{
	return db_query(conn, statement->sql, statement->values, statement->count, ret_rows);
}

int db_answer(struct db_conn *conn, struct db_rows **ret_rows)
{
	struct db_rows *rows;
	int r = conn->driver->answer(conn, &rows);
	if (r)
		return r;
	open_rows(conn, rows);
	*ret_rows = rows;
	return 0;
}

int db_next(struct db_rows *rows)
{
	return rows->conn->driver->next(rows);
}

int db_query_row(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
		 struct db_rows **ret_rows)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, sql, values, count, &rows);
	if (r)
		return r;
	r = db_next(rows);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}

int db_query_int(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count,
		 int64_t *ret_value)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, sql, values, count, &rows);
	if (r)
		return r;
	*ret_value = db_column_int(rows, 0);
	return 0;
}

int db_exists(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, sql, values, count, &rows);
	return r == -ENOENT ? 0 : r ? r : 1;
}

int64_t db_column_int(struct db_rows *rows, int column)
{
	return rows->conn->driver->column_int(rows, column);
}

const char *db_column_text(struct db_rows *rows, int column, size_t *ret_length)
{
	return rows->conn->driver->column_text(rows, column, ret_length);
}

bool db_column_is_null(struct db_rows *rows, int column)
{
	return rows->conn->driver->column_is_null(rows, column);
}

void db_column_copy(struct db_rows *rows, int column, char *buffer, size_t size)
{
	const char *text = db_column_text(rows, column, NULL);
	snprintf(buffer, size, "%s", text ? text : "");
}

void db_rows_close(struct db_rows *rows)
{
	if (!rows)
		return;
	struct db_rows **link = &rows->conn->open;
	while (*link != rows) {
		assert(*link); /* rows were closed twice */
		link = &(*link)->next;
	}
	*link = rows->next;
	rows->conn->driver->rows_close(rows);
}

/* ---- savepoints ---- */

int db_control(struct db_conn *conn, const char *sql, bool undo)
{
	return conn->failed ? conn->failed : conn->driver->savepoint(conn, sql, undo);
}

/* All savepoints share one name: both dialects act on the innermost. The writer's own is named
 * "job", so one release too many cannot end it. */
int db_savepoint(struct db_conn *conn)
{
	return db_control(conn, "SAVEPOINT inside", false);
}

int db_savepoint_release(struct db_conn *conn)
{
	return db_control(conn, "RELEASE SAVEPOINT inside", false);
}

int db_savepoint_rollback(struct db_conn *conn)
{
	int r = db_control(conn, "ROLLBACK TO SAVEPOINT inside", true);
	return r ? r : db_savepoint_release(conn);
}

/* ---- sessions ---- */

int64_t db_session(struct db_conn *conn)
{
	return conn->driver->session(conn);
}

int db_session_ended(struct db_conn *conn, int64_t session)
{
	return session == db_session(conn) ? 0 : conn->driver->session_ended(conn, session);
}
