#include "responder/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "responder/server.h"
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

static long long load(atomic_llong *counter)
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

static void family(struct text *out, const char *name, const char *type, const char *help)
{
	text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(struct text *out, const char *name, const char *type, const char *help,
		   int64_t value)
{
	family(out, name, type, help);
	text_printf(out, "%s %lld\n", name, (long long)value);
}

/* Microseconds as decimal seconds, exactly. */
static void append_seconds(struct text *out, int64_t microseconds)
{
	text_printf(out, "%lld.%06lld", (long long)(microseconds / 1000000),
		    (long long)(microseconds % 1000000));
}

static const char *operation_name(const struct metrics *metrics, size_t index)
{
	return index + 1 == metrics->count ? "none"
					   : contract_operation(metrics->contract, index)->id;
}

/* {operation="…",status="…" and what follows. */
static void append_labels(struct text *out, const struct metrics *metrics, size_t operation,
			  size_t slot, const char *rest)
{
	text_printf(out, "{operation=\"%s\",status=\"", operation_name(metrics, operation));
	if (slot < ARRAY_SIZE(statuses))
		text_append_int(out, statuses[slot]);
	else
		text_append_string(out, "other");
	text_append_string(out, rest);
}

static void write_requests(struct metrics *metrics, struct text *out)
{
	const char *name = "http_requests_total";
	family(out, name, "counter", "Answered requests.");
	for (size_t i = 0; i < metrics->count; i++) {
		for (size_t s = 0; s < STATUS_COUNT; s++) {
			struct answered *answered = &metrics->operations[i].by_status[s];
			long long count = 0;
			for (size_t b = 0; b <= BOUND_COUNT; b++)
				count += load(&answered->by_duration[b]);
			if (count == 0)
				continue;
			text_append_string(out, name);
			append_labels(out, metrics, i, s, "\"} ");
			text_printf(out, "%lld\n", count);
		}
	}
}

static void write_duration(struct metrics *metrics, size_t operation, size_t slot, struct text *out)
{
	const char *name = "http_request_duration_seconds";
	struct answered *answered = &metrics->operations[operation].by_status[slot];
	long long below[BOUND_COUNT + 1];
	long long count = 0;
	for (size_t b = 0; b <= BOUND_COUNT; b++)
		below[b] = count += load(&answered->by_duration[b]);
	if (count == 0)
		return;
	for (size_t b = 0; b < BOUND_COUNT; b++) {
		text_printf(out, "%s_bucket", name);
		append_labels(out, metrics, operation, slot, "\",le=\"");
		text_printf(out, "%g\"} %lld\n", (double)bounds[b] / CLOCK_SECOND, below[b]);
	}
	text_printf(out, "%s_bucket", name);
	append_labels(out, metrics, operation, slot, "\",le=\"+Inf\"} ");
	text_printf(out, "%lld\n%s_sum", count, name);
	append_labels(out, metrics, operation, slot, "\"} ");
	append_seconds(out, load(&answered->microseconds));
	text_printf(out, "\n%s_count", name);
	append_labels(out, metrics, operation, slot, "\"} ");
	text_printf(out, "%lld\n", count);
}

static void write_durations(struct metrics *metrics, struct text *out)
{
	family(out, "http_request_duration_seconds", "histogram",
	       "Time from reading a request to its answer.");
	for (size_t i = 0; i < metrics->count; i++)
		for (size_t s = 0; s < STATUS_COUNT; s++)
			write_duration(metrics, i, s, out);
}

static void write_queues(struct server *server, struct text *out)
{
	struct blocking_stats calls, reads;
	blocking_stats(server->blocking, &calls);
	blocking_stats(server->reads, &reads);
	family(out, "http_requests_waiting", "gauge", "Requests that wait for a thread.");
	text_printf(out, "http_requests_waiting{pool=\"calls\"} %lld\n", (long long)calls.waiting);
	text_printf(out, "http_requests_waiting{pool=\"reads\"} %lld\n", (long long)reads.waiting);
	family(out, "http_requests_refused_total", "counter",
	       "Requests refused since too many waited for a thread.");
	text_printf(out, "http_requests_refused_total{pool=\"calls\"} %lld\n",
		    (long long)calls.refused);
	text_printf(out, "http_requests_refused_total{pool=\"reads\"} %lld\n",
		    (long long)reads.refused);
}

static void write_store(struct server *server, struct text *out)
{
	struct db_stats stats;
	db_stats(server->runtime.db, &stats);
	single(out, "db_commits_total", "counter", "Commits, each of a group of transactions.",
	       stats.commits);
	single(out, "db_transactions_total", "counter", "Transactions inside the commits.",
	       stats.jobs);
	single(out, "db_retries_total", "counter", "Transactions run again.", stats.retries);
	single(out, "db_transactions_waiting", "gauge", "Transactions waiting for their turn.",
	       stats.waiting);
	single(out, "db_pool_connections", "gauge", "Read connections.", stats.readers);
	single(out, "db_pool_connections_in_use", "gauge", "Read connections lent out.",
	       stats.readers_in_use);
	single(out, "db_pool_timeouts_total", "counter",
	       "Reads given up since no connection was free in time.", stats.reader_timeouts);
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
		const char *type;
		const char *help;
		size_t offset;
	} families[] = {
		{"upstream_calls_total", "counter", "Calls to a sibling service.",
		 offsetof(struct upstream_stats, calls)},
		{"upstream_retries_total", "counter", "Tries after the first.",
		 offsetof(struct upstream_stats, retries)},
		{"upstream_failures_total", "counter", "Calls that ended with an error.",
		 offsetof(struct upstream_stats, failures)},
		{"upstream_refused_total", "counter", "Calls not tried, the breaker being open.",
		 offsetof(struct upstream_stats, refused)},
	};
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		family(out, families[f].name, families[f].type, families[f].help);
		for (size_t i = 0; i < count; i++) {
			int64_t value;
			memcpy(&value, (const char *)&stats[i] + families[f].offset, sizeof(value));
			text_printf(out, "%s{upstream=\"%s\"} %lld\n", families[f].name,
				    upstream_name(list[i]), (long long)value);
		}
	}
	family(out, "upstream_breaker_state", "gauge", "0 closed, 1 open, 2 half open.");
	for (size_t i = 0; i < count; i++)
		text_printf(out, "upstream_breaker_state{upstream=\"%s\"} %d\n",
			    upstream_name(list[i]), (int)stats[i].breaker);
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
	single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", all * page);
	single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident * page);
}

