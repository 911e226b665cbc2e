/* The product service's own metrics in Prometheus text format. Thread-safe. */
#ifndef PRODUCT_METRICS_H
#define PRODUCT_METRICS_H

#include "base/text.h"

struct runtime;

/* Call when an order is refused for lack of stock. A transaction that the store runs again counts
 * again. */
void product_metrics_stock_out(void);

void product_metrics_write(struct runtime *runtime, void *app, struct text *out);

#endif
