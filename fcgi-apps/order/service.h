/* The order service, for main.c and tests. */
#ifndef ORDER_SERVICE_H
#define ORDER_SERVICE_H

#include "responder/service.h"

extern const struct service order_service;

#endif
