/*
 * One FastCGI request and its answer. The only place that knows libfcgi.
 *
 * An exchange is owned by one thread at a time and handed on (event thread → writer or pool). It is
 * taken from a free list and returns to it with its buffers.
 */
#ifndef RESPONDER_EXCHANGE_H
#define RESPONDER_EXCHANGE_H

#include <fcgiapp.h>

#include "responder/connections.h"
#include "responder/metrics.h"
#include "responder/service.h"
#include "responder/thread_pool.h"

struct dispatcher;
struct exchanges;

struct exchange {
	struct exchanges *home;
	const struct dispatcher *dispatcher;
	const struct binding *binding;
	FCGX_Request fcgi;
	struct request request;
	struct response response;
	struct text body; /* the request's, when buffered */
	struct text path; /* a copy that the path parameters point into */
	int64_t streamed; /* bytes of a streamed body read so far */
	bool started;     /* status and headers are out */
	bool broken;      /* failed after that: the client must see that the rest is missing */
	struct db_job job;
	struct pool_work work;
	struct exchange *next; /* free list */
};

/*
 * What all exchanges of the process share. Make it once, before any threads; the caller keeps what
 * it passes. -EIO (libfcgi), -ENOMEM.
 */
int exchanges_create(struct connections *connections, struct metrics *metrics,
		     struct runtime *runtime, void *app, struct exchanges **ret_exchanges);

/* Call it when all exchanges have been given back. Takes NULL. */
void exchanges_free(struct exchanges *exchanges);

/* How many were received and not given back yet. Thread-safe. */
int exchanges_in_flight(const struct exchanges *exchanges);

/* After a burst of requests, frees idle exchanges and returns the heap's free memory to the system;
 * otherwise does nothing. Thread-safe. */
void exchanges_trim(struct exchanges *exchanges);

/*
 * Whether a whole request, or the end of the connection, has arrived: then neither
 * exchange_receive() nor the answer blocks. False for a request longer than 12 KiB.
 */
bool exchange_has_arrived(int fd);

/*
 * Reads the next request of a readable connection: its parameters, not its body. NULL: the
 * connection is closed (the peer hung up, or sent something unreadable; or out of memory).
 */
struct exchange *exchange_receive(struct exchanges *exchanges, int fd);

/* Whether the request has a body. Consumes its first byte: use it only if the body will not be
 * read. */
bool exchange_has_body(struct exchange *exchange);

/* Reads the whole body. -EMSGSIZE beyond limit bytes, -ECONNABORTED when it is cut short,
 * -ENOMEM. */
int exchange_read_body(struct exchange *exchange, size_t limit);

/* The status counted for a request whose client is gone (nginx logs the same number). */
#define STATUS_ABANDONED 499

/* Whether nginx has closed the connection, as it does when its client is gone. */
bool exchange_is_abandoned(const struct exchange *exchange);

/* Whether it is only nginx' question about a request that is still to come, and is counted then. */
bool exchange_is_admitted_head(const struct exchange *exchange);

/* Sends the answer; the connection is parked or closed. The exchange is not given back yet. */
void exchange_answer(struct exchange *exchange);

/* Ends the request: releases its memory and gives the exchange back. */
void exchange_done(struct exchange *exchange);

#endif
