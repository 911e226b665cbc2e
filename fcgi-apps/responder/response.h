/*
 * An answer while it is made: status, headers, body. It is buffered until the handler returns (and,
 * in a transaction, until the commit), so it can be reset and made again. One thread at a time.
 */
#ifndef RESPONDER_RESPONSE_H
#define RESPONDER_RESPONSE_H

#include "base/base.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "contract/violations.h"
#include "responder/request.h"

/* A longer answer is an error of ours: stream it instead. */
#define RESPONSE_BODY_MAX (16u << 20)

struct response {
	int status;
	const char *content_type; /* static text */
	struct text headers;      /* "Name: value\r\n" lines besides Content-Type */
	struct text body;
	const char *constant; /* if not NULL, the body: bytes of the program */
	size_t constant_length;
	struct json_writer json; /* writes into body */
	char etag[32];           /* quoted, or "" */
	const char *request_id;  /* for problem documents */

	/* Set by the responder if streaming is possible. */
	int (*stream_write)(struct response *response, const void *data, size_t length);
	bool streaming;
	struct exchange *exchange; /* the responder's own */
};

void response_init(struct response *response, const char *request_id);
void response_reset(struct response *response);
void response_release(struct response *response);

/* Starts a JSON answer and returns the writer for its body. */
struct json_writer *response_json(struct response *response, int status);

/* 204 */
void response_empty(struct response *response, int status);

/* 200 with bytes that outlive every request, such as an embedded file: sent without a copy. */
void response_constant(struct response *response, const char *content_type, const char *data,
		       size_t length);

/* The body's bytes, wherever they are. */
const char *response_body(const struct response *response, size_t *ret_length);

/* Adds a header. A value with a control character is dropped and logged: nothing can be injected.
 */
void response_header(struct response *response, const char *name, const char *value_format, ...)
	PRINTF_LIKE(3, 4);

/* Strong ETag of a single resource: "<version>". GETs then answer 304 by themselves. */
void response_version(struct response *response, int64_t version);

/* The Location of a new resource: the request's prefix and the path. */
void response_location(struct response *response, const struct request *request,
		       const char *path_format, ...) PRINTF_LIKE(3, 4);

/* A problem document (RFC 9457). code NULL: the status's own. Replaces what was there. */
void response_problem(struct response *response, int status, const char *code,
		      const char *detail_format, ...) PRINTF_LIKE(4, 5);

/* The same with extension members written between begin and end. */
struct json_writer *response_problem_begin(struct response *response, int status, const char *code,
					   const char *detail);
void response_problem_end(struct response *response);

/* 422 with every violation. */
void response_violations(struct response *response, const struct violations *violations);

/* 404 with "Product not found". */
void response_not_found(struct response *response, const char *thing);

/* The one place that maps errors (base/base.h) to problem documents: -EHOSTDOWN, -EAGAIN, -ENOMEM,
 * -ENOSPC, -ECANCELED, -ETIMEDOUT to 503 + Retry-After, -ECONNABORTED to 400, the rest to 500. */
void response_error(struct response *response, int error);

/* Only in RUN_BLOCKING: sends status and headers now, then pieces of the body as they come.
 * -ECONNABORTED: the client has gone away. */
int response_stream_begin(struct response *response, int status, const char *content_type);
int response_stream_write(struct response *response, const void *data, size_t length);

#endif
