#include "responder/exposition.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metric.h"
#include "responder/guard.h"
#include "responder/server.h"
#include "responder/version.h"

static void write_queues(struct server *server, struct text *out)
{
	struct thread_pool_stats calls, reads;
	thread_pool_stats(server->dispatcher.calls, &calls);
	thread_pool_stats(server->dispatcher.reads, &reads);
	struct metric waiting = metric_family(out, METRIC_GAUGE, "http_requests_waiting",
					      "Requests that wait for a thread.");
	metric_int(&waiting, calls.waiting, "pool", "calls");
	metric_int(&waiting, reads.waiting, "pool", "reads");
	struct metric refused =
		metric_family(out, METRIC_COUNTER, "http_requests_refused_total",
			      "Requests refused because too many waited for a thread.");
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
		       "Reads given up because no connection was free in time.",
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
		{"upstream_refused_total", "Calls not attempted because the breaker was open.",
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

/* proc(5), statm: total pages, then resident pages. */
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

/* The names are those of the Prometheus client libraries. */
static void write_process(int64_t started_at, struct text *out)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	struct metric cpu = metric_family(out, METRIC_COUNTER, "process_cpu_seconds_total",
					  "User and system CPU time.");
	metric_seconds(&cpu, (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_SECOND +
				     usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	struct metric start = metric_family(out, METRIC_GAUGE, "process_start_time_seconds",
					    "When the process started, Unix time.");
	metric_seconds(&start, started_at);
	write_memory(out);
	metric_gauge(out, "process_open_fds", "Open file descriptors.", count_open_files());
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	metric_gauge(out, "process_max_fds", "Limit of open file descriptors.",
		     (int64_t)limit.rlim_cur);
}

void exposition_write(struct server *server, bool ready, struct text *out)
{
	const struct service *service = server->runtime.service;
	struct metric build = metric_family(out, METRIC_GAUGE, "build_info",
					    "Always 1; the labels say what runs.");
	metric_int(&build, 1, "service", service->name, "version", service_version);
	metric_gauge(out, "service_ready", "Whether /readyz would answer 200 now.", ready);
	metrics_write(server->metrics, out);
	guard_write_metrics(server->runtime.guard, out);
	metric_gauge(out, "http_requests_in_flight", "Requests received and not answered yet.",
		     exchanges_in_flight(server->exchanges));
	metric_gauge(out, "fastcgi_connections", "Open connections from nginx.",
		     connections_count(server->connections));
	write_queues(server, out);
	write_store(server, out);
	metric_gauge(out, "idempotency_keys",
		     "Idempotency-Keys stored, counted now and then, up to IDEMPOTENCY_KEYS_MAX.",
		     atomic_load_explicit(&server->runtime.key_count, memory_order_relaxed));
	metric_gauge(
		out, "idempotency_keys_max",
		"IDEMPOTENCY_KEYS_MAX: with so many stored, requests with a new key are refused.",
		server->runtime.keys_max);
	write_upstreams(server, out);
	if (service->metrics)
		service->metrics(&server->runtime, server->app, out);
	write_process(server->started_at, out);
}
