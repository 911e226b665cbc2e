/* The background tasks of every service: they delete expired Idempotency-Keys, count the stored
 * ones, and return memory to the system. */
#ifndef RESPONDER_HOUSEKEEPING_H
#define RESPONDER_HOUSEKEEPING_H

#include "responder/exchange.h"
#include "responder/tasks.h"

/* Errors as tasks_start(). */
int housekeeping_start(struct tasks *tasks, struct exchanges *exchanges);

/* Renews the keys of tokens, where the runtime has a guard. Errors likewise. */
int housekeeping_renew_keys(struct tasks *tasks);

#endif
