#include "storage/postgres.h"

#include "base/log.h"

struct mapping {
	const char *start; /* of the SQLSTATE: a class has two characters, a condition five */
	int error;
};

/* The first match counts. */
static const struct mapping mappings[] = {
	{"08P01", -EIO}, /* a parameter without a value, or the reverse */
	{"08", -EHOSTDOWN},
	{"22", -EINVAL},
	{"23505", -EEXIST},
	{"23P01", -EEXIST}, /* exclusion constraint */
	{"23", -EINVAL},
	{"25P03", -EHOSTDOWN}, /* idle in a transaction for too long; the server hung up */
	{"40", -EAGAIN},       /* serialization failure, deadlock */
	{"53100", -ENOSPC},
	{"53200", -ENOMEM},
	{"53300", -EHOSTDOWN}, /* too many connections */
	{"53", -EAGAIN},
	{"55P03", -EAGAIN}, /* a lock time-out */
	{"57014", -EAGAIN}, /* a statement time-out */
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

/* The server dropped this connection's prepared statements, or a changed schema invalidated them.
 * All are prepared again on a new connection. */
static bool is_stale(const PGresult *result, const char *sqlstate)
{
	const char *function = libpq.PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	return strcmp(sqlstate, "26000") == 0 || (strcmp(sqlstate, "0A000") == 0 && function &&
						  strcmp(function, "RevalidateCachedQuery") == 0);
}

/* Errors that a caller can provoke are logged at debug level only. */
int postgres_report(struct postgres_conn *self, const PGresult *result, const char *sql)
{
	const char *sqlstate = libpq.PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = libpq.PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = libpq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (!sqlstate)
		return postgres_lost(self, -EHOSTDOWN, libpq.PQerrorMessage(self->handle));
	int r = postgres_error(sqlstate);
	if (is_stale(result, sqlstate))
		return postgres_lost(self, -EAGAIN, message);
	/* A writer whose server refuses writes: that server is no longer the primary. */
	bool demoted = self->role == DB_WRITER && strcmp(sqlstate, "25006") == 0;
	bool fatal = severity && strcmp(severity, "ERROR") != 0;
	if (r == -EHOSTDOWN || demoted || fatal)
		return postgres_lost(self, -EHOSTDOWN, message);

	postgres_remember(self, message);
	self->aborted = r;
	self->conn.waited = strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "57014") == 0;
	enum log_level level = r == -EEXIST || r == -EINVAL ? LOG_DEBUG
			       : r == -EAGAIN               ? LOG_WARN
							    : LOG_ERROR;
	log_write(level, "database error", log_error_code(r),
		  log_text("error.message", self->message),
		  log_text("db.response.status_code", sqlstate), log_text("db.query.text", sql));
	return r;
}
