/* What must always hold in the order database: run by `order-service --check`. */
#ifndef ORDER_CHECKS_H
#define ORDER_CHECKS_H

#include "responder/check.h"

#define ORDER_CHECK_COUNT 9
extern const struct check order_checks[ORDER_CHECK_COUNT];

/* An order is its cart's user's, or a guest's as its cart is. Carts that are gone are not missed.
 */
extern const struct sibling_check order_owner_check;

#endif
