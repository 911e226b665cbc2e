#include "responder/server.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/processors.h"
#include "responder/command.h"
#include "responder/guard.h"
#include "responder/housekeeping.h"
#include "responder/version.h"

#define LARGE_BLOCK     (256 << 10) /* bytes; larger blocks are not part of the heap */
#define KEPT_FREE       (512 << 10)
#define REQUEST_TIMEOUT (5 * CLOCK_SECOND)
#define BUSY_TIMEOUT    (4 * CLOCK_SECOND)
#define QUEUE_LIMIT     1024

/* How many requests may wait for a thread. A request that calls siblings mostly waits for them. A
 * read uses the processor: behind more than this many it would hardly end in time. */
#define CALLS_WAITING 1024
#define READS_WAITING 128
#define READ_THREADS  4 /* at most */
/* Reads compute for milliseconds at a time: a look-up that arrives meanwhile gets the processor
 * first. */
#define READ_NICENESS 10

/* When everything is started together, a database server may need this long. */
#define CONNECT_PATIENCE (30 * CLOCK_SECOND)

/* For a worker that is ending, in addition to its drain time. */
#define PLACE_PATIENCE (5 * CLOCK_SECOND)

struct settings {
	const char *database_url;
	char database[512]; /* in the form of db_describe() */
	enum log_level log_level;
	struct currency currency;
	size_t worker_threads;
	size_t pool_size;
	int64_t drain_timeout;
	int64_t keys_max;
	bool check_responses;
	bool single_commit;
	struct guard *guard; /* or NULL */
};

static size_t default_threads(void)
{
	size_t cores = processors();
	return cores < 2 ? 2 : cores > 8 ? 8 : cores;
}

static int read_settings(const struct service *service, struct settings *settings)
{
	settings->database_url = config_text("DATABASE_URL", service->default_database);
	const char *level = config_text("LOG_LEVEL", "info");
	if (log_level_parse(level, &settings->log_level) < 0)
		config_reject("LOG_LEVEL", level, "debug, info, warn or error");
	const char *currency = config_text("CURRENCY", "USD");
	if (currency_find(currency, &settings->currency) < 0)
		config_reject("CURRENCY", currency, "an ISO 4217 code such as USD");
	settings->worker_threads =
		(size_t)config_int("WORKER_THREADS", (int64_t)default_threads(), 1, 64);
	settings->pool_size =
		(size_t)config_int("DB_POOL_SIZE", (int64_t)settings->worker_threads + 2, 2, 64);
	settings->drain_timeout = config_int("DRAIN_SECONDS", 20, 1, 600) * CLOCK_SECOND;
	settings->keys_max = config_int("IDEMPOTENCY_KEYS_MAX", 20000000, 1, 1000000000);
	settings->check_responses = config_bool("CONTRACT_CHECK_RESPONSES", false);
	settings->single_commit = config_bool("DB_SINGLE_COMMIT", false);
	failpoint_start();
	int r = guard_create(service->contract, &settings->guard);
	return r == 0 && config_failed() ? -EINVAL : r;
}

static int refuse_store(const struct settings *settings, const char *reason, int error)
{
	char text[1024];
	snprintf(text, sizeof(text), "%s%s%s", settings->database, *settings->database ? ": " : "",
		 reason);
	log_write(LOG_ERROR, "cannot open the store (DATABASE_URL)",
		  log_text("error.message", text), log_error_code(error));
	return error;
}

static int open_store(struct server *server, const struct settings *settings)
{
	const struct service *service = server->runtime.service;
	struct db_options options = {
		.url = settings->database_url,
		.readers = settings->pool_size,
		.busy_timeout = BUSY_TIMEOUT,
		.connect_patience = CONNECT_PATIENCE,
		.queue_limit = QUEUE_LIMIT,
		.single_commit = settings->single_commit,
		.session = service->session,
		.before_commit = service->before_commit,
		.migrations = service->migrations,
		.migration_count = service->migration_count,
	};
	char error[512] = "";
	int r = db_open(&options, &server->runtime.db, error, sizeof(error));
	return r < 0 ? refuse_store(settings, error, r) : 0;
}

/* Finds out whose the socket is, before the store is touched. */
static int claim_place(struct server *server, struct settings *settings)
{
	char error[512] = "";
	int r = db_describe(settings->database_url, settings->database, sizeof(settings->database),
			    error, sizeof(error));
	return r < 0 ? refuse_store(settings, error, r)
		     : listener_claim(&server->place, settings->database,
				      settings->drain_timeout + PLACE_PATIENCE);
}

static sigset_t ending_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	return signals;
}

static void end_at_once(int number UNUSED)
{
	_exit(EXIT_SUCCESS);
}

/* Until the first request there is nothing to finish, and waiting for a server, or for another
 * replica's migration, may take long. */
static void let_signals_end(void)
{
	signal(SIGTERM, end_at_once);
	signal(SIGINT, end_at_once);
}

