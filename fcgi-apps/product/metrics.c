#include "product/metrics.h"

#include <stdatomic.h>

static atomic_llong stock_outs;

void product_metrics_stock_out(void)
{
	atomic_fetch_add_explicit(&stock_outs, 1, memory_order_relaxed);
}

void product_metrics_write(struct runtime *runtime UNUSED, void *app UNUSED, struct text *out)
{
	text_printf(out,
		    "# HELP product_stock_outs_total Orders refused for lack of stock.\n"
		    "# TYPE product_stock_outs_total counter\n"
		    "product_stock_outs_total %lld\n",
		    atomic_load_explicit(&stock_outs, memory_order_relaxed));
}
