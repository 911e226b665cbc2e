#include "storage/postgres.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"

/* Parameter types are left to the server, which infers them from the context. Values go as text: an
 * integer fits BIGINT, NUMERIC and TEXT alike. */

#define PARAMETERS_MAX 999

/* A larger scratch buffer is freed after use. */
#define SCRATCH_KEPT 65536

#define INTEGER_SIZE 24

#define BOOLEAN_TYPE 16 /* pg_type's oid */

/*
 * The first use of an SQL text runs unnamed, the second prepares it under a name: most listings
 * have filters of their own and come once. Names are never reused. Only libpq 17 and newer can
 * close a statement, and behind a pooler DEALLOCATE would reach an arbitrary session. So statements
 * that were forgotten here stay on the server until the session is replaced.
 */
struct postgres_statement {
	struct statement entry;
	char name[16]; /* empty: not prepared */
};

struct postgres_rows {
	struct db_rows rows;
	PGresult *result; /* complete: libpq has read all of it */
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
	free(statement->entry.sql);
	free(statement);
}

static int send_failed(struct postgres_conn *self)
{
	return postgres_lost(self, -EHOSTDOWN, libpq.PQerrorMessage(self->handle));
}

/*
 * Whether waiting for a result ends the batch. For a writer it does: only then can it continue
 * after an error. A reader's batch stays open, and with it its implicit transaction and snapshot.
 * But a pooler may answer for the server (PgBouncer does for a statement that the session knows),
 * and then it does not answer a flush. So readers behind a pooler use BEGIN, and end each batch.
 */
static bool ends_batch(const struct postgres_conn *self)
{
	return self->role == DB_WRITER || self->pooled;
}

int postgres_deliver(struct postgres_conn *self)
{
	bool sync = ends_batch(self);
	int r = postgres_send(self, sync);
	if (r)
		return r;
	return sync ? postgres_synced(self) : postgres_collect(self);
}

/* Called before another command is queued. */
static int make_room(struct postgres_conn *self)
{
	return self->queued < POSTGRES_QUEUE_MAX ? 0 : postgres_deliver(self);
}

/* Records whether libpq accepted the command. */
static int note_queued(struct postgres_conn *self, int taken, const char *sql, int64_t rows)
{
	if (!taken)
		return send_failed(self);
	self->queue[self->queued++] = (struct postgres_queued){sql, rows};
	self->unchecked |= rows != DB_ANY_ROWS;
	self->unsynced = true;
	return 0;
}

/* Adds a new SQL text. */
static int keep(struct postgres_conn *self, const char *sql,
		struct postgres_statement **ret_statement)
{
	struct postgres_statement *statement = calloc(1, sizeof(*statement));
	if (!statement)
		return -ENOMEM;
	statement->entry.sql = strdup(sql);
	if (!statement->entry.sql) {
		free(statement);
		return -ENOMEM;
	}
	/* There is always room: results are complete, so no statement is ever marked in use. */
	statements_keep(&self->statements, &statement->entry);
	*ret_statement = statement;
	return 0;
}

/* Prepares the statement and waits for it: once per session. */
static int prepare(struct postgres_conn *self, struct postgres_statement *statement)
{
	char name[sizeof(statement->name)];
	int r = make_room(self);
	if (r)
		return r;
	snprintf(name, sizeof(name), "s%u", ++self->names);
	int taken = libpq.PQsendPrepare(self->handle, name, statement->entry.sql, 0, NULL);
	r = note_queued(self, taken, statement->entry.sql, DB_ANY_ROWS);
	if (!r)
		r = postgres_deliver(self);
	if (!r)
		memcpy(statement->name, name, sizeof(name));
	return r;
}

