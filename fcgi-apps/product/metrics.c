#include "product/metrics.h"

#include <stdatomic.h>

#include "base/metric.h"

static atomic_llong stock_outs;

void product_metrics_stock_out(void)
{
	atomic_fetch_add_explicit(&stock_outs, 1, memory_order_relaxed);
}

void product_metrics_write(struct runtime *runtime UNUSED, void *app UNUSED, struct text *out)
{
	metric_counter(out, "product_stock_outs_total", "Orders refused for lack of stock.",
		       atomic_load_explicit(&stock_outs, memory_order_relaxed));
}
