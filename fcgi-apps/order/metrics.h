/* The order service's own figures in Prometheus text format. */
#ifndef ORDER_METRICS_H
#define ORDER_METRICS_H

#include "order/app.h"

/* Counting the orders takes time in proportion to their number: a task does it now and then, and
 * /metrics shows the last result. */
bool order_metrics_count(struct order_app *app);

void order_metrics_write(struct order_app *app, struct text *out);

#endif
