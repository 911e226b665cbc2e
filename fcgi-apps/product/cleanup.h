/* The background task that deletes old tombstones of reservations. */
#ifndef PRODUCT_CLEANUP_H
#define PRODUCT_CLEANUP_H

#include "responder/service.h"

/* A struct task's run: deletes one batch. True: there may be more. */
bool product_cleanup(struct runtime *runtime, void *app);

#endif
