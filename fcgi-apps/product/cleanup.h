/* The background task that forgets old tombstones of reservations. */
#ifndef PRODUCT_CLEANUP_H
#define PRODUCT_CLEANUP_H

#include "responder/service.h"

/* A struct task's run: one batch; whether there may be more. */
bool product_cleanup(struct runtime *runtime, void *app);

#endif