/* In this thread, which will wait for the signals, and in those that it starts from now on. */
static void block_signals(void)
{
	sigset_t signals = ending_signals();
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* Reads hold at most half of the read connections, so look-ups soon find one. They also leave one
 * processor free: niceness has little effect on nginx, which the kernel may schedule as another
 * session or container, and none on a database server. */
static size_t read_threads(const struct settings *settings)
{
	size_t half = settings->pool_size / 2;
	size_t threads = half < READ_THREADS ? half : READ_THREADS;
	size_t cores = processors();
	return threads < cores ? threads : cores > 1 ? cores - 1 : 1;
}

/* Everything that may fail because of a bad setting or store. */
static int prepare(struct server *server, struct settings *settings)
{
	const struct service *service = server->runtime.service;
	int r = metrics_create(server->runtime.contract, &server->metrics);
	/* Before the store: a bad setting must not leave a migrated database behind. */
	if (r == 0 && service->start)
		r = service->start(&server->runtime, &server->app);
	if (r == 0)
		r = claim_place(server, settings);
	if (r == 0)
		r = open_store(server, settings);
	if (r == 0 && service->check_store)
		r = service->check_store(&server->runtime);
	if (r == 0 && service->recover)
		service->recover(server->app);
	return r;
}

static int create_dispatcher(struct dispatcher *dispatcher, const struct service *service,
			     const struct settings *settings)
{
	dispatcher->check_responses = settings->check_responses;
	int r = gate_create(&dispatcher->gate);
	if (r == 0)
		r = thread_pool_create(service->blocking_threads, CALLS_WAITING, 0,
				       &dispatcher->calls);
	if (r == 0)
		r = thread_pool_create(read_threads(settings), READS_WAITING, READ_NICENESS,
				       &dispatcher->reads);
	return r;
}

static int start_tasks(struct server *server)
{
	const struct service *service = server->runtime.service;
	int r = tasks_create(&server->runtime, &server->runtime.tasks);
	if (r == 0)
		r = housekeeping_start(server->runtime.tasks, server->exchanges);
	if (r == 0 && server->runtime.guard)
		r = housekeeping_renew_keys(server->runtime.tasks);
	if (r == 0)
		r = tasks_start(server->runtime.tasks, service->tasks, service->task_count,
				server->app);
	return r;
}

static int start_loop(struct server *server, const struct settings *settings)
{
	const struct loop_options options = {
		.connections = server->connections,
		.exchanges = server->exchanges,
		.dispatcher = &server->dispatcher,
		.threads = settings->worker_threads,
		.share_limit = db_batch_limit(server->runtime.db),
	};
	return loop_start(&options, &server->loop);
}

static int start(struct server *server, struct settings *settings)
{
	int r = prepare(server, settings);
	block_signals();
	if (r == 0)
		r = create_dispatcher(&server->dispatcher, server->runtime.service, settings);
	if (r == 0)
		r = connections_open(STDIN_FILENO, &server->connections);
	if (r == 0)
		r = exchanges_create(server->connections, server->metrics, &server->runtime,
				     server->app, &server->exchanges);
	if (r == 0)
		r = start_tasks(server);
	if (r == 0)
		r = listener_serve(&server->place);
	if (r == 0)
		r = start_loop(server, settings);
	return r;
}

static void stop(struct server *server)
{
	const struct service *service = server->runtime.service;
	loop_free(server->loop);
	thread_pool_free(server->dispatcher.calls);
	thread_pool_free(server->dispatcher.reads);
	tasks_stop(server->runtime.tasks);
	if (service->stop && server->app)
		service->stop(server->app);
	db_close(server->runtime.db);
	exchanges_free(server->exchanges);
	connections_free(server->connections);
	gate_free(server->dispatcher.gate);
	metrics_free(server->metrics);
	guard_free(server->runtime.guard);
	listener_release(&server->place);
}

/* Returns the signal that came, or 0 if no client can reach this worker any more. */
static int wait_for_end(const struct listener *place)
{
	static const struct timespec second = {.tv_sec = 1};
	sigset_t signals = ending_signals();
	int number;

	while ((number = sigtimedwait(&signals, NULL, &second)) < 0) {
		if (!listener_is_lost(place))
			continue;
		log_write(LOG_ERROR, "the socket was removed or replaced: clients cannot find it",
			  log_text("file.path", place->path));
		return 0;
	}
	return number;
}

static void tune_malloc(void)
{
	/* One arena is enough for a few threads with a cache each, and wastes least memory. */
	mallopt(M_ARENA_MAX, 1);
	/* Long texts grow in place and return to the system at once. Setting this also keeps glibc
	 * from raising the threshold when the first one is freed. */
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	/* Keeps the memory that each commit needs for a moment; exchanges_trim() gives the rest
	 * back after a burst. */
	mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
}

int server_main(const struct service *service, int argc, char **argv)
{
	if (argc > 1)
		return command_run(service, argc, argv);

	tune_malloc();
	struct settings settings = {0};
	log_start(service->name, LOG_INFO);
	if (read_settings(service, &settings) < 0)
		return EXIT_FAILURE;
	log_start(service->name, settings.log_level);

	struct server server = {
		.runtime = {.service = service,
			    .guard = settings.guard,
			    .guests = guard_guests(settings.guard),
			    .contract = service->contract,
			    .currency = settings.currency,
			    .request_timeout = REQUEST_TIMEOUT,
			    .keys_max = settings.keys_max,
			    .server = &server},
		.started_at = clock_now(),
	};
	contract_start(service->contract, settings.currency, service_version);
	let_signals_end();
	if (start(&server, &settings) < 0) {
		log_write(LOG_ERROR, "cannot start");
		/* Threads may be running: nothing can be freed while they use it. */
		_exit(EXIT_FAILURE);
	}
	signal(SIGPIPE, SIG_IGN);
	log_write(LOG_INFO, "started", log_text("service.version", service_version),
		  log_int("process.thread.count", (int64_t)settings.worker_threads));

	int number = wait_for_end(&server.place);
	log_write(LOG_INFO, "draining", log_int("process.signal", number));
	bool complete = loop_drain(server.loop, settings.drain_timeout);
	if (!complete) {
		/* Threads still own their requests: nothing can be freed while they use it. */
		log_write(LOG_ERROR, "requests were still running when the drain timeout expired",
			  log_int("http.requests", exchanges_in_flight(server.exchanges)));
		_exit(EXIT_FAILURE);
	}
	stop(&server);
	log_write(LOG_INFO, "stopped");
	return number ? EXIT_SUCCESS : EXIT_FAILURE;
}
