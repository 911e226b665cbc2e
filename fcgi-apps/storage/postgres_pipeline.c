#include "storage/postgres.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/log.h"

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

/* Sends everything buffered. Reads meanwhile: the server may stop reading until its results are
 * taken. */
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
		/* The last answer may have arrived together with the end of the connection. */
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
		r = postgres_report(self, result, sql);
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

/* The command tag of a SELECT has a number too. */
int64_t postgres_changed_rows(PGresult *result)
{
	const char *tag = libpq.PQcmdStatus(result);
	if (strncmp(tag, "SELECT", 6) == 0)
		return 0;
	return strtoll(libpq.PQcmdTuples(result), NULL, 10);
}

/* An unexpected number of changed rows is treated like a server error: the transaction can only be
 * rolled back. */
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
	int r = 0;
	for (size_t i = 0; self->handle && i < self->queued; i++) {
		PGresult *result = NULL;
		int one = postgres_result(self, self->queue[i].sql, &result);
		if (!one) {
			one = check_rows(self, &self->queue[i], result);
			libpq.PQclear(result);
		}
		r = r ? r : one;
	}
	self->queued = 0;
	self->unchecked = false;
	return r;
}

int postgres_synced(struct postgres_conn *self)
{
	PGresult *result = NULL;
	int r = postgres_collect(self);
	if (!self->handle)
		return r;
	int received = receive(self, &result);
	if (received)
		return received;
	bool synced = libpq.PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	libpq.PQclear(result);
	if (!synced)
		return postgres_lost(self, -EHOSTDOWN, "the end of a batch is missing");
	self->syncing = false;
	return r;
}

int postgres_simple(struct postgres_conn *self, const char *sql)
{
	int reported = 0;
	if (!libpq.PQexitPipelineMode(self->handle) || !libpq.PQsendQuery(self->handle, sql))
		return lost(self);
	int r = flush(self);
	while (!r) {
		PGresult *result = NULL;
		r = receive(self, &result);
		if (r || !result)
			break;
		if (libpq.PQresultStatus(result) == PGRES_FATAL_ERROR && !reported)
			reported = postgres_report(self, result, sql);
		libpq.PQclear(result);
		r = self->handle ? 0 : reported;
	}
	if (r)
		return r;
	return libpq.PQenterPipelineMode(self->handle) ? reported : lost(self);
}
