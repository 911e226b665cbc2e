/*
 * Figures of the process in the Prometheus text format (version 0.0.4): requests by operation and
 * status, their duration, the store, siblings, the process itself. Counting is lock-free.
 */
#ifndef RESPONDER_METRICS_H
#define RESPONDER_METRICS_H

#include "base/base.h"
#include "base/text.h"
#include "contract/contract.h"

struct metrics;
struct server;

int metrics_create(const struct contract *contract, struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics);

/* One answered request; operation is NULL where none was found. duration in microseconds. */
void metrics_count(struct metrics *metrics, const struct operation *operation, int status,
		   int64_t duration);

/* Appends everything, the service's own lines included. */
void metrics_write(struct server *server, struct text *out);

#endif
