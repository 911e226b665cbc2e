#include "storage/postgres.h"

#include <inttypes.h>

#include "base/log.h"

/* Types of parameters are left to the server, which infers them from where they stand; values go as
 * text: an integer fits a BIGINT, a NUMERIC and a TEXT alike. */

#define PARAMETERS_MAX 999

/* A scratch buffer that grew beyond this is not kept. */
#define SCRATCH_KEPT 65536

#define INTEGER_SIZE 24

#define BOOLEAN_TYPE 16 /* pg_type's oid */

struct postgres_statement {
	struct statement entry;
	struct postgres_conn *owner;
	bool prepared;
	char name[16];
};

struct postgres_rows {
	struct db_rows rows;
	PGresult *result; /* complete: libpq read it to the end */
	int row;
	int count;
};

static struct postgres_rows *of_rows(struct db_rows *rows)
{
	return container_of(rows, struct postgres_rows, rows);
}

void postgres_statement_free(struct statement *entry)
{
	struct postgres_statement *statement =
		container_of(entry, struct postgres_statement, entry);
	char sql[40];
	if (statement->prepared && statement->owner->handle) {
		snprintf(sql, sizeof(sql), "DEALLOCATE %s", statement->name);
		postgres_queue(statement->owner, sql);
	}
	free(statement->entry.sql);
	free(statement);
}

static int send_failed(struct postgres_conn *self)
{
	return postgres_lost(self, -EHOSTDOWN, libpq.PQerrorMessage(self->handle));
}

int postgres_queue(struct postgres_conn *self, const char *sql)
{
	if (!libpq.PQsendQueryParams(self->handle, sql, 0, NULL, NULL, NULL, NULL, 0))
		return send_failed(self);
	self->queued++;
	self->unsynced = true;
	return 0;
}

int postgres_settle(struct postgres_conn *self)
{
	int r = postgres_send(self, true);
	return r ? r : postgres_synced(self);
}

static int prepare(struct postgres_conn *self, const char *sql,
		   struct postgres_statement **ret_statement)
{
	struct postgres_statement *statement = calloc(1, sizeof(*statement));
	if (!statement)
		return -ENOMEM;
	statement->owner = self;
	statement->entry.sql = strdup(sql);
	if (!statement->entry.sql) {
		free(statement);
		return -ENOMEM;
	}
	snprintf(statement->name, sizeof(statement->name), "s%u", ++self->statement_number);
	/* Kept at once, so that the one it replaces is dropped in front of it. None is ever marked
	 * in use, for results are complete: there is always room. */
	statements_keep(&self->statements, &statement->entry);
	if (self->handle && libpq.PQsendPrepare(self->handle, statement->name, sql, 0, NULL)) {
		self->queued++;
		self->unsynced = true;
		*ret_statement = statement;
		return 0;
	}
	return self->handle ? send_failed(self) : self->conn.failed;
}

static int reserve(struct postgres_conn *self, size_t size)
{
	if (size <= self->scratch_size)
		return 0;
	char *scratch = realloc(self->scratch, size);
	if (!scratch)
		return -ENOMEM;
	self->scratch = scratch;
	self->scratch_size = size;
	return 0;
}

/* Writes the values as NUL-terminated texts into scratch, behind the pointers to them. */
static int convert(struct postgres_conn *self, const struct db_value *values, size_t count)
{
	size_t size = count * sizeof(char *);
	if (count > PARAMETERS_MAX)
		return -EIO;
	for (size_t i = 0; i < count; i++)
		size += values[i].type == DB_TEXT ? values[i].length + 1 : INTEGER_SIZE;
	int r = reserve(self, size);
	if (r)
		return r;
	const char **texts = (const char **)(void *)self->scratch;
	char *next = self->scratch + count * sizeof(char *);
	for (size_t i = 0; i < count; i++) {
		const struct db_value *value = &values[i];
		texts[i] = value->type == DB_NULL ? NULL : next;
		if (value->type == DB_INTEGER) {
			next += snprintf(next, INTEGER_SIZE, "%" PRId64, value->integer) + 1;
		} else if (value->type == DB_TEXT) {
			if (memchr(value->text, '\0', value->length))
				return -EINVAL; /* PostgreSQL cannot hold it */
			memcpy(next, value->text, value->length);
			next[value->length] = '\0';
			next += value->length + 1;
		}
	}
	return 0;
}

static void trim_scratch(struct postgres_conn *self)
{
	if (self->scratch_size <= SCRATCH_KEPT)
		return;
	free(self->scratch);
	self->scratch = NULL;
	self->scratch_size = 0;
}

