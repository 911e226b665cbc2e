/* The order service's own problem documents (409), with what helps to get on. */
#ifndef ORDER_PROBLEMS_H
#define ORDER_PROBLEMS_H

#include "order/order.h"
#include "order/siblings.h"
#include "responder/response.h"

/* "order_id": which order stands in the way; NULL leaves it out. */
void order_problem_with_order_id(struct response *response, const char *code, const char *detail,
				 const char *order_id);

/* insufficient-stock, "items": [{product_id, requested, available}]; a product that is gone counts
 * as available 0. stock is the refusal of what cart asked for. */
void order_problem_short_stock(struct response *response, const struct order_answer *cart,
			       const struct order_answer *stock);

/* price-changed, "items": [{product_id, old_price, new_price}]; order's lines stand in the same
 * sequence as the cart's. */
void order_problem_price_changed(struct response *response, const struct order_answer *cart,
				 const struct order *order);

/* The same, where nothing was held since the stock's refusal told the new prices. */
void order_problem_repriced(struct response *response, const struct order_answer *cart,
			    const struct order_answer *stock);

/* history-full, "limit". */
void order_problem_history_full(struct response *response);

/* invalid-transition, "allowed_transitions": [status]. */
void order_problem_transition(struct response *response, enum order_status from,
			      enum order_status to);

#endif
