/*
 * Metrics in the Prometheus text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), appended to a text; check
 * text_error() of the text once at the end. Not thread-safe.
 *
 *	struct metric waiting = metric_family(out, METRIC_GAUGE, "http_requests_waiting",
 *					      "Requests that wait for a thread.");
 *	metric_int(&waiting, 3, "pool", "reads");
 *	metric_int(&waiting, 0, "pool", "calls");
 *
 * appends
 *
 *	# HELP http_requests_waiting Requests that wait for a thread.
 *	# TYPE http_requests_waiting gauge
 *	http_requests_waiting{pool="reads"} 3
 *	http_requests_waiting{pool="calls"} 0
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/base.h"
#include "base/text.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* A family of which samples are written; name and text are borrowed. */
struct metric {
	struct text *out;
	const char *name;
};

/* Appends the HELP and TYPE lines. A counter's name ends in _total. */
struct metric metric_family(struct text *out, enum metric_type type, const char *name,
			    const char *help);

/* Appends one sample. The labels are pairs of strings: a name, and a value of any UTF-8.
 * microseconds, not negative, are shown as seconds. */
#define metric_int(metric, value, ...) metric_write_int(metric, value, METRIC_LABELS(__VA_ARGS__))
#define metric_seconds(metric, microseconds, ...)                                                  \
	metric_write_seconds(metric, microseconds, METRIC_LABELS(__VA_ARGS__))

/* A family of one sample without labels. */
void metric_counter(struct text *out, const char *name, const char *help, int64_t value);
void metric_gauge(struct text *out, const char *name, const char *help, int64_t value);

/* A histogram of durations in microseconds. */
struct metric_durations {
	size_t bound_count;
	const int64_t *bounds; /* ascending */
	const int64_t *counts; /* of each bucket alone; one more than bounds, for what is longer */
	int64_t sum;
};

/* Appends all lines of one histogram, in seconds. */
#define metric_histogram(metric, durations, ...)                                                   \
	metric_write_histogram(metric, durations, METRIC_LABELS(__VA_ARGS__))

/* What the macros call. labels: names and values in turns, ended by NULL. */
#define METRIC_LABELS(...) ((const char *const[]){NULL, ##__VA_ARGS__, NULL} + 1)
void metric_write_int(const struct metric *metric, int64_t value, const char *const *labels);
void metric_write_seconds(const struct metric *metric, int64_t microseconds,
			  const char *const *labels);
void metric_write_histogram(const struct metric *metric, const struct metric_durations *durations,
			    const char *const *labels);

#endif
