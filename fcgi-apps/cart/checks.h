/* What must always hold in the cart database: run by `cart-service --check`. */
#ifndef CART_CHECKS_H
#define CART_CHECKS_H

#include "responder/check.h"

#define CART_CHECK_COUNT 7
extern const struct check cart_checks[CART_CHECK_COUNT];

#endif
