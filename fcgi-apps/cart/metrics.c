#include "cart/metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "cart/checkout_store.h"
#include "cart/service.h"

struct figures {
	int64_t open;
	int64_t consumed;
};

static int read_figures(struct db_conn *conn, void *argument)
{
	struct figures *figures = argument;

	return cart_checkout_count(conn, clock_now() - 3600 * CLOCK_SECOND, &figures->open,
				   &figures->consumed);
}

void cart_metrics_write(struct runtime *runtime, void *state, struct text *out)
{
	const struct cart_app *app = state;
	struct figures figures = {0};
	int r = db_read(runtime->db, read_figures, &figures);

	if (r < 0) {
		log_write(LOG_WARN, "cannot count checkouts", log_error_code(r));
		return;
	}
	metric_gauge(out, "cart_carts", "Carts, counted now and then, up to CARTS_MAX.",
		     atomic_load_explicit(&app->cart_count, memory_order_relaxed));
	metric_gauge(out, "cart_carts_max", "CARTS_MAX: with so many, no cart is made.",
		     app->carts_max);
	metric_gauge(out, "cart_checkouts_open",
		     "Checkouts that are neither consumed nor released.", figures.open);
	metric_gauge(out, "cart_checkouts_consumed_last_hour", "Carts that became orders.",
		     figures.consumed);
}
