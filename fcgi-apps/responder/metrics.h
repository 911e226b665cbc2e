/*
 * Counts answered requests by operation and status, and their duration. Counting is lock-free;
 * everything except creating and freeing is thread-safe.
 */
#ifndef RESPONDER_METRICS_H
#define RESPONDER_METRICS_H

#include "base/base.h"
#include "base/text.h"
#include "contract/contract.h"

struct metrics;

/* -ENOMEM. */
int metrics_create(const struct contract *contract, struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics);

/* Counts an answered request; operation is NULL if none was found. duration in microseconds. */
void metrics_count(struct metrics *metrics, const struct operation *operation, int status,
		   int64_t duration);

/* Appends them in the Prometheus text format (version 0.0.4). */
void metrics_write(struct metrics *metrics, struct text *out);

#endif
