/*
 * The outbox (table order_effects): the calls to siblings that an order still needs, written in the
 * transaction that decides the order. A process that tries an effect leases its row
 * (next_attempt_at is in the future, holder is its session) and deletes it when done. If the lease
 * runs out or the holder dies, the row is due again: an effect may be tried twice, which does no
 * harm.
 *
 *	order_outbox_add(conn, &effect, now);		in the transaction that decides
 *
 *	int count = order_outbox_claim(conn, target, now, now + lease, list, size);
 *	…						committed: no other process tries these now
 *	order_outbox_done(conn, &list[i]);		the sibling has answered
 *	order_outbox_retry(conn, &list[i], later);	or it has not
 *
 * Functions run on a connection of a transaction and return its errors.
 */
#ifndef ORDER_OUTBOX_STORE_H
#define ORDER_OUTBOX_STORE_H

#include "base/base.h"
#include "order/order.h"
#include "storage/conn.h"

enum order_effect_kind {
	ORDER_CONSUME_CART,
	ORDER_RELEASE_CART,
	ORDER_RELEASE_STOCK,
	ORDER_SHIP_STOCK,
};

/* Each sibling has its own relay, so one that hangs does not delay the other's effects. */
enum order_effect_target { ORDER_TARGET_CART, ORDER_TARGET_PRODUCT };
#define ORDER_TARGET_COUNT 2

/* One effect; an order has at most one of each kind. */
struct order_effect {
	enum order_effect_kind kind;
	char order_id[UUID_TEXT_SIZE];
	char cart_id[ORDER_CART_ID_SIZE];
	unsigned attempts;    /* failed ones */
	int64_t leased_until; /* next_attempt_at as this holder knows it */
};

/* The waiting effects of one order. */
#define ORDER_EFFECTS_MAX 2
struct order_effects {
	struct order_effect list[ORDER_EFFECTS_MAX];
	size_t count;
};

const char *order_effect_name(enum order_effect_kind kind);
enum order_effect_target order_effect_target(enum order_effect_kind kind);
const char *order_target_name(enum order_effect_target target);

/* Adds an effect, due at leased_until: if that is in the future, this process will try the effect
 * itself until then. Does nothing if the order already has that effect. */
int order_outbox_add(struct db_conn *conn, const struct order_effect *effect, int64_t now);

/* 1 if an effect is due now, else 0. */
int order_outbox_any_due(struct db_conn *conn, enum order_effect_target target, int64_t now);

/* Leases up to size due effects until lease_until (at most ORDER_LEASE_MAX after now) and returns
 * how many. Concurrent callers never get the same effect. */
int order_outbox_claim(struct db_conn *conn, enum order_effect_target target, int64_t now,
		       int64_t lease_until, struct order_effect *ret_list, size_t size);

/* An order's waiting effects, leased or not. It does no harm to try an effect that another process
 * tries as well. */
int order_outbox_of(struct db_conn *conn, const char *order_id, struct order_effects *ret_effects);

/* The effect is done, by this process or another one. */
int order_outbox_done(struct db_conn *conn, const struct order_effect *effect);

/* The effect failed: makes it due again at next, unless another process holds it meanwhile. */
int order_outbox_retry(struct db_conn *conn, const struct order_effect *effect, int64_t next);

/* Makes the effects leased to that session due now. */
int order_outbox_recall_held(struct db_conn *conn, int64_t holder, int64_t now);

/* Makes effects due now if they are further in the future than any lease (ORDER_LEASE_MAX): the
 * clock was set back. */
int order_outbox_recall(struct db_conn *conn, int64_t now);

struct order_outbox_figures {
	int64_t depth;
	int64_t oldest_at; /* created_at of the oldest effect, or 0 */
};
int order_outbox_measure(struct db_conn *conn,
			 struct order_outbox_figures ret_figures[ORDER_TARGET_COUNT]);

#endif
