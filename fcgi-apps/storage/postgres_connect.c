#include "storage/postgres.h"

#include "base/clock.h"
#include "base/log.h"

/* Microseconds. */
#define ANSWER_GRACE CLOCK_SECOND       /* for the server to report its own time-out */
#define NAME_WAIT    (5 * CLOCK_SECOND) /* for the first address of a host */

/* Seconds to try each of several hosts: when no request waits, and when one does. A server that
 * many clients connect to at once needs longer, and every abandoned attempt costs it work. */
#define TIMEOUT_PATIENT "5"
#define TIMEOUT_HASTY   "2"

/* A statement of a killed process may keep waiting for a lock, and hold the locks it has. From
 * version 14 on the server checks whether its client is still connected. */
#define CHECKS_CLIENTS_VERSION 140000
#define CLIENT_CHECK           ", set_config('client_connection_check_interval', '250ms', false)"

#define READER_SETTINGS                                                                            \
	", set_config('default_transaction_isolation', 'repeatable read', false),"                 \
	" set_config('default_transaction_read_only', 'on', false)"

/* Prepared statements per session; each takes about ten kilobytes of the server's memory. */
#define NAMES_MAX 256

#define OLDEST_VERSION 130000 /* has generated columns and normalize() */

/* Parameters in the URL override these. */
static const struct {
	const char *keyword;
	const char *value;
} defaults[] = {
	{"client_encoding", "UTF8"},   {"gssencmode", "disable"},
	{"keepalives", "1"},           {"keepalives_idle", "30"},
	{"keepalives_interval", "5"},  {"keepalives_count", "3"},
	{"tcp_user_timeout", "10000"}, {"target_session_attrs", "read-write"},
};

static void log_notice(UNUSED void *argument, const char *message)
{
	log_write(LOG_DEBUG, "database notice", log_text("error.message", message));
}

/* libpq's messages name host, port, database and user, and contain line breaks. */
static int failed(struct postgres_conn *self, int error, const char *reason)
{
	postgres_remember(self, reason ? reason : libpq.PQerrorMessage(self->handle));
	postgres_disconnect(self);
	return error;
}

static int failed_to_find_hosts(struct postgres_conn *self, int error)
{
	char reason[256];
	snprintf(reason, sizeof(reason), "no address is known of %s",
		 postgres_hosts_names(self->server->hosts));
	return failed(self, error, reason);
}

struct parameters {
	const char *keywords[ARRAY_SIZE(defaults) + 6];
	const char *values[ARRAY_SIZE(defaults) + 6];
	size_t count;
};

static void set(struct parameters *parameters, const char *keyword, const char *value)
{
	parameters->keywords[parameters->count] = keyword;
	parameters->values[parameters->count++] = value;
}

static int shake_hands(struct postgres_conn *self, bool patient)
{
	struct postgres_addresses addresses;
	struct parameters parameters = {.count = 0};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		set(&parameters, defaults[i].keyword, defaults[i].value);
	set(&parameters, "connect_timeout", patient ? TIMEOUT_PATIENT : TIMEOUT_HASTY);
	set(&parameters, "dbname", self->server->url);
	if (self->server->hosts) {
		int64_t deadline = patient ? clock_monotonic() + NAME_WAIT : 0;
		int r = postgres_hosts_find(self->server->hosts, deadline, &addresses);
		if (r)
			return failed_to_find_hosts(self, r);
		/* These follow the URL's parameters and override them. */
		set(&parameters, "host", addresses.host);
		set(&parameters, "hostaddr", addresses.hostaddr);
		set(&parameters, "port", addresses.port);
	}
	self->handle = libpq.PQconnectdbParams(parameters.keywords, parameters.values, 1);
	if (!self->handle) {
		snprintf(self->message, sizeof(self->message), "out of memory");
		return -ENOMEM;
	}
	if (libpq.PQstatus(self->handle) != CONNECTION_OK)
		return failed(self, -EHOSTDOWN, NULL);
	libpq.PQsetNoticeProcessor(self->handle, log_notice, NULL);
	return 0;
}

/*
 * Sets the session's time-outs, but not behind a pooler, which lends its sessions to any client. A
 * pooler is recognised by the process id: it differs from the server's own.
 */
