#include "cart/metrics.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
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
	text_printf(out,
		    "# HELP cart_carts Carts, counted now and then, up to CARTS_MAX.\n"
		    "# TYPE cart_carts gauge\n"
		    "cart_carts %" PRId64 "\n"
		    "# HELP cart_carts_max CARTS_MAX: with so many, no cart is made.\n"
		    "# TYPE cart_carts_max gauge\n"
		    "cart_carts_max %" PRId64 "\n",
		    atomic_load_explicit(&app->cart_count, memory_order_relaxed), app->carts_max);
	text_printf(out,
		    "# HELP cart_checkouts_open Checkouts that are neither consumed nor released.\n"
		    "# TYPE cart_checkouts_open gauge\n"
		    "cart_checkouts_open %" PRId64 "\n"
		    "# HELP cart_checkouts_consumed_last_hour Carts that became orders.\n"
		    "# TYPE cart_checkouts_consumed_last_hour gauge\n"
		    "cart_checkouts_consumed_last_hour %" PRId64 "\n",
		    figures.open, figures.consumed);
}
