#include "storage/postgres.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/log.h"

struct mapping {
	const char *start; /* of the SQLSTATE: a class has two characters, a condition five */
	int error;
};

/* The first that fits counts. */
static const struct mapping mappings[] = {
	{"08P01", -EIO}, /* a parameter without a value, or the reverse */
	{"08", -EHOSTDOWN},
	{"22", -EINVAL},
	{"23505", -EEXIST},
	{"23P01", -EEXIST}, /* exclusion constraint */
	{"23", -EINVAL},
	{"25P03", -EHOSTDOWN}, /* idle in a transaction for too long: the server hung up */
	{"40", -EAGAIN},       /* serialization failure, deadlock */
	{"53100", -ENOSPC},
	{"53200", -ENOMEM},
	{"53300", -EHOSTDOWN}, /* too many connections */
	{"53", -EAGAIN},
	{"55P03", -EAGAIN}, /* the lock was not had in time */
	{"57014", -EAGAIN}, /* the statement took too long */
	{"57P", -EHOSTDOWN},
	{"58", -EIO},
};

int postgres_error(const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_SIZE(mappings); i++)
		if (strncmp(sqlstate, mappings[i].start, strlen(mappings[i].start)) == 0)
			return mappings[i].error;
	return -EIO;
}

void postgres_remember(struct postgres_conn *self, const char *message)
{
	snprintf(self->message, sizeof(self->message), "%s", message ? message : "");
	size_t length = strlen(self->message);
	while (length > 0 && self->message[length - 1] == '\n')
		self->message[--length] = '\0';
	for (char *at = self->message; (at = strchr(at, '\n'));)
		*at = ' ';
}

void postgres_disconnect(struct postgres_conn *self)
{
	if (self->handle)
		libpq.PQfinish(self->handle);
	self->handle = NULL;
	statements_release(&self->statements);
	self->names = 0;
	self->state = POSTGRES_IDLE;
	self->queued = 0;
	self->asked = 0;
	self->unchecked = false;
	self->unsynced = false;
	self->syncing = false;
	self->aborted = 0;
}

int postgres_lost(struct postgres_conn *self, int error, const char *reason)
{
	if (!self->handle)
		return self->conn.failed ? self->conn.failed : error;
	postgres_remember(self, reason);
	log_write(LOG_WARN, "database connection lost", log_error_code(error),
		  log_text("error.message", self->message));
	postgres_disconnect(self);
	self->conn.failed = error;
	return error;
}

static int silent(struct postgres_conn *self, const char *reason)
{
	postgres_distrust(self);
	return postgres_lost(self, -EHOSTDOWN, reason);
}

static int lost(struct postgres_conn *self)
{
	return postgres_lost(self, -EHOSTDOWN,
			     self->handle ? libpq.PQerrorMessage(self->handle) : NULL);
}

/* Statements of this connection that the server has dropped, or that a changed schema spoilt: all
 * are prepared anew on another connection. */
static bool is_stale(const PGresult *result, const char *sqlstate)
{
	const char *function = libpq.PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	return strcmp(sqlstate, "26000") == 0 || (strcmp(sqlstate, "0A000") == 0 && function &&
						  strcmp(function, "RevalidateCachedQuery") == 0);
}

/* Maps and logs a failed command; what a caller provokes is no event. */
static int report(struct postgres_conn *self, const PGresult *result, const char *sql)
{
	const char *sqlstate = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = libpq.PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (!sqlstate)
		return lost(self);
	int error = postgres_error(sqlstate);
	if (is_stale(result, sqlstate))
		return postgres_lost(self, -EAGAIN, message);
	/* A writer on a server that takes no writes: it is not the primary any more. */
	bool demoted = self->role == DB_WRITER && strcmp(sqlstate, "25006") == 0;
	bool fatal = severity && strcmp(severity, "ERROR") != 0;
	if (error == -EHOSTDOWN || demoted || fatal)
		return postgres_lost(self, -EHOSTDOWN, message);

	postgres_remember(self, message);
	self->aborted = error;
	self->conn.waited = strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "57014") == 0;
	enum log_level level = error == -EEXIST || error == -EINVAL ? LOG_DEBUG
			       : error == -EAGAIN                   ? LOG_WARN
								    : LOG_ERROR;
	log_write(level, "database error", log_error_code(error),
		  log_text("error.message", self->message),
		  log_text("db.response.status_code", sqlstate), log_text("db.query.text", sql));
	return error;
}

bool postgres_wait(PGconn *handle, short events, int64_t deadline)
{
	struct pollfd ready = {.fd = libpq.PQsocket(handle), .events = events};
	for (;;) {
		int64_t left = deadline - clock_monotonic();
		int r = poll(&ready, 1, left > 0 ? (int)((left + 999) / 1000) : 0);
		if (r > 0)
			return true;
		if (r == 0 || errno != EINTR)
			return false;
	}
}

