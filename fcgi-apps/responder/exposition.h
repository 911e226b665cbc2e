/*
 * All metrics of the process in the Prometheus text format (version 0.0.4): requests, connections,
 * queues, the store, siblings, the process itself. Any thread.
 */
#ifndef RESPONDER_EXPOSITION_H
#define RESPONDER_EXPOSITION_H

#include "base/base.h"
#include "base/text.h"

struct server;

/* Appends everything, the service's own lines included; ready is what /readyz would say now. */
void exposition_write(struct server *server, bool ready, struct text *out);

#endif
