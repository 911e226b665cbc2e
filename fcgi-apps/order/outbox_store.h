/*
 * The outbox (table order_effects): what siblings are still to be told about an order, written in
 * the transaction that decides it. A row is leased to whoever tries it (next_attempt_at lies ahead
 * then, and holder is his session) and deleted once it is done; a lease that ran out, or whose
 * holder has died, makes it due again. Functions run on a connection of a transaction and return
 * its errors.
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

/* Each sibling has its own relay: one that hangs does not hold up the other's effects. */
enum order_effect_target { ORDER_TARGET_CART, ORDER_TARGET_PRODUCT };
#define ORDER_TARGET_COUNT 2

/* One effect; an order has at most one of each kind. */
struct order_effect {
	enum order_effect_kind kind;
	char order_id[UUID_TEXT_SIZE];
	char cart_id[ORDER_CART_ID_SIZE];
	unsigned attempts;    /* that failed */
	int64_t leased_until; /* next_attempt_at as this holder knows it */
};

/* What one order has waiting. */
#define ORDER_EFFECTS_MAX 2
struct order_effects {
	struct order_effect list[ORDER_EFFECTS_MAX];
	size_t count;
};

const char *order_effect_name(enum order_effect_kind kind);
enum order_effect_target order_effect_target(enum order_effect_kind kind);
const char *order_target_name(enum order_effect_target target);

/* Adds an effect, due at leased_until: the time until which this process will try it itself, where
 * that lies ahead. Does nothing when the order has that effect already. */
int order_outbox_add(struct db_conn *conn, const struct order_effect *effect, int64_t now);

/* 1 where an effect is due now, 0 where none is. */
int order_outbox_any_due(struct db_conn *conn, enum order_effect_target target, int64_t now);

/* Takes up to size effects that are due, leased until then: returns how many. An effect goes to
 * one caller only, however many there are. */
int order_outbox_claim(struct db_conn *conn, enum order_effect_target target, int64_t now,
		       int64_t lease_until, struct order_effect *ret_list, size_t size);

/* An order's effects that are still to be done, whoever tries them now. Whoever tries one of them
 * as well does no harm. */
int order_outbox_of(struct db_conn *conn, const char *order_id, struct order_effects *ret_effects);

/* The effect is done, whoever did it. */
int order_outbox_done(struct db_conn *conn, const struct order_effect *effect);

/* The effect failed: it is due again at next, unless someone else holds it meanwhile. */
int order_outbox_retry(struct db_conn *conn, const struct order_effect *effect, int64_t next);

/* Makes those due now that are leased to that session. */
int order_outbox_recall_held(struct db_conn *conn, int64_t holder, int64_t now);

/* Makes those due now that wait for longer than any does (ORDER_LEASE_MAX). */
int order_outbox_recall(struct db_conn *conn, int64_t now);

struct order_outbox_figures {
	int64_t depth;
	int64_t oldest_at; /* created_at of the oldest, 0 where there is none */
};
int order_outbox_measure(struct db_conn *conn,
			 struct order_outbox_figures ret_figures[ORDER_TARGET_COUNT]);

#endif
