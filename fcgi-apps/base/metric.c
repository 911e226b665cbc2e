#include "base/metric.h"

#define MICROSECONDS 1000000

static const char *const types[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

/* Escapes backslashes and line feeds, and quotes in label values. */
static void append_escaped(struct text *out, const char *string, bool is_quoted)
{
	for (; *string; string++) {
		if (*string == '\\' || (is_quoted && *string == '"'))
			text_append_char(out, '\\');
		if (*string == '\n')
			text_append_string(out, "\\n");
		else
			text_append_char(out, *string);
	}
}

struct metric metric_family(struct text *out, enum metric_type type, const char *name,
			    const char *help)
{
	text_printf(out, "# HELP %s ", name);
	append_escaped(out, help, false);
	text_printf(out, "\n# TYPE %s %s\n", name, types[type]);
	return (struct metric){.out = out, .name = name};
}

static void append_label(struct text *out, const char *name, const char *value, bool is_first)
{
	text_printf(out, "%c%s=\"", is_first ? '{' : ',', name);
	append_escaped(out, value, true);
	text_append_char(out, '"');
}

/* Writes name_suffix{labels,le="bound"} and a space. bound NULL: no such label. */
static void append_name(const struct metric *metric, const char *suffix, const char *const *labels,
			const char *bound)
{
	bool is_first = true;

	text_append_string(metric->out, metric->name);
	text_append_string(metric->out, suffix);
	for (; *labels; labels += 2, is_first = false)
		append_label(metric->out, labels[0], labels[1], is_first);
	if (bound)
		append_label(metric->out, "le", bound, is_first);
	text_append_string(metric->out, bound || !is_first ? "} " : " ");
}

static void append_int(const struct metric *metric, int64_t value)
{
	text_append_int(metric->out, value);
	text_append_char(metric->out, '\n');
}

/* Exact, unlike a double. */
static void append_seconds(const struct metric *metric, int64_t microseconds)
{
	text_printf(metric->out, "%lld.%06lld\n", (long long)(microseconds / MICROSECONDS),
		    (long long)(microseconds % MICROSECONDS));
}

void metric_write_int(const struct metric *metric, int64_t value, const char *const *labels)
{
	append_name(metric, "", labels, NULL);
	append_int(metric, value);
}

void metric_write_seconds(const struct metric *metric, int64_t microseconds,
			  const char *const *labels)
{
	append_name(metric, "", labels, NULL);
	append_seconds(metric, microseconds);
}

void metric_write_histogram(const struct metric *metric, const struct metric_durations *durations,
			    const char *const *labels)
{
	int64_t count = 0;

	for (size_t i = 0; i < durations->bound_count; i++) {
		char bound[32];
		snprintf(bound, sizeof(bound), "%g", (double)durations->bounds[i] / MICROSECONDS);
		append_name(metric, "_bucket", labels, bound);
		append_int(metric, count += durations->counts[i]);
	}
	count += durations->counts[durations->bound_count];
	append_name(metric, "_bucket", labels, "+Inf");
	append_int(metric, count);
	append_name(metric, "_sum", labels, NULL);
	append_seconds(metric, durations->sum);
	append_name(metric, "_count", labels, NULL);
	append_int(metric, count);
}

void metric_counter(struct text *out, const char *name, const char *help, int64_t value)
{
	struct metric metric = metric_family(out, METRIC_COUNTER, name, help);

	metric_int(&metric, value);
}

void metric_gauge(struct text *out, const char *name, const char *help, int64_t value)
{
	struct metric metric = metric_family(out, METRIC_GAUGE, name, help);

	metric_int(&metric, value);
}
