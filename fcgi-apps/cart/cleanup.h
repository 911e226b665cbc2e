/* The background task that deletes what nobody needs any more, in small transactions. */
#ifndef CART_CLEANUP_H
#define CART_CLEANUP_H

#include "responder/service.h"

#define CART_CLEANUP_INTERVAL (60 * CLOCK_SECOND)

/* How long a cart that was never given anything lives where there are more than half as many as may
 * be. One client at the permitted rate makes fewer in that time than the other half. */
#define CART_UNUSED_LIFE (3600 * CLOCK_SECOND)

/* struct task: one batch of expired carts, one of unused ones, one of finished checkouts past their
 * time. */
bool cart_cleanup(struct runtime *runtime, void *app);

/* struct task: counts the carts, up to the most that there may be. */
bool cart_count(struct runtime *runtime, void *app);

#endif
