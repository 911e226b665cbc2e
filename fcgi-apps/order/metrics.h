/* The order service's own metrics in Prometheus text format. Thread-safe. */
#ifndef ORDER_METRICS_H
#define ORDER_METRICS_H

#include "base/text.h"

struct runtime;

/* A struct task's run: counts the orders. This takes time in proportion to their number, so it runs
 * now and then, and /metrics shows the last result. */
bool order_metrics_count(struct runtime *runtime, void *state);

void order_metrics_write(struct runtime *runtime, void *state, struct text *out);

#endif