static void seconds(struct text *out, const char *name, const char *type, const char *help,
		    int64_t microseconds)
{
	family(out, name, type, help);
	text_append_string(out, name);
	text_append_char(out, ' ');
	append_seconds(out, microseconds);
	text_append_char(out, '\n');
}

/* Names as the Prometheus client libraries use. */
static void write_process(const struct metrics *metrics, struct text *out)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	seconds(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
		(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_SECOND +
			usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	seconds(out, "process_start_time_seconds", "gauge", "When the process started, Unix time.",
		metrics->started_at);
	write_memory(out);
	single(out, "process_open_fds", "gauge", "Open file descriptors.", count_open_files());
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	single(out, "process_max_fds", "gauge", "Limit of open file descriptors.",
	       (int64_t)limit.rlim_cur);
}

void metrics_write(struct server *server, struct text *out)
{
	const struct service *service = server->runtime.service;
	family(out, "build_info", "gauge", "Always 1; the labels tell what runs.");
	text_printf(out, "build_info{service=\"%s\",version=\"%s\"} 1\n", service->name,
		    service_version);
	single(out, "service_ready", "gauge", "Whether /readyz would say so now.",
	       server_ready(server) == 0);
	write_requests(server->metrics, out);
	write_durations(server->metrics, out);
	single(out, "http_requests_in_flight", "gauge", "Requests received and not answered yet.",
	       atomic_load(&server->in_flight));
	single(out, "fastcgi_connections", "gauge", "Open connections from nginx.",
	       atomic_load(&server->connections));
	write_queues(server, out);
	write_store(server, out);
	single(out, "idempotency_keys", "gauge",
	       "Idempotency-Keys stored, counted now and then, up to IDEMPOTENCY_KEYS_MAX.",
	       atomic_load_explicit(&server->key_count, memory_order_relaxed));
	single(out, "idempotency_keys_max", "gauge",
	       "IDEMPOTENCY_KEYS_MAX: with so many stored, requests with a new one are refused.",
	       server->keys_max);
	write_upstreams(server, out);
	if (service->metrics)
		service->metrics(&server->runtime, server->app, out);
	write_process(server->metrics, out);
}
