/*
 * The head of a request as nginx sends it: FastCGI parameters (nginx/worker.conf.template).
 * Thread-safe (no state).
 */
#ifndef RESPONDER_REQUEST_HEAD_H
#define RESPONDER_REQUEST_HEAD_H

#include "responder/request.h"

/*
 * Sets the request's members from these "NAME=value" texts, which end with NULL and must stay. A
 * missing one is "" or NULL, as request.h says. A missing or invalid id or trace is replaced by a
 * new one; an invalid origin is "".
 */
void request_head_read(struct request *request, char *const *parameters);

#endif
