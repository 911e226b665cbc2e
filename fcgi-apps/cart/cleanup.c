#include "cart/cleanup.h"

#include "base/clock.h"
#include "base/log.h"
#include "cart/cart_store.h"
#include "cart/checkout_store.h"

struct batch {
	int64_t carts;
	int64_t checkouts;
};

static int delete_batch(struct db_conn *conn, void *argument)
{
	struct batch *batch = argument;
	int64_t now = clock_now();

	batch->carts = cart_store_expire(conn, now);
	if (batch->carts < 0)
		return (int)batch->carts;
	batch->checkouts = cart_checkout_purge(conn, now - CHECKOUT_MEMORY);
	return batch->checkouts < 0 ? (int)batch->checkouts : 0;
}

bool cart_cleanup(struct runtime *runtime, void *app UNUSED)
{
	struct batch batch = {0};
	int r = db_transaction(runtime->db, delete_batch, &batch);

	if (r < 0) {
		log_write(LOG_WARN, "cannot delete expired carts", log_error_code(r));
		return false;
	}
	if (batch.carts || batch.checkouts)
		log_write(LOG_INFO, "deleted expired carts and finished checkouts",
			  log_int("cart.count", batch.carts),
			  log_int("checkout.count", batch.checkouts));
	return batch.carts == CART_EXPIRE_BATCH || batch.checkouts == CHECKOUT_PURGE_BATCH;
}
