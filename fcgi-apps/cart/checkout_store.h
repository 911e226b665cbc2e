/*
 * Checkouts: what a cart held at one moment, kept for an order. The cart's part of the checkout
 * (docs/CHECKOUT.md) is here:
 *
 *	(none) --open---> open --consume--> consumed
 *	   |               |
 *	   +---release-----+--release--> released
 *
 * Every step may be repeated and answers the same. Releasing an unknown checkout leaves a
 * tombstone, so that a late open cannot revive it. A cart that does not exist needs no tombstone:
 * ids of carts are never reused, so no open can succeed there. Nor does another user's. A cart has
 * at most one open checkout. It may be edited meanwhile, and neither expires nor is deleted while
 * one is open.
 *
 * Every function runs inside db_transaction and returns a checkout_outcome, or an error of
 * storage/conn.h.
 */
#ifndef CART_CHECKOUT_STORE_H
#define CART_CHECKOUT_STORE_H

#include "base/clock.h"
#include "cart/cart.h"
#include "storage/conn.h"

/*
 * How long finished checkouts are remembered. Consumed ones: for as long as the order service may
 * be away, as it repeats an effect until it is answered and must not be told that the checkout is
 * unknown. Released ones stop a late open, which the order service gives up after seconds. Any
 * client can cause released ones, so they are kept for less time; a repeated release just makes
 * another one.
 */
#define CHECKOUT_MEMORY (30 * CLOCK_DAY)
#define RELEASED_MEMORY CLOCK_DAY

enum checkout_outcome {
	CHECKOUT_FINE,
	CHECKOUT_NO_CART, /* the user has no such cart, and never will */
	CHECKOUT_HIDDEN,  /* the cart has expired, or may yet become the user's */
	CHECKOUT_UNKNOWN,
	CHECKOUT_OTHER_OPEN, /* another order's checkout of this cart is open */
	CHECKOUT_EMPTY,      /* nothing to order */
	CHECKOUT_RELEASED,
	CHECKOUT_CONSUMED,
};

/*
 * Takes a snapshot of the user's cart, or finds the one taken before. user_id NULL: of any user,
 * for order services that compare the user afterwards. CHECKOUT_FINE: *snapshot holds id, user,
 * lines, and the version that they were taken from (an initialised cart, which the caller releases
 * in any case). CHECKOUT_OTHER_OPEN: ret_order_id is the order that has it open. CHECKOUT_EMPTY:
 * ret_order_id is the order that emptied the cart, or "". The user is filled in for these two as
 * well. Also CHECKOUT_NO_CART, CHECKOUT_HIDDEN, CHECKOUT_RELEASED.
 */
int cart_checkout_open(struct db_conn *conn, const char *cart_id, const char *order_id,
		       const char *user_id, int64_t now, struct cart *snapshot,
		       char ret_order_id[CART_ID_SIZE]);

/*
 * Takes the snapshot's quantities, and no more, out of the cart. CHECKOUT_FINE, CHECKOUT_UNKNOWN,
 * CHECKOUT_RELEASED.
 */
int cart_checkout_consume(struct db_conn *conn, const char *cart_id, const char *order_id,
			  int64_t now, int64_t lifetime);

/* Ends the checkout and leaves the cart unchanged. CHECKOUT_FINE, CHECKOUT_CONSUMED. */
int cart_checkout_release(struct db_conn *conn, const char *cart_id, const char *order_id,
			  int64_t now);

/* The order that has an open checkout of the cart, or "". 0 or an error. */
int cart_checkout_find_open(struct db_conn *conn, const char *cart_id,
			    char ret_order_id[CART_ID_SIZE]);

/* Counts open checkouts, and those consumed since a time, for /metrics. 0 or an error. */
int cart_checkout_count(struct db_conn *conn, int64_t since, int64_t *ret_open,
			int64_t *ret_consumed);

/* The most checkouts of each kind that one call of cart_checkout_purge() deletes. */
#define CHECKOUT_PURGE_BATCH 100

/* Deletes finished checkouts that have been remembered long enough. Returns how many. */
int64_t cart_checkout_purge(struct db_conn *conn, int64_t now);

#endif
