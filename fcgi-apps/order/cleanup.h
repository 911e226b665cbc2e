/* The background task that deletes orders which were rejected long ago. */
#ifndef ORDER_CLEANUP_H
#define ORDER_CLEANUP_H

#include "responder/service.h"

/* A struct task's run: one batch; whether there may be more. */
bool order_cleanup(struct runtime *runtime, void *app);

#endif
