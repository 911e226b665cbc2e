/* The cart service: what it keeps while it runs, and what main.c hands to server_main(). */
#ifndef CART_SERVICE_H
#define CART_SERVICE_H

#include <stdatomic.h>

#include "cart/siblings.h"
#include "responder/service.h"

/* Made at start, the same for all threads. */
struct cart_app {
	struct cart_siblings siblings;
	int64_t lifetime; /* microseconds that an idle cart lives */
	int64_t carts_max;
	int64_t unused_from;        /* the cleanup's own: older carts have been used */
	_Atomic int64_t cart_count; /* of a while ago; counts no further than carts_max */
};

extern const struct service cart_service;

#endif
