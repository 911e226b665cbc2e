/*
 * Back pressure: exchanges that wait for a commit keep their buffers, so only a fixed number may
 * wait. From that number on, no further request is read until half of them are done. Thread-safe,
 * except for creating and freeing.
 */
#ifndef RESPONDER_GATE_H
#define RESPONDER_GATE_H

#include "base/base.h"

struct gate;

/* -ENOMEM. */
int gate_create(struct gate **ret_gate);

/* Call it when no thread waits any more. Takes NULL. */
void gate_free(struct gate *gate);

/* One more exchange waits for its commit. Never blocks. */
void gate_enter(struct gate *gate);

/* An exchange that entered is done. */
void gate_leave(struct gate *gate);

/* Before a request is read: returns once the gate is open. */
void gate_wait(struct gate *gate);

#endif
