/* What the order service keeps while it runs. */
#ifndef ORDER_APP_H
#define ORDER_APP_H

#include <stdatomic.h>

#include "order/order.h"
#include "order/siblings.h"
#include "responder/service.h"

struct order_app {
	struct runtime *runtime;
	struct order_siblings siblings;
	_Atomic int64_t status_counts[ORDER_STATUS_COUNT]; /* for /metrics */
};

/* A status count before there is one. */
#define ORDER_NOT_COUNTED (-1)

#define ORDER_TASK_RELAY_CART    "relay-cart"
#define ORDER_TASK_RELAY_PRODUCT "relay-product"

#endif
