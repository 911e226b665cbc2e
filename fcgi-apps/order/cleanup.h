/* The background task that deletes orders rejected some time ago. */
#ifndef ORDER_CLEANUP_H
#define ORDER_CLEANUP_H

#include "responder/service.h"

/* A struct task's run: deletes one batch. True: there may be more. */
bool order_cleanup(struct runtime *runtime, void *app);

#endif
