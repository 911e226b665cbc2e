#include "responder/metrics.h"

#include <stdatomic.h>

#include "base/metric.h"

/* Upper bounds of the duration histogram, in microseconds. */
static const int64_t bounds[] = {100,   250,    500,    1000,   2500,    5000,    10000,  25000,
				 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};
#define BOUND_COUNT ARRAY_SIZE(bounds)

/* Statuses with counters of their own; all others share the last slot, shown as "other". */
static const int statuses[] = {200, 201, 204, 304, 400, 403, 404, 405,
			       409, 412, 413, 415, 422, 499, 500, 503};
#define STATUS_COUNT (ARRAY_SIZE(statuses) + 1)

/* The answered requests of one operation and status. */
struct answered {
	atomic_llong by_duration[BOUND_COUNT + 1];
	atomic_llong microseconds;
};

struct operation_metrics {
	struct answered by_status[STATUS_COUNT];
};

struct metrics {
	const struct contract *contract;
	size_t count; /* the operations, and one slot for requests without an operation */
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

void metrics_write(struct metrics *metrics, struct text *out)
{
	write_requests(metrics, out);
	write_durations(metrics, out);
}
