#include "order/metrics.h"

#include "base/clock.h"
#include "base/log.h"
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
	int error = db_read(runtime->db, count_statuses, counts);

	if (error < 0) {
		log_write(LOG_WARN, "cannot count the orders", log_error_code(error));
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

	/* A figure that is not known is left out, rather than shown as 0. */
	if (db_read(db, measure_outbox, figures) < 0)
		return;
	text_append_string(out, "# HELP order_outbox_depth Effects not carried out yet.\n"
				"# TYPE order_outbox_depth gauge\n");
	for (size_t i = 0; i < ORDER_TARGET_COUNT; i++)
		text_printf(out, "order_outbox_depth{target=\"%s\"} %lld\n",
			    order_target_name((enum order_effect_target)i),
			    (long long)figures[i].depth);
	text_append_string(out, "# HELP order_outbox_oldest_seconds Age of the oldest of them.\n"
				"# TYPE order_outbox_oldest_seconds gauge\n");
	for (size_t i = 0; i < ORDER_TARGET_COUNT; i++) {
		int64_t age = figures[i].depth && now > figures[i].oldest_at
				      ? now - figures[i].oldest_at
				      : 0;

		text_printf(out, "order_outbox_oldest_seconds{target=\"%s\"} %lld.%06lld\n",
			    order_target_name((enum order_effect_target)i),
			    (long long)(age / CLOCK_SECOND), (long long)(age % CLOCK_SECOND));
	}
}

void order_metrics_write(struct runtime *runtime, void *state, struct text *out)
{
	const struct order_app *app = state;

	write_outbox(runtime->db, out);
	text_append_string(out,
			   "# HELP order_orders Placed orders by status, counted now and then.\n"
			   "# TYPE order_orders gauge\n");
	for (size_t i = 0; i < ORDER_STATUS_COUNT; i++) {
		int64_t count = atomic_load_explicit(&app->status_counts[i], memory_order_relaxed);

		if (count != ORDER_NOT_COUNTED)
			text_printf(out, "order_orders{status=\"%s\"} %lld\n",
				    order_status_name((enum order_status)i), (long long)count);
	}
}
