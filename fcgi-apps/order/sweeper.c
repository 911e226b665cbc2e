#include "order/sweeper.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "order/effects.h"
#include "order/order_store.h"
#include "order/outbox_store.h"
#include "responder/idempotency.h"
#include "responder/tasks.h"

#define BATCH 32

/* How many processes are examined at a time: more than there are replicas, or live ones could keep
 * a dead one from being found. */
#define SESSIONS_MAX 32

/* The longest delay that this recovery may cause. A start is delayed too, while clients wait in the
 * socket's queue. */
#define RECOVERY_TIME CLOCK_SECOND

struct sweep {
	int64_t now;
	int64_t dead[SESSIONS_MAX];
	size_t dead_count;
	int rejected;
};

/*
 * It is unknown how far the request came, so both siblings are told: a release of what was never
 * requested leaves a tombstone there, which stops a request that is still on its way. The key is
 * forgotten because no answer was given: the client's next try is a new order.
 */
static int reject_one(struct db_conn *conn, const struct order_ref *ref, int64_t now)
{
	static const enum order_effect_kind undo[] = {ORDER_RELEASE_CART, ORDER_RELEASE_STOCK};

	for (size_t i = 0; i < ARRAY_SIZE(undo); i++) {
		struct order_effect effect = {.kind = undo[i], .leased_until = now};

		memcpy(effect.order_id, ref->id, sizeof(effect.order_id));
		memcpy(effect.cart_id, ref->cart_id, sizeof(effect.cart_id));
		int r = order_outbox_add(conn, &effect, now);

		if (r < 0)
			return r;
	}
	return idempotency_forget(conn, ORDER_CHECKOUT_OPERATION, ref->id);
}

static int reject_all(struct db_conn *conn, const struct order_ref *refs, int count, int64_t now)
{
	for (int i = 0; i < count; i++) {
		int r = reject_one(conn, &refs[i], now);

		if (r < 0)
			return r;
	}
	return count;
}

int order_sweep_leases(struct db_conn *conn, int64_t now)
{
	struct order_ref refs[BATCH];
	int count = order_store_reject_expired(conn, now, refs, BATCH);

	return reject_all(conn, refs, count, now);
}

int order_sweep_session(struct db_conn *conn, int64_t session, int64_t now)
{
	struct order_ref refs[BATCH];
	int r = order_outbox_recall_held(conn, session, now);

	if (r < 0)
		return r;
	return reject_all(conn, refs, order_store_reject_held(conn, session, now, refs, BATCH),
			  now);
}

static int is_abandoned(struct db_conn *conn, const struct order_lease *lease, int64_t now)
{
	if (lease->until < now || lease->until > now + ORDER_LEASE_MAX)
		return 1;
	return lease->holder ? db_session_ended(conn, lease->holder) : 0;
}

int order_decide(struct db_conn *conn, const char *order_id, int64_t now, enum order_fate *ret_fate)
{
	struct order_lease lease;
	int r = order_store_find_lease(conn, order_id, &lease);

	*ret_fate = ORDER_DECIDED;
	if (r < 0 || !lease.placing)
		return r;
	r = is_abandoned(conn, &lease, now);
	if (r > 0)
		r = order_store_reject(conn, order_id, now);
	else if (r == 0)
		*ret_fate = ORDER_GOES_ON;
	if (r <= 0)
		return r;
	*ret_fate = ORDER_GIVEN_UP;
	return reject_one(conn, &lease.ref, now);
}

struct other {
	const char *order_id;
	enum order_fate fate;
	struct order_effects effects;
};

static int end_other(struct db_conn *conn, void *argument)
{
	struct other *other = argument;
	int r = order_decide(conn, other->order_id, clock_now(), &other->fate);

	return r < 0 ? r : order_outbox_of(conn, other->order_id, &other->effects);
}

bool order_end_other(const struct order_app *app, const struct order_call *call,
		     const char *order_id)
{
	struct other other = {.order_id = order_id};
	int r = db_transaction(app->runtime->db, end_other, &other);

	return r == 0 && other.fate != ORDER_GOES_ON &&
	       order_effects_of_another(app, call, &other.effects);
}

static int sweep(struct db_conn *conn, void *argument)
{
	struct sweep *result = argument;

	result->rejected = order_sweep_leases(conn, result->now);
	for (size_t i = 0; i < result->dead_count && result->rejected >= 0; i++) {
		int count = order_sweep_session(conn, result->dead[i], result->now);

		result->rejected = count < 0 ? count : result->rejected + count;
	}
	return result->rejected < 0 ? result->rejected : order_outbox_recall(conn, result->now);
}

static int find_dead(struct db_conn *conn, struct sweep *result)
{
	int64_t holders[SESSIONS_MAX];
	int count = order_store_holders(conn, result->now, holders, SESSIONS_MAX);

	result->dead_count = 0;
	for (int i = 0; i < count; i++) {
		int r = db_session_ended(conn, holders[i]);

		if (r < 0)
			return r;
		if (r > 0)
			result->dead[result->dead_count++] = holders[i];
	}
	return count < 0 ? count : result->dead_count > 0;
}

static int look(struct db_conn *conn, void *argument)
{
	struct sweep *result = argument;

	int dead = find_dead(conn, result);

	if (dead != 0)
		return dead;
	return order_store_anything_to_sweep(conn, result->now);
}

static bool sweep_once(const struct order_app *app, struct sweep *result)
{
	/* Reading first keeps an idle sweeper out of the write transactions. */
	int r = db_read(app->runtime->db, look, result);

	if (r > 0)
		r = db_transaction(app->runtime->db, sweep, result);
	if (r == 0 && result->rejected > 0)
		r = failpoint("after_sweep");
	if (r < 0) {
		log_write(LOG_ERROR, "cannot look for abandoned checkouts", log_error_code(r));
		return false;
	}
	if (result->rejected > 0)
		log_write(LOG_WARN, "abandoned checkouts rejected",
			  log_int("order.count", result->rejected));
	return result->rejected >= BATCH;
}

bool order_sweep(struct runtime *runtime, void *app)
{
	struct sweep result = {.now = clock_now()};
	bool more = sweep_once(app, &result);

	order_effects_write_done(app);
	if (result.rejected > 0 || result.dead_count > 0) {
		task_wake(runtime, ORDER_TASK_RELAY_CART);
		task_wake(runtime, ORDER_TASK_RELAY_PRODUCT);
	}
	return more;
}

bool order_recover(const struct order_app *app, int64_t deadline)
{
	int64_t latest = clock_monotonic() + RECOVERY_TIME;
	int64_t end = deadline < latest ? deadline : latest;
	bool found = false;
	bool more = true;

	while (more) {
		struct sweep result = {.now = clock_now()};

		more = sweep_once(app, &result) && clock_monotonic() < end;
		found = found || result.dead_count > 0;
	}
	for (more = found; more;) {
		bool carts = order_effects_relay(app, ORDER_TARGET_CART, end);
		bool stock = order_effects_relay(app, ORDER_TARGET_PRODUCT, end);

		more = (carts || stock) && clock_monotonic() < end;
	}
	return found;
}
