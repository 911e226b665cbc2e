/* The background task that deletes what is no longer needed, in small transactions. */
#ifndef CART_CLEANUP_H
#define CART_CLEANUP_H

#include "responder/service.h"

#define CART_CLEANUP_INTERVAL (60 * CLOCK_SECOND)

/* How long a cart that never got a line lives when there are more than half the permitted number of
 * carts. In that time one client at the permitted rate makes fewer than the other half. */
#define CART_UNUSED_LIFE (3600 * CLOCK_SECOND)

/* A struct task's run: deletes one batch each of expired carts, unused carts, and checkouts that
 * have been remembered long enough. */
bool cart_cleanup(struct runtime *runtime, void *app);

/* A struct task's run: counts the carts, up to the permitted number. */
bool cart_count(struct runtime *runtime, void *app);

#endif
