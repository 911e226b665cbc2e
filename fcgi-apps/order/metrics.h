/* The order service's own figures in Prometheus text format. Thread-safe. */
#ifndef ORDER_METRICS_H
#define ORDER_METRICS_H

#include "base/text.h"

struct runtime;

/* struct task: counting the orders takes time in proportion to their number: it is done now
 * and then, and /metrics shows the last result. */
bool order_metrics_count(struct runtime *runtime, void *state);

void order_metrics_write(struct runtime *runtime, void *state, struct text *out);

#endif
