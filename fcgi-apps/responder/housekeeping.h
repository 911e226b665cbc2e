/* The background tasks that every service has: they forget and count the stored Idempotency-Keys,
 * and give memory back to the system. */
#ifndef RESPONDER_HOUSEKEEPING_H
#define RESPONDER_HOUSEKEEPING_H

#include "responder/exchange.h"
#include "responder/tasks.h"

/* As tasks_start(). */
int housekeeping_start(struct tasks *tasks, struct exchanges *exchanges);

#endif
