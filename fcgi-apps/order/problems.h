/* The order service's own problem documents (409), with the data a client needs to continue. */
#ifndef ORDER_PROBLEMS_H
#define ORDER_PROBLEMS_H

#include "order/order.h"
#include "order/siblings.h"
#include "responder/response.h"

/* "order_id": the order that is in the way; NULL leaves it out. */
void order_problem_with_order_id(struct response *response, const char *code, const char *detail,
				 const char *order_id);

/* insufficient-stock, "items": [{product_id, requested, available}]; a product that no longer
 * exists counts as available 0. stock is Product's refusal of the cart's lines. */
void order_problem_short_stock(struct response *response, const struct order_answer *cart,
			       const struct order_answer *stock);

/* price-changed, "items": [{product_id, old_price, new_price}]; the order's lines are in the same
 * order as the cart's. */
void order_problem_price_changed(struct response *response, const struct order_answer *cart,
				 const struct order *order);

/* The same when Product refused to hold anything and named the new prices. */
void order_problem_repriced(struct response *response, const struct order_answer *cart,
			    const struct order_answer *stock);

/* history-full, "limit". */
void order_problem_history_full(struct response *response);

/* invalid-transition, "allowed_transitions": [status]. */
void order_problem_transition(struct response *response, enum order_status from,
			      enum order_status to);

#endif