static int set_session(struct postgres_conn *self)
{
	PGresult *result;
	bool checks = libpq.PQserverVersion(self->handle) >= CHECKS_CLIENTS_VERSION;
	char sql[768];
	char lock[64];
	postgres_session_lock(self->server, self->role, lock, sizeof(lock));
	snprintf(sql, sizeof(sql),
		 "%s, set_config('client_min_messages', 'warning', false)%s%s%s"
		 " WHERE pg_backend_pid() = %d",
		 self->server->settings, self->role == DB_READER ? READER_SETTINGS : "", lock,
		 checks ? CLIENT_CHECK : "", libpq.PQbackendPID(self->handle));
	if (!libpq.PQsendQueryParams(self->handle, sql, 0, NULL, NULL, NULL, NULL, 0))
		return failed(self, -EHOSTDOWN, NULL);
	int r = postgres_send(self, true);
	if (!r)
		r = postgres_result(self, sql, &result);
	if (r)
		return r;
	self->pooled = libpq.PQntuples(result) == 0;
	libpq.PQclear(result);
	return postgres_synced(self);
}

static int set_up(struct postgres_conn *self)
{
	const char *encoding = libpq.PQparameterStatus(self->handle, "server_encoding");
	if (libpq.PQserverVersion(self->handle) < OLDEST_VERSION)
		return failed(self, -EINVAL, "the server is older than PostgreSQL 13");
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return failed(self, -EINVAL, "the database's encoding is not UTF8");
	if (libpq.PQsetnonblocking(self->handle, 1) != 0 ||
	    !libpq.PQenterPipelineMode(self->handle))
		return failed(self, -EHOSTDOWN, NULL);
	int r = set_session(self);
	if (r)
		postgres_disconnect(self);
	return r;
}

static int try_connect(struct postgres_conn *self, bool patient)
{
	self->limit = self->server->busy_timeout + ANSWER_GRACE;
	postgres_disconnect(self);
	self->silences = atomic_load(&self->server->silences);
	int r = shake_hands(self, patient);
	return r ? r : set_up(self);
}

void postgres_retire(struct postgres_conn *self)
{
	if (!self->handle || self->names < NAMES_MAX)
		return;
	log_write(LOG_DEBUG, "database session replaced: many prepared statements");
	postgres_disconnect(self);
	self->retired = true;
}

int postgres_reconnect(struct postgres_conn *self)
{
	bool lost = !self->retired;
	self->retired = false;
	if (!postgres_may_try(self->server))
		return -EHOSTDOWN;
	int r = try_connect(self, false);
	postgres_note_attempt(self->server, r == 0);
	if (r) {
		log_write(LOG_WARN, "cannot reach the database", log_error_code(r),
			  log_text("error.message", self->message));
	} else if (lost) {
		log_write(LOG_INFO, "connected to the database again");
		atomic_store(&self->server->regained_at, clock_monotonic());
	}
	self->conn.failed = 0;
	return r ? -EHOSTDOWN : 0;
}

static void pause_for(int64_t duration)
{
	nanosleep(&(struct timespec){.tv_sec = duration / CLOCK_SECOND,
				     .tv_nsec = duration % CLOCK_SECOND * 1000},
		  NULL);
}

/* When everything starts together, the server may be the last to come up. */
static int connect_patiently(struct postgres_conn *self, int64_t patience)
{
	int64_t deadline = clock_monotonic() + patience;
	for (unsigned failures = 0;; failures++) {
		int r = try_connect(self, true);
		int64_t delay = postgres_backoff(failures);
		if (r != -EHOSTDOWN || clock_monotonic() + delay > deadline)
			return r;
		log_write(LOG_WARN, "cannot reach the database, trying again",
			  log_text("error.message", self->message));
		pause_for(delay);
	}
}

int postgres_open(const struct db_options *options, void *shared, enum db_role role,
		  struct db_conn **ret_conn, char *reterr_message, size_t error_size)
{
	struct postgres_conn *self = calloc(1, sizeof(*self));
	if (!self) {
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	self->conn.driver = &postgres_driver;
	self->server = shared;
	self->role = role;
	statements_init(&self->statements, postgres_statement_free);
	int r = connect_patiently(self, options->connect_patience);
	if (r) {
		snprintf(reterr_message, error_size, "cannot use the database: %s", self->message);
		postgres_close(&self->conn);
		return r;
	}
	postgres_note_attempt(self->server, true);
	*ret_conn = &self->conn;
	return 0;
}

void postgres_close(struct db_conn *conn)
{
	struct postgres_conn *self = postgres_conn(conn);
	postgres_disconnect(self);
	free(self->scratch);
	free(self);
}
