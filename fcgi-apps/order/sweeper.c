#include "order/sweeper.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "order/order_store.h"
#include "order/outbox.h"
#include "responder/idempotency.h"

#define BATCH 32

/* Rejected orders are kept for a while, for whoever asks why; anybody can have them made. */
#define REJECTED_LIFETIME (3600 * CLOCK_SECOND)

struct sweep {
	int64_t now;
	int rejected;
	int64_t purged;
};

/*
 * How far the request came is not known, so both siblings are told: releasing what was never asked
 * for leaves a mark there that stops a request still on its way. The key is forgotten, because no
 * answer was given: the client's next try is a new order.
 */
static int reject_one(struct db_conn *conn, const struct order_ref *ref, int64_t now)
{
	static const enum order_effect_kind undo[] = {ORDER_RELEASE_CART, ORDER_RELEASE_STOCK};

	for (size_t i = 0; i < ARRAY_SIZE(undo); i++) {
		struct order_effect effect = {.kind = undo[i], .leased_until = now};

		memcpy(effect.order_id, ref->id, sizeof(effect.order_id));
		memcpy(effect.cart_id, ref->cart_id, sizeof(effect.cart_id));
		int error = order_outbox_add(conn, &effect, now);

		if (error < 0)
			return error;
	}
	return idempotency_forget(conn, ORDER_CHECKOUT_OPERATION, ref->id);
}

int order_sweep_leases(struct db_conn *conn, int64_t now)
{
	struct order_ref refs[BATCH];
	int count = order_store_reject_expired(conn, now, refs, BATCH);

	for (int i = 0; i < count; i++) {
		int error = reject_one(conn, &refs[i], now);

		if (error < 0)
			return error;
	}
	return count;
}

static int sweep(struct db_conn *conn, void *argument)
{
	struct sweep *result = argument;

	result->purged = order_store_purge_rejected(conn, result->now - REJECTED_LIFETIME, BATCH);
	if (result->purged < 0)
		return (int)result->purged;
	result->rejected = order_sweep_leases(conn, result->now);
	return result->rejected < 0 ? result->rejected : order_outbox_recall(conn, result->now);
}

static int look(struct db_conn *conn, void *argument)
{
	struct sweep *result = argument;

	return order_store_anything_to_sweep(conn, result->now, result->now - REJECTED_LIFETIME);
}

bool order_sweep(const struct order_app *app)
{
	struct sweep result = {.now = clock_now()};
	/* Looking first keeps an idle sweeper from taking part in write transactions. */
	int rc = db_read(app->runtime->db, look, &result);

	if (rc > 0)
		rc = db_transaction(app->runtime->db, sweep, &result);
	if (rc == 0 && result.rejected > 0)
		rc = failpoint("after_sweep");
	if (rc < 0) {
		log_write(LOG_ERROR, "cannot look for abandoned checkouts", log_error_code(rc));
		return false;
	}
	if (result.rejected > 0) {
		log_write(LOG_WARN, "abandoned checkouts rejected",
			  log_int("order.count", result.rejected));
		task_wake(app->runtime, ORDER_TASK_RELAY_CART);
		task_wake(app->runtime, ORDER_TASK_RELAY_PRODUCT);
	}
	return result.rejected == BATCH || result.purged == BATCH;
}
