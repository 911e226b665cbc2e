#include "storage/postgres.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "base/wait.h"

/* Microseconds. */
#define BACKOFF_BASE    (50 * 1000)
#define BACKOFF_LONGEST (2 * CLOCK_SECOND)
#define PROBE_WAIT      (CLOCK_SECOND / 4) /* how long to wait for another thread's attempt */

/* The lock time-out is the same as on SQLite, and a statement may take no longer (milliseconds). A
 * transaction must not keep its locks when its client has stopped or vanished. A statement uses
 * only one of the server's processors. */
#define SETTINGS                                                                                   \
	"SELECT set_config('lock_timeout', '%1$" PRId64 "', %2$s),"                                \
	" set_config('statement_timeout', '%1$" PRId64 "', %2$s),"                                 \
	" set_config('idle_in_transaction_session_timeout', '10s', %2$s),"                         \
	" set_config('max_parallel_workers_per_gather', '0', %2$s),"                               \
	" set_config('jit', 'off', %2$s)"

/* ---- the URL ---- */

/* libpq's messages repeat the URL. libpq also ends the user part at the first "@": the rest of an
 * unencoded password would be taken for the host and appear in messages. */
static bool is_valid(const char *url)
{
	bool valid = true;
	char *message = NULL;
	PQconninfoOption *options = libpq.PQconninfoParse(url, &message);
	if (!options) {
		libpq.PQfreemem(message);
		return false;
	}
	for (PQconninfoOption *option = options; option->keyword; option++)
		if (strcmp(option->keyword, "host") == 0 && option->val && strchr(option->val, '@'))
			valid = false;
	libpq.PQconninfoFree(options);
	return valid;
}

/* The value in the URL, else the one in the environment, else libpq's default. */
static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++) {
		if (strcmp(options->keyword, keyword) != 0)
			continue;
		const char *around = options->envvar ? getenv(options->envvar) : NULL;
		const char *usual = options->compiled ? options->compiled : "";
		return options->val ? options->val : around ? around : usual;
	}
	return "";
}

static int refuse_url(char *reterr_message, size_t error_size)
{
	snprintf(reterr_message, error_size,
		 "the database URL is not of the form postgresql://user:password@host:port/"
		 "database (special characters percent-encoded)");
	return -EINVAL;
}

int postgres_describe(const char *url, char *ret_text, size_t size, char *reterr_message,
		      size_t error_size)
{
	int r = libpq_load(reterr_message, error_size);
	if (r)
		return r;
	if (!is_valid(url))
		return refuse_url(reterr_message, error_size);
	PQconninfoOption *options = libpq.PQconninfoParse(url, NULL);
	if (!options) {
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	snprintf(ret_text, size, "postgresql://%s:%s/%s", value_of(options, "host"),
		 value_of(options, "port"), value_of(options, "dbname"));
	libpq.PQconninfoFree(options);
	return 0;
}

/* For a valid URL. Nothing to do if the URL has addresses, or if a service file names the hosts. */
static int find_hosts(struct postgres_server *server)
{
	PQconninfoOption *options = libpq.PQconninfoParse(server->url, NULL);
	int r = options ? 0 : -ENOMEM;
	if (!r && !*value_of(options, "hostaddr") && !*value_of(options, "service"))
		r = postgres_hosts_create(value_of(options, "host"), value_of(options, "port"),
					  &server->hosts);
	libpq.PQconninfoFree(options);
	return r;
}

int postgres_share(const struct db_options *options, void **ret_shared, char *reterr_message,
		   size_t error_size)
{
	int r = libpq_load(reterr_message, error_size);
	if (r)
		return r;
	if (!is_valid(options->url))
		return refuse_url(reterr_message, error_size);
	struct postgres_server *server = calloc(1, sizeof(*server));
	char *url = strdup(options->url);
	if (!server || !url) {
		free(server);
		free(url);
		snprintf(reterr_message, error_size, "out of memory");
		return -ENOMEM;
	}
	server->url = url;
	server->busy_timeout = options->busy_timeout;
	if (options->session)
		server->session = 1 + (int64_t)random_below(INT64_MAX - 1);
	int64_t milliseconds = options->busy_timeout / 1000;
	snprintf(server->settings, sizeof(server->settings), SETTINGS, milliseconds, "false");
	snprintf(server->local_settings, sizeof(server->local_settings), SETTINGS, milliseconds,
		 "true");
	pthread_mutex_init(&server->mutex, NULL);
	wait_init(&server->probed);
	r = find_hosts(server);
	if (r) {
		snprintf(reterr_message, error_size, "out of memory");
		postgres_unshare(server);
		return r;
	}
	*ret_shared = server;
	return 0;
}

void postgres_unshare(void *shared)
{
	struct postgres_server *server = shared;
	pthread_cond_destroy(&server->probed);
	pthread_mutex_destroy(&server->mutex);
	postgres_hosts_free(server->hosts);
	free(server->url);
	free(server);
}

/* ---- whether it answers ---- */

int64_t postgres_backoff(unsigned failures)
{
	int64_t ceiling = failures < 6 ? (int64_t)BACKOFF_BASE << failures : BACKOFF_LONGEST;
	return ceiling / 2 + (int64_t)random_below((uint64_t)ceiling / 2);
}

bool postgres_may_try(struct postgres_server *server)
{
	pthread_mutex_lock(&server->mutex);
	while (server->probing &&
	       wait_until(&server->probed, &server->mutex, server->probe_begin + PROBE_WAIT))
		;
	bool may = !server->down || (!server->probing && clock_monotonic() >= server->retry_at);
	if (may && server->down) {
		server->probing = true;
		server->probe_begin = clock_monotonic();
	}
	pthread_mutex_unlock(&server->mutex);
	return may;
}

void postgres_note_attempt(struct postgres_server *server, bool success)
{
	pthread_mutex_lock(&server->mutex);
	server->failures = success ? 0 : server->failures + 1;
	server->retry_at = clock_monotonic() + postgres_backoff(server->failures);
	server->down = !success;
	server->probing = false;
	pthread_cond_broadcast(&server->probed);
	pthread_mutex_unlock(&server->mutex);
}

void postgres_distrust(struct postgres_conn *self)
{
	struct postgres_server *server = self->server;
	pthread_mutex_lock(&server->mutex);
	if (postgres_trusted(self)) {
		atomic_fetch_add(&server->silences, 1);
		server->down = true;
		server->retry_at = clock_monotonic();
	}
	pthread_mutex_unlock(&server->mutex);
}

bool postgres_trusted(const struct postgres_conn *self)
{
	return self->silences == atomic_load(&self->server->silences);
}
