/* What must always hold in the product database: run by `product-service --check`. */
#ifndef PRODUCT_CHECKS_H
#define PRODUCT_CHECKS_H

#include "responder/check.h"

#define PRODUCT_CHECK_COUNT 10
extern const struct check product_checks[PRODUCT_CHECK_COUNT];

#endif