static int begin_if_due(struct postgres_conn *self)
{
	if (self->state != POSTGRES_BEGUN)
		return 0;
	self->state = POSTGRES_WRITING;
	return postgres_queue(self, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
}

int postgres_savepoint(struct db_conn *conn, const char *sql, bool undo)
{
	struct postgres_conn *self = postgres_conn(conn);
	/* What the server refuses after an error, it is not asked. */
	if (undo)
		self->aborted = 0;
	if (self->aborted)
		return self->aborted;
	int r = begin_if_due(self);
	return r ? r : postgres_queue(self, sql);
}

/* Sends the statement and what is queued in front of it, and waits for the answers. A writer's
 * batch ends here: only then can it go on after an error. A reader's stays open, and with it its
 * implicit transaction and its snapshot. */
static int execute(struct postgres_conn *self, const char *sql, size_t count,
		   struct postgres_statement *statement, PGresult **ret_result)
{
	bool sync = self->role == DB_WRITER;
	PGresult *result = NULL;
	if (!libpq.PQsendQueryPrepared(self->handle, statement->name, (int)count,
				       (const char *const *)(void *)self->scratch, NULL, NULL, 0))
		return send_failed(self);
	int r = postgres_send(self, sync);
	if (!r)
		r = postgres_collect(self, sql);
	if (!self->handle)
		return r;
	if (!r)
		statement->prepared = true;
	int error = postgres_result(self, sql, &result);
	r = r ? r : error;
	if (self->handle && sync) {
		int synced = postgres_synced(self);
		r = r ? r : synced;
	}
	if (self->handle && !statement->prepared)
		statements_forget(&self->statements, &statement->entry);
	if (r) {
		libpq.PQclear(result);
		return r;
	}
	*ret_result = result;
	return 0;
}

static int start(struct postgres_conn *self, const char *sql, const struct db_value *values,
		 size_t count, PGresult **ret_result)
{
	struct postgres_statement *statement = NULL;
	if (self->aborted)
		return self->aborted;
	int r = convert(self, values, count);
	if (!r)
		r = begin_if_due(self);
	if (r)
		return r;
	struct statement *entry = statements_find(&self->statements, sql);
	if (entry)
		statement = container_of(entry, struct postgres_statement, entry);
	else
		r = prepare(self, sql, &statement);
	if (!r)
		r = execute(self, sql, count, statement, ret_result);
	trim_scratch(self);
	return r;
}

/* A SELECT's command tag has a number too. */
static int64_t changed_rows(PGresult *result)
{
	const char *tag = libpq.PQcmdStatus(result);
	if (strncmp(tag, "SELECT", 6) == 0)
		return 0;
	return strtoll(libpq.PQcmdTuples(result), NULL, 10);
}

int64_t postgres_run(struct db_conn *conn, const char *sql, const struct db_value *values,
		     size_t count)
{
	PGresult *result;
	int r = start(postgres_conn(conn), sql, values, count, &result);
	if (r)
		return r;
	int64_t changed = changed_rows(result);
	libpq.PQclear(result);
	return changed;
}

int postgres_query(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count, struct db_rows **ret_rows)
{
	struct postgres_rows *rows = malloc(sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	*rows = (struct postgres_rows){.row = -1};
	int r = start(postgres_conn(conn), sql, values, count, &rows->result);
	if (r) {
		free(rows);
		return r;
	}
	rows->count = libpq.PQntuples(rows->result);
	*ret_rows = &rows->rows;
	return 0;
}

int postgres_next(struct db_rows *rows)
{
	struct postgres_rows *self = of_rows(rows);
	if (self->row < self->count)
		self->row++;
	return self->row < self->count;
}

bool postgres_column_is_null(struct db_rows *rows, int column)
{
	struct postgres_rows *self = of_rows(rows);
	return libpq.PQgetisnull(self->result, self->row, column);
}

int64_t postgres_column_int(struct db_rows *rows, int column)
{
	struct postgres_rows *self = of_rows(rows);
	if (postgres_column_is_null(rows, column))
		return 0;
	const char *text = libpq.PQgetvalue(self->result, self->row, column);
	if (libpq.PQftype(self->result, column) == BOOLEAN_TYPE)
		return text[0] == 't';
	return strtoll(text, NULL, 10);
}

const char *postgres_column_text(struct db_rows *rows, int column, size_t *ret_length)
{
	struct postgres_rows *self = of_rows(rows);
	bool null = postgres_column_is_null(rows, column);
	if (ret_length)
		*ret_length = null ? 0 : (size_t)libpq.PQgetlength(self->result, self->row, column);
	return null ? NULL : libpq.PQgetvalue(self->result, self->row, column);
}

void postgres_rows_close(struct db_rows *rows)
{
	struct postgres_rows *self = of_rows(rows);
	libpq.PQclear(self->result);
	free(self);
}
