/* The cart service: what main hands to service_main(). */
#ifndef CART_SERVICE_H
#define CART_SERVICE_H

#include "responder/service.h"

extern const struct service cart_service;

#endif
