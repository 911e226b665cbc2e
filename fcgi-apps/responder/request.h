/*
 * A checked request, as handlers see it: plain data, no socket behind it, so unit tests fill it in
 * by hand. Everything in it belongs to the request and ends with it. One thread at a time.
 */
#ifndef RESPONDER_REQUEST_H
#define RESPONDER_REQUEST_H

#include "auth/authorize.h"
#include "base/base.h"
#include "base/json.h"
#include "contract/contract.h"
#include "storage/conn.h"

struct lookup;
struct response;
struct runtime;

/* "00-<32 hex>-<16 hex>-01" (W3C Trace Context section 3.2) and its NUL. */
#define TRACEPARENT_SIZE 56
#define TRACE_ID_SIZE    33
#define REQUEST_ID_SIZE  129

struct request {
	const struct operation *operation;
	bool internal;             /* came in on a listener other than the public one */
	const char *method;        /* as sent: HEAD stays HEAD */
	const char *path;          /* decoded, without the prefix */
	const char *prefix;        /* SCRIPT_NAME: the part that nginx removed, "" or "/products" */
	const char *origin;        /* as clients reach the service: "http://host:port", or "" */
	const char *query;         /* raw, without '?' */
	const char *content_type;  /* "" when absent */
	const char *authorization; /* as sent, or NULL; two are a 400 of nginx */
	const char *cart_secret;   /* as sent, or NULL */
	bool head_only;            /* nginx asks whether the request may come; it has no body yet */
	int64_t rate_limit;        /* of its subject's requests a second; 0: none */
	int64_t storing_limit; /* of those that store something; 0: none, or it stores nothing */
	struct principal principal;
	struct owner owner; /* whose things it may find */
	struct route route;
	struct arguments arguments;
	struct json *body;     /* parsed and checked; NULL if the operation has none */
	const char *body_text; /* its bytes */
	size_t body_length;
	const char *idempotency_key; /* unquoted, or NULL */
	const char *if_match;        /* or NULL */
	const char *if_none_match;   /* or NULL */
	char request_id[REQUEST_ID_SIZE];
	char trace_id[TRACE_ID_SIZE];
	char traceparent[TRACEPARENT_SIZE]; /* for calls to siblings: same trace, our span */
	int64_t started;                    /* clock_monotonic() */
	int64_t deadline;                   /* clock_monotonic(): the answer must be out by then */

	void *app;               /* made by service.start */
	struct runtime *runtime; /* store, contract, currency: responder/service.h */
	struct db_conn *db;      /* the connection in RUN_READ, RUN_TRANSACTION and
				 idempotent_transaction(), else NULL */

	/* For RUN_BLOCKING with a streamed body: reads up to size bytes; 0 at the end,
	 * -ECONNABORTED when the client went away, -EMSGSIZE beyond the limit. */
	int64_t (*read_body)(struct request *request, void *buffer, size_t size);
	struct exchange *exchange; /* the responder's own */

	/* From the binding: returns the resource again for a known Idempotency-Key. Or NULL. */
	const struct lookup *replay;
	/* The resource of the key, if the handler passed one to idempotency_claim(); else NULL, and
	 * the path identifies it. */
	const char *resource_id;

	/* For the handler: passes data to the function that runs inside its transaction. */
	void *context;

	/* Work after the answer is out, on the same thread: request_after(). */
	void (*after)(void *argument);
	void *after_argument;
};

/* A path parameter, NUL-terminated ("" is impossible: a route with an empty segment is a 404). */
const char *request_path_parameter(const struct request *request, const char *name);

/* The resource that the request concerns: resource_id, or else the path's "id". */
const char *request_resource_id(const struct request *request);

/* Declared query parameters that were sent; NULL / fallback / false if they were not. */
const char *request_query(const struct request *request, const char *name);
int64_t request_query_int(const struct request *request, const char *name, int64_t fallback);
bool request_query_bool(const struct request *request, const char *name, bool fallback);

/*
 * If-Match (RFC 9110 section 13.1.1) against a resource's version. True: go on. False: the
 * response is a 412 now. W/"3" is taken as "3": nginx marks our strong tag as weak when it
 * compresses an answer.
 */
bool request_precondition(const struct request *request, struct response *response,
			  int64_t version);

/* Only in RUN_BLOCKING: calls function(argument) once the client has its answer, or has gone
 * away. */
void request_after(struct request *request, void (*function)(void *argument), void *argument);

#endif