/* Sends all that is buffered. The server may have to be rid of results before it reads on. */
static int flush(struct postgres_conn *self)
{
	int64_t deadline = clock_monotonic() + self->limit;
	int r;
	while ((r = libpq.PQflush(self->handle)) > 0) {
		if (!postgres_wait(self->handle, POLLIN | POLLOUT, deadline))
			return silent(self, "sending took too long");
		if (!libpq.PQconsumeInput(self->handle))
			return lost(self);
	}
	return r < 0 ? lost(self) : 0;
}

int postgres_send(struct postgres_conn *self, bool sync)
{
	int sent =
		sync ? libpq.PQpipelineSync(self->handle) : libpq.PQsendFlushRequest(self->handle);
	if (!sent)
		return lost(self);
	self->unsynced = !sync;
	self->syncing = sync;
	return flush(self);
}

/* The next result, or NULL for the end of a command's. */
static int receive(struct postgres_conn *self, PGresult **ret_result)
{
	int64_t deadline = clock_monotonic() + self->limit;
	while (libpq.PQisBusy(self->handle)) {
		if (!postgres_wait(self->handle, POLLIN, deadline))
			return silent(self, "no answer in time");
		/* With the end of the connection the last answer may have come. */
		if (!libpq.PQconsumeInput(self->handle) && libpq.PQisBusy(self->handle))
			return lost(self);
	}
	*ret_result = libpq.PQgetResult(self->handle);
	return 0;
}

int postgres_result(struct postgres_conn *self, const char *sql, PGresult **ret_result)
{
	PGresult *result = NULL, *end = NULL;
	int r = receive(self, &result);
	if (r)
		return r;
	switch (libpq.PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		break;
	case PGRES_EMPTY_QUERY:
		log_write(LOG_ERROR, "an empty statement");
		r = -EIO;
		break;
	case PGRES_PIPELINE_ABORTED:
		r = self->aborted ? self->aborted : -EIO;
		break;
	case PGRES_FATAL_ERROR:
		r = report(self, result, sql);
		break;
	default:
		r = postgres_lost(self, -EIO, "an answer that does not fit the command");
		break;
	}
	if (self->handle) {
		int ended = receive(self, &end);
		if (!ended && end) {
			libpq.PQclear(end);
			ended = postgres_lost(self, -EIO, "more answers than commands");
		}
		r = ended ? ended : r;
	}
	if (r) {
		libpq.PQclear(result);
		return r;
	}
	*ret_result = result;
	return 0;
}

/* That another number of rows was changed is an error like the server's own: nothing but a
 * roll-back follows. */
static int check_rows(struct postgres_conn *self, const struct postgres_queued *command,
		      PGresult *result)
{
	if (command->rows == DB_ANY_ROWS || postgres_changed_rows(result) == command->rows)
		return 0;
	self->aborted = -EAGAIN;
	return -EAGAIN;
}

int postgres_collect(struct postgres_conn *self)
{
	int error = 0;
	for (size_t i = 0; self->handle && i < self->queued; i++) {
		PGresult *result = NULL;
		int r = postgres_result(self, self->queue[i].sql, &result);
		if (!r) {
			r = check_rows(self, &self->queue[i], result);
			libpq.PQclear(result);
		}
		error = error ? error : r;
	}
	self->queued = 0;
	self->unchecked = false;
	return error;
}

int postgres_synced(struct postgres_conn *self)
{
	PGresult *result = NULL;
	int error = postgres_collect(self);
	if (!self->handle)
		return error;
	int r = receive(self, &result);
	if (r)
		return r;
	bool synced = libpq.PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	libpq.PQclear(result);
	if (!synced)
		return postgres_lost(self, -EHOSTDOWN, "the end of a batch is missing");
	self->syncing = false;
	return error;
}

int postgres_simple(struct postgres_conn *self, const char *sql)
{
	int error = 0;
	if (!libpq.PQexitPipelineMode(self->handle) || !libpq.PQsendQuery(self->handle, sql))
		return lost(self);
	int r = flush(self);
	while (!r) {
		PGresult *result = NULL;
		r = receive(self, &result);
		if (r || !result)
			break;
		if (libpq.PQresultStatus(result) == PGRES_FATAL_ERROR && !error)
			error = report(self, result, sql);
		libpq.PQclear(result);
		r = self->handle ? 0 : error;
	}
	if (r)
		return r;
	return libpq.PQenterPipelineMode(self->handle) ? error : lost(self);
}
