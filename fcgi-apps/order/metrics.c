#include "order/metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "order/order_store.h"
#include "order/outbox_store.h"
#include "order/service.h"

static int count_statuses(struct db_conn *conn, void *counts)
{
	return order_store_count_statuses(conn, counts);
}

bool order_metrics_count(struct runtime *runtime, void *state)
{
	struct order_app *app = state;
	int64_t counts[ORDER_STATUS_COUNT];
	int r = db_read(runtime->db, count_statuses, counts);

	if (r < 0) {
		log_write(LOG_WARN, "cannot count the orders", log_error_code(r));
		return false;
	}
	for (size_t i = 0; i < ORDER_STATUS_COUNT; i++)
		atomic_store_explicit(&app->status_counts[i], counts[i], memory_order_relaxed);
	return false;
}

static int measure_outbox(struct db_conn *conn, void *figures)
{
	return order_outbox_measure(conn, figures);
}

static void write_outbox(struct db *db, struct text *out)
{
	struct order_outbox_figures figures[ORDER_TARGET_COUNT];
	int64_t now = clock_now();

	/* An unknown figure is left out rather than shown as 0. */
	if (db_read(db, measure_outbox, figures) < 0)
		return;
	struct metric depth = metric_family(out, METRIC_GAUGE, "order_outbox_depth",
					    "Effects in the outbox: pending, or done just now.");
	for (size_t i = 0; i < ORDER_TARGET_COUNT; i++)
		metric_int(&depth, figures[i].depth, "target",
			   order_target_name((enum order_effect_target)i));
	struct metric oldest = metric_family(out, METRIC_GAUGE, "order_outbox_oldest_seconds",
					     "Age of the oldest of them.");
	for (size_t i = 0; i < ORDER_TARGET_COUNT; i++) {
		int64_t age = figures[i].depth && now > figures[i].oldest_at
				      ? now - figures[i].oldest_at
				      : 0;
		metric_seconds(&oldest, age, "target",
			       order_target_name((enum order_effect_target)i));
	}
}

void order_metrics_write(struct runtime *runtime, void *state, struct text *out)
{
	const struct order_app *app = state;

	write_outbox(runtime->db, out);
	struct metric orders = metric_family(out, METRIC_GAUGE, "order_orders",
					     "Placed orders by status, counted now and then.");
	for (size_t i = 0; i < ORDER_STATUS_COUNT; i++) {
		int64_t count = atomic_load_explicit(&app->status_counts[i], memory_order_relaxed);

		if (count != ORDER_NOT_COUNTED)
			metric_int(&orders, count, "status",
				   order_status_name((enum order_status)i));
	}
}
