/* POST /orders: a cart becomes an order. */
#ifndef ORDER_CHECKOUT_H
#define ORDER_CHECKOUT_H

#include "responder/request.h"
#include "responder/response.h"

/* RUN_BLOCKING handler of createOrder. */
int order_checkout(struct request *request, struct response *response);

#endif
