/*
 * Typed calls of Cart and Product over upstream/. Each call may be repeated with the same order id
 * and takes effect once. Thread-safe.
 */
#ifndef ORDER_SIBLINGS_H
#define ORDER_SIBLINGS_H

#include "base/base.h"
#include "base/money.h"
#include "order/order.h"
#include "upstream/upstream.h"

struct order_siblings {
	struct upstream *cart;
	struct upstream *product;
	struct currency currency;
};

/* The request that makes the call, and its deadline; texts may be NULL. */
struct order_call {
	int64_t deadline; /* clock_monotonic() microseconds */
	const char *request_id;
	const char *traceparent;
};

/* The answer of one of the two calls below; all zero is an empty one. One owner. */
struct order_answer {
	struct upstream_response raw;
	const char *refusal; /* the problem's code, or NULL if the call succeeded */
	const char *user_id; /* the cart's; NULL if the refusal does not name it */
	bool never_opened;   /* there is no such cart: nothing is open, now or later */
	struct order_item lines[ORDER_LINES_MAX]; /* the texts belong to raw */
	size_t line_count;
};
void order_answer_release(struct order_answer *answer);

/*
 * Both return 0 or errors of upstream_call(); -EHOSTDOWN also means an answer that no sibling
 * gives. Refusals of the cart: "not-found", "cart-empty", "checkout-in-progress",
 * "checkout-released"; of the stock: "insufficient-stock", "product-gone", "price-changed",
 * "reservation-released". The problem's other members are in answer->raw.body.
 */

/* The cart must be of the order's user; of anybody if that is "", and the answer says whose. */
int order_cart_open(const struct order_siblings *siblings, const struct order_call *call,
		    const struct order *order, struct order_answer *ret_answer);

/* Holds product_id and quantity of each line at its price. The previous version of the product
 * service does not know prices here, so it is asked without them and holds at its own. */
int order_stock_hold(const struct order_siblings *siblings, const struct order_call *call,
		     const char *order_id, const struct order_item *lines, size_t count,
		     struct order_answer *ret_answer);

/* The effects. They return the answer's HTTP status (below 500), or errors as above. */
int order_cart_consume(const struct order_siblings *siblings, const struct order_call *call,
		       const char *cart_id, const char *order_id);
int order_cart_release(const struct order_siblings *siblings, const struct order_call *call,
		       const char *cart_id, const char *order_id);
int order_stock_release(const struct order_siblings *siblings, const struct order_call *call,
			const char *order_id);
int order_stock_ship(const struct order_siblings *siblings, const struct order_call *call,
		     const char *order_id);

#endif
