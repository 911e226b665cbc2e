#include "responder/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"
#include "responder/connections.h"
#include "responder/server.h"
#include "responder/thread_pool.h"
#include "responder/version.h"

/* Upper bounds of the duration histogram, in microseconds. */
static const int64_t bounds[] = {100,   250,    500,    1000,   2500,    5000,    10000,  25000,
				 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};
#define BOUND_COUNT ARRAY_SIZE(bounds)

/* Statuses that are counted one by one; the others share the last slot, shown as "other". */
static const int statuses[] = {200, 201, 204, 304, 400, 403, 404, 405,
			       409, 412, 413, 415, 422, 499, 500, 503};
#define STATUS_COUNT (ARRAY_SIZE(statuses) + 1)

/* Requests of one operation that were answered with one status. */
struct answered {
	atomic_llong by_duration[BOUND_COUNT + 1];
	atomic_llong microseconds;
};

struct operation_metrics {
	struct answered by_status[STATUS_COUNT];
};

struct metrics {
	const struct contract *contract;
	int64_t started_at;
	size_t count; /* operations, and one more for requests of none */
	struct operation_metrics operations[];
};

int metrics_create(const struct contract *contract, struct metrics **ret_metrics)
{
	size_t count = contract_operation_count(contract) + 1;
	struct metrics *metrics =
		calloc(1, sizeof(*metrics) + count * sizeof(metrics->operations[0]));
	if (!metrics)
		return -ENOMEM;
	metrics->contract = contract;
	metrics->started_at = clock_now();
	metrics->count = count;
	*ret_metrics = metrics;
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

static void add(atomic_llong *counter, int64_t amount)
{
	atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static int64_t load(atomic_llong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_count(struct metrics *metrics, const struct operation *operation, int status,
		   int64_t duration)
{
	struct operation_metrics *entry =
		&metrics->operations[operation ? operation->index : metrics->count - 1];
	size_t slot = 0;
	while (slot < ARRAY_SIZE(statuses) && statuses[slot] != status)
		slot++;
	struct answered *answered = &entry->by_status[slot];
	size_t bucket = 0;
	while (bucket < BOUND_COUNT && duration > bounds[bucket])
		bucket++;
	add(&answered->by_duration[bucket], 1);
	add(&answered->microseconds, duration);
}

static const char *operation_name(const struct metrics *metrics, size_t index)
{
	return index + 1 == metrics->count ? "none"
					   : contract_operation(metrics->contract, index)->id;
}

static const char *status_name(size_t slot, char name[12])
{
	if (slot == ARRAY_SIZE(statuses))
		return "other";
	snprintf(name, 12, "%d", statuses[slot]);
	return name;
}

static int64_t total(struct answered *answered)
{
	int64_t count = 0;

	for (size_t b = 0; b <= BOUND_COUNT; b++)
		count += load(&answered->by_duration[b]);
	return count;
}

static void write_requests(struct metrics *metrics, struct text *out)
{
	struct metric requests =
		metric_family(out, METRIC_COUNTER, "http_requests_total", "Answered requests.");
	for (size_t i = 0; i < metrics->count; i++) {
		for (size_t s = 0; s < STATUS_COUNT; s++) {
			int64_t count = total(&metrics->operations[i].by_status[s]);
			char status[12];
			if (count > 0)
				metric_int(&requests, count, "operation",
					   operation_name(metrics, i), "status",
					   status_name(s, status));
		}
	}
}

static void write_duration(const struct metric *metric, const char *operation, const char *status,
			   struct answered *answered)
{
	int64_t counts[BOUND_COUNT + 1];
	int64_t count = 0;
	for (size_t b = 0; b <= BOUND_COUNT; b++)
		count += counts[b] = load(&answered->by_duration[b]);
	if (count == 0)
		return;
	struct metric_durations durations = {.bound_count = BOUND_COUNT,
					     .bounds = bounds,
					     .counts = counts,
					     .sum = load(&answered->microseconds)};
	metric_histogram(metric, &durations, "operation", operation, "status", status);
}

static void write_durations(struct metrics *metrics, struct text *out)
{
	struct metric durations =
		metric_family(out, METRIC_HISTOGRAM, "http_request_duration_seconds",
			      "Time from reading a request to its answer.");
	for (size_t i = 0; i < metrics->count; i++) {
		for (size_t s = 0; s < STATUS_COUNT; s++) {
			char status[12];
			write_duration(&durations, operation_name(metrics, i),
				       status_name(s, status),
				       &metrics->operations[i].by_status[s]);
		}
	}
}

static void write_queues(struct server *server, struct text *out)
{
	struct thread_pool_stats calls, reads;
	thread_pool_stats(server->calls, &calls);
	thread_pool_stats(server->reads, &reads);
	struct metric waiting = metric_family(out, METRIC_GAUGE, "http_requests_waiting",
					      "Requests that wait for a thread.");
	metric_int(&waiting, calls.waiting, "pool", "calls");
	metric_int(&waiting, reads.waiting, "pool", "reads");
	struct metric refused =
		metric_family(out, METRIC_COUNTER, "http_requests_refused_total",
			      "Requests refused since too many waited for a thread.");
	metric_int(&refused, calls.refused, "pool", "calls");
	metric_int(&refused, reads.refused, "pool", "reads");
}

static void write_store(struct server *server, struct text *out)
{
	struct db_stats stats;
	db_stats(server->runtime.db, &stats);
	metric_counter(out, "db_commits_total", "Commits, each of a group of transactions.",
		       stats.commits);
	metric_counter(out, "db_transactions_total", "Transactions inside the commits.",
		       stats.jobs);
	metric_counter(out, "db_retries_total", "Transactions run again.", stats.retries);
	metric_gauge(out, "db_transactions_waiting", "Transactions waiting for their turn.",
		     stats.waiting);
	metric_gauge(out, "db_pool_connections", "Read connections.", stats.readers);
	metric_gauge(out, "db_pool_connections_in_use", "Read connections lent out.",
		     stats.readers_in_use);
	metric_counter(out, "db_pool_timeouts_total",
		       "Reads given up since no connection was free in time.",
		       stats.reader_timeouts);
}

static void write_upstreams(struct server *server, struct text *out)
{
	const struct service *service = server->runtime.service;
	struct upstream *list[4];
	size_t count =
		service->upstreams ? service->upstreams(server->app, list, ARRAY_SIZE(list)) : 0;
	if (count == 0)
		return;
	struct upstream_stats stats[ARRAY_SIZE(list)];
	for (size_t i = 0; i < count; i++)
		upstream_stats(list[i], &stats[i]);

	static const struct {
		const char *name;
		const char *help;
		size_t offset;
	} counters[] = {
		{"upstream_calls_total", "Calls to a sibling service.",
		 offsetof(struct upstream_stats, calls)},
		{"upstream_retries_total", "Tries after the first.",
		 offsetof(struct upstream_stats, retries)},
		{"upstream_failures_total", "Calls that ended with an error.",
		 offsetof(struct upstream_stats, failures)},
		{"upstream_refused_total", "Calls not tried, the breaker being open.",
		 offsetof(struct upstream_stats, refused)},
	};
	for (size_t c = 0; c < ARRAY_SIZE(counters); c++) {
		struct metric metric =
			metric_family(out, METRIC_COUNTER, counters[c].name, counters[c].help);
		for (size_t i = 0; i < count; i++) {
			int64_t value;
			memcpy(&value, (const char *)&stats[i] + counters[c].offset, sizeof(value));
			metric_int(&metric, value, "upstream", upstream_name(list[i]));
		}
	}
	struct metric breaker = metric_family(out, METRIC_GAUGE, "upstream_breaker_state",
					      "0 closed, 1 open, 2 half open.");
	for (size_t i = 0; i < count; i++)
		metric_int(&breaker, stats[i].breaker, "upstream", upstream_name(list[i]));
}

static int64_t count_open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	int64_t count = -3; /* ".", ".." and the directory itself */
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* proc(5) statm: all pages, then the resident ones. */
static void write_memory(struct text *out)
{
	char line[128] = "";
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return;
	char *end = fgets(line, sizeof(line), file);
	fclose(file);
	if (!end)
		return;
	int64_t page = sysconf(_SC_PAGESIZE);
	int64_t all = strtoll(line, &end, 10);
	int64_t resident = strtoll(end, NULL, 10);
	metric_gauge(out, "process_virtual_memory_bytes", "Virtual memory.", all * page);
	metric_gauge(out, "process_resident_memory_bytes", "Resident memory.", resident * page);
}

/* Names as the Prometheus client libraries use. */
static void write_process(const struct metrics *metrics, struct text *out)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	struct metric cpu = metric_family(out, METRIC_COUNTER, "process_cpu_seconds_total",
					  "User and system CPU time.");
	metric_seconds(&cpu, (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_SECOND +
				     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	struct metric start = metric_family(out, METRIC_GAUGE, "process_start_time_seconds",
					    "When the process started, Unix time.");
	metric_seconds(&start, metrics->started_at);
	write_memory(out);
	metric_gauge(out, "process_open_fds", "Open file descriptors.", count_open_files());
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	metric_gauge(out, "process_max_fds", "Limit of open file descriptors.",
		     (int64_t)limit.rlim_cur);
}

void metrics_write(struct server *server, struct text *out)
{
	const struct service *service = server->runtime.service;
	struct metric build = metric_family(out, METRIC_GAUGE, "build_info",
					    "Always 1; the labels tell what runs.");
	metric_int(&build, 1, "service", service->name, "version", service_version);
	metric_gauge(out, "service_ready", "Whether /readyz would say so now.",
		     server_ready(server) == 0);
	write_requests(server->metrics, out);
	write_durations(server->metrics, out);
	metric_gauge(out, "http_requests_in_flight", "Requests received and not answered yet.",
		     atomic_load(&server->in_flight));
	metric_gauge(out, "fastcgi_connections", "Open connections from nginx.",
		     connections_count(server->connections));
	write_queues(server, out);
	write_store(server, out);
	metric_gauge(out, "idempotency_keys",
		     "Idempotency-Keys stored, counted now and then, up to IDEMPOTENCY_KEYS_MAX.",
		     atomic_load_explicit(&server->key_count, memory_order_relaxed));
	metric_gauge(
		out, "idempotency_keys_max",
		"IDEMPOTENCY_KEYS_MAX: with so many stored, requests with a new one are refused.",
		server->keys_max);
	write_upstreams(server, out);
	if (service->metrics)
		service->metrics(&server->runtime, server->app, out);
	write_process(server->metrics, out);
}
