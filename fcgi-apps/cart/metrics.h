/* The cart service's own figures in Prometheus text format. Thread-safe. */
#ifndef CART_METRICS_H
#define CART_METRICS_H

#include "base/text.h"

struct runtime;

void cart_metrics_write(struct runtime *runtime, void *state, struct text *out);

#endif
