/* The cart service: its state, and what main.c passes to server_main(). */
#ifndef CART_SERVICE_H
#define CART_SERVICE_H

#include <stdatomic.h>

#include "cart/siblings.h"
#include "responder/service.h"

/* Made at start and shared by all threads. */
struct cart_app {
	struct cart_siblings siblings;
	int64_t lifetime; /* how long an idle cart lives, in microseconds */
	int64_t carts_max;
	int64_t unused_from;        /* used by the cleanup: older carts have been used */
	_Atomic int64_t cart_count; /* may be a little old; counts no further than carts_max */
};

extern const struct service cart_service;

#endif
