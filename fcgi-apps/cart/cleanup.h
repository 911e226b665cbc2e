/* The background task that deletes what nobody needs any more, in small transactions. */
#ifndef CART_CLEANUP_H
#define CART_CLEANUP_H

#include "responder/service.h"

#define CART_CLEANUP_INTERVAL (60 * CLOCK_SECOND)

/* struct task: one batch of expired carts, one of finished checkouts past CHECKOUT_MEMORY. */
bool cart_cleanup(struct runtime *runtime, void *app);

#endif
