/* The order service: its state, and what main.c passes to server_main(). */
#ifndef ORDER_SERVICE_H
#define ORDER_SERVICE_H

#include <stdatomic.h>

#include "order/order.h"
#include "order/siblings.h"
#include "responder/service.h"

/* Made at start and shared by all threads. */
struct order_app {
	struct runtime *runtime;
	struct order_siblings siblings;
	struct order_done *done;                           /* order/effects.h */
	_Atomic int64_t status_counts[ORDER_STATUS_COUNT]; /* for /metrics */
};

/* A status count that is not known yet. */
#define ORDER_NOT_COUNTED (-1)

#define ORDER_TASK_RELAY_CART    "relay-cart"
#define ORDER_TASK_RELAY_PRODUCT "relay-product"

extern const struct service order_service;

#endif
