/* The background tasks of every service: they delete expired Idempotency-Keys, count the stored
 * ones, and return memory to the system. */
#ifndef RESPONDER_HOUSEKEEPING_H
#define RESPONDER_HOUSEKEEPING_H

#include "responder/exchange.h"
#include "responder/tasks.h"

/* Errors as tasks_start(). */
int housekeeping_start(struct tasks *tasks, struct exchanges *exchanges);

/* Fetches the keys of tokens, where guard_fetches(). Errors likewise. */
int housekeeping_fetch_keys(struct tasks *tasks);

#endif
