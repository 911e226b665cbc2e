#include "cart/cleanup.h"

#include "base/clock.h"
#include "base/log.h"
#include "cart/cart_store.h"
#include "cart/checkout_store.h"
#include "cart/service.h"

struct batch {
	bool crowded;
	int64_t from; /* where the search for unused carts continues */
	int64_t next;
	int64_t carts;
	int64_t unused;
	int64_t checkouts;
};

static int delete_batch(struct db_conn *conn, void *argument)
{
	struct batch *batch = argument;
	int64_t now = clock_now();

	batch->carts = cart_store_expire(conn, now);
	if (batch->carts < 0)
		return (int)batch->carts;
	batch->unused = 0;
	if (batch->crowded)
		batch->unused = cart_store_drop_unused(conn, batch->from, now - CART_UNUSED_LIFE,
						       &batch->next);
	if (batch->unused < 0)
		return (int)batch->unused;
	batch->checkouts = cart_checkout_purge(conn, now);
	return batch->checkouts < 0 ? (int)batch->checkouts : 0;
}

static int64_t counted(const struct cart_app *app)
{
	return atomic_load_explicit(&app->cart_count, memory_order_relaxed);
}

bool cart_cleanup(struct runtime *runtime, void *state)
{
	struct cart_app *app = state;
	struct batch batch = {
		.crowded = counted(app) > app->carts_max / 2,
		.from = app->unused_from,
		.next = app->unused_from,
	};
	int r = db_transaction(runtime->db, delete_batch, &batch);

	if (r < 0) {
		log_write(LOG_WARN, "cannot delete expired carts", log_error_code(r));
		return false;
	}
	app->unused_from = batch.next;
	if (batch.carts || batch.unused || batch.checkouts)
		log_write(LOG_INFO, "deleted expired carts and finished checkouts",
			  log_int("cart.count", batch.carts + batch.unused),
			  log_int("checkout.count", batch.checkouts));
	return batch.carts == CART_EXPIRE_BATCH || batch.unused == CART_EXPIRE_BATCH ||
	       batch.checkouts >= CHECKOUT_PURGE_BATCH;
}

static int count(struct db_conn *conn, void *argument)
{
	struct cart_app *app = argument;
	int64_t carts = 0;
	int r = cart_store_count_all(conn, app->carts_max, &carts);

	if (r == 0)
		atomic_store_explicit(&app->cart_count, carts, memory_order_relaxed);
	return r;
}

bool cart_count(struct runtime *runtime, void *app)
{
	int r = db_read(runtime->db, count, app);

	if (r < 0)
		log_write(LOG_WARN, "cannot count the carts", log_error_code(r));
	return false;
}