static int find_statement(struct postgres_conn *self, const char *sql,
			  struct postgres_statement **ret_statement)
{
	struct statement *entry = statements_find(&self->statements, sql);
	if (!entry)
		return keep(self, sql, ret_statement);
	*ret_statement = container_of(entry, struct postgres_statement, entry);
	return (*ret_statement)->name[0] ? 0 : prepare(self, *ret_statement);
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
				return -EINVAL; /* PostgreSQL cannot store a NUL */
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

/* Hands libpq the statement with its values. */
static int send_statement(struct postgres_conn *self, const struct postgres_statement *statement,
			  const struct db_value *values, size_t count)
{
	int r = convert(self, values, count);
	if (r)
		return r;
	const char *const *texts = (const char *const *)(void *)self->scratch;
	int taken = statement->name[0]
			    ? libpq.PQsendQueryPrepared(self->handle, statement->name, (int)count,
							texts, NULL, NULL, 0)
			    : libpq.PQsendQueryParams(self->handle, statement->entry.sql,
						      (int)count, NULL, texts, NULL, NULL, 0);
	trim_scratch(self);
	return taken ? 0 : send_failed(self);
}

/* The same, preparing the statement first where that is due. */
static int dispatch(struct postgres_conn *self, const char *sql, const struct db_value *values,
		    size_t count)
{
	struct postgres_statement *statement;
	int r = find_statement(self, sql, &statement);
	return r ? r : send_statement(self, statement, values, count);
}

int postgres_queue(struct postgres_conn *self, const char *sql)
{
	int r = make_room(self);
	if (!r)
		r = dispatch(self, sql, NULL, 0);
	return r ? r : note_queued(self, 1, sql, DB_ANY_ROWS);
}

static int begin_if_due(struct postgres_conn *self)
{
	if (self->state != POSTGRES_BEGUN)
		return 0;
	bool reader = self->role == DB_READER;
	self->state = reader ? POSTGRES_READING : POSTGRES_WRITING;
	int r = postgres_queue(self, reader ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
					    : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
	if (r || !self->pooled)
		return r;
	return postgres_queue(self, self->server->local_settings);
}

int postgres_savepoint(struct db_conn *conn, const char *sql, bool undo)
{
	struct postgres_conn *self = postgres_conn(conn);
	/* After an error the server skips the rest of the batch, a ROLLBACK TO included. */
	if (undo && self->queued)
		postgres_deliver(self);
	if (!self->handle)
		return conn->failed;
	/* After an error the server would refuse the command, so it is not sent. */
	if (undo)
		self->aborted = 0;
	if (self->aborted)
		return self->aborted;
	int r = begin_if_due(self);
	return r ? r : postgres_queue(self, sql);
}

/* Waits for the statement just dispatched and for those queued before it. */
static int await(struct postgres_conn *self, const char *sql, PGresult **ret_result)
{
	bool sync = ends_batch(self) || self->conn.last;
	PGresult *result = NULL;
	int r = postgres_send(self, sync);
	if (!r)
		r = postgres_collect(self);
	if (!self->handle)
		return r;
	int answered = postgres_result(self, sql, &result);
	r = r ? r : answered;
	if (self->handle && sync) {
		int synced = postgres_synced(self);
		r = r ? r : synced;
	}
	if (r) {
		libpq.PQclear(result);
		return r;
	}
	*ret_result = result;
	return 0;
}

int postgres_exchange(struct postgres_conn *self, const char *sql, PGresult **ret_result)
{
	int r = dispatch(self, sql, NULL, 0);
	return r ? r : await(self, sql, ret_result);
}

/* Makes the server end the next statement at the read's deadline. The time-out travels with the
 * statement and applies to this transaction only. */
static int limit_statement(struct postgres_conn *self)
{
	static const char sql[] = "SELECT set_config('statement_timeout', $1, true)";
	if (!self->deadline)
		return 0;
	int64_t left = self->deadline - clock_monotonic();
	if (left <= 0)
		return -ETIMEDOUT;
	self->limit = left + CLOCK_SECOND; /* the server's time-out comes first */
	struct db_value milliseconds = db_int(left / 1000 + 1);
	int r = dispatch(self, sql, &milliseconds, 1);
	return r ? r : note_queued(self, 1, sql, DB_ANY_ROWS);
}

static int start(struct postgres_conn *self, const char *sql, const struct db_value *values,
		 size_t count, PGresult **ret_result)
{
	if (self->aborted)
		return self->aborted;
	int r = begin_if_due(self);
	if (!r)
		r = limit_statement(self);
	if (!r)
		r = dispatch(self, sql, values, count);
	return r ? r : await(self, sql, ret_result);
}

int postgres_post(struct db_conn *conn, const char *sql, const struct db_value *values,
		  size_t count, int64_t rows)
{
	struct postgres_conn *self = postgres_conn(conn);
	if (self->aborted)
		return self->aborted;
	int r = begin_if_due(self);
	if (!r)
		r = make_room(self);
	if (!r)
		r = dispatch(self, sql, values, count);
	return r ? r : note_queued(self, 1, sql, rows);
}

int postgres_settle(struct db_conn *conn)
{
	struct postgres_conn *self = postgres_conn(conn);
	if (self->aborted || !self->queued)
		return self->aborted;
	return postgres_deliver(self);
}

int64_t postgres_run(struct db_conn *conn, const char *sql, const struct db_value *values,
		     size_t count)
{
	PGresult *result;
	int r = start(postgres_conn(conn), sql, values, count, &result);
	if (r)
		return r;
	int64_t changed = postgres_changed_rows(result);
	libpq.PQclear(result);
	return changed;
}

static int make_rows(PGresult *result, struct db_rows **ret_rows)
{
	struct postgres_rows *rows = malloc(sizeof(*rows));
	if (!rows) {
		libpq.PQclear(result);
		return -ENOMEM;
	}
	*rows = (struct postgres_rows){
		.result = result, .row = -1, .count = libpq.PQntuples(result)};
	*ret_rows = &rows->rows;
	return 0;
}

int postgres_query(struct db_conn *conn, const char *sql, const struct db_value *values,
		   size_t count, struct db_rows **ret_rows)
{
	PGresult *result;
	int r = start(postgres_conn(conn), sql, values, count, &result);
	return r ? r : make_rows(result, ret_rows);
}

int postgres_ask(struct db_conn *conn, const char *sql, const struct db_value *values, size_t count)
{
	struct postgres_conn *self = postgres_conn(conn);
	struct statement *entry = statements_find(&self->statements, sql);
	struct postgres_statement *statement =
		entry ? container_of(entry, struct postgres_statement, entry) : NULL;
	/* Preparing would wait for everything sent before. */
	if (!statement || !statement->name[0])
		return 0;
	int r = self->aborted ? self->aborted : begin_if_due(self);
	if (!r)
		r = send_statement(self, statement, values, count);
	if (r)
		return r;
	self->asked++;
	self->unsynced = true;
	return 1;
}

/* After the last statement, or a failed one, the batch ends: the server skips what follows an
 * error. */
static int end_batch(struct postgres_conn *self)
{
	PGresult *result;
	while (self->asked) { /* none once the connection is lost */
		self->asked--;
		if (postgres_result(self, "one of a batch", &result) == 0)
			libpq.PQclear(result);
	}
	return self->handle ? postgres_synced(self) : -EHOSTDOWN;
}

int postgres_answer(struct db_conn *conn, struct db_rows **ret_rows)
{
	struct postgres_conn *self = postgres_conn(conn);
	PGresult *result = NULL;
	int r = 0;
	if (!self->syncing) {
		r = postgres_send(self, true);
		if (!r)
			r = postgres_collect(self);
	}
	if (!r) {
		self->asked--;
		r = postgres_result(self, "one of a batch", &result);
	}
	if (self->handle && (r || !self->asked)) {
		int ended = end_batch(self);
		r = r ? r : ended;
	}
	if (r) {
		libpq.PQclear(result);
		return r;
	}
	r = make_rows(result, ret_rows);
	return r ? postgres_lost(self, r, "out of memory") : 0;
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
