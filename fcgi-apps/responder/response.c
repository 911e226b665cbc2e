#include "responder/response.h"

#include <stdarg.h>

#include "base/log.h"
#include "contract/problem.h"

#define HEADERS_MAX         32768
#define JSON_CONTENT_TYPE   "application/json"
#define RETRY_AFTER_SECONDS 1

void response_init(struct response *response, const char *request_id)
{
	*response = (struct response){.request_id = request_id};
	text_init(&response->headers, HEADERS_MAX);
	text_init(&response->body, RESPONSE_BODY_MAX);
	response_reset(response);
}

void response_reset(struct response *response)
{
	response->status = 0;
	response->content_type = NULL;
	response->constant = NULL;
	response->etag[0] = '\0';
	text_reset(&response->headers);
	text_reset(&response->body);
	json_writer_init(&response->json, &response->body);
}

void response_release(struct response *response)
{
	text_release(&response->headers);
	text_release(&response->body);
}

struct json_writer *response_json(struct response *response, int status)
{
	response->status = status;
	response->content_type = JSON_CONTENT_TYPE;
	response->constant = NULL;
	text_reset(&response->body);
	json_writer_init(&response->json, &response->body);
	return &response->json;
}

void response_empty(struct response *response, int status)
{
	response->status = status;
	response->content_type = NULL;
	response->constant = NULL;
	text_reset(&response->body);
}

void response_constant(struct response *response, const char *content_type, const char *data,
		       size_t length)
{
	response->status = 200;
	response->content_type = content_type;
	response->constant = data;
	response->constant_length = length;
}

const char *response_body(const struct response *response, size_t *ret_length)
{
	*ret_length = response->constant ? response->constant_length : response->body.length;
	return response->constant ? response->constant : text_string(&response->body);
}

static bool is_printable(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return false;
	}
	return true;
}

void response_header(struct response *response, const char *name, const char *value_format, ...)
{
	struct text *headers = &response->headers;
	size_t start = headers->length;
	text_append_string(headers, name);
	text_append(headers, ": ", 2);
	size_t value = headers->length;

	va_list arguments;
	va_start(arguments, value_format);
	text_vprintf(headers, value_format, arguments);
	va_end(arguments);

	if (text_error(headers) || !is_printable(headers->data + value, headers->length - value)) {
		text_truncate(headers, start);
		log_write(LOG_ERROR, "response header dropped: too long, or not printable",
			  log_text("http.response.header.name", name));
		return;
	}
	text_append(headers, "\r\n", 2);
}

void response_version(struct response *response, int64_t version)
{
	snprintf(response->etag, sizeof(response->etag), "\"%lld\"", (long long)version);
}

void response_location(struct response *response, const struct request *request,
		       const char *path_format, ...)
{
	char path[512];
	va_list arguments;
	va_start(arguments, path_format);
	vsnprintf(path, sizeof(path), path_format, arguments);
	va_end(arguments);
	response_header(response, "Location", "%s%s", request->prefix, path);
}

struct json_writer *response_problem_begin(struct response *response, int status, const char *code,
					   const char *detail)
{
	response_reset(response);
	response->status = status;
	response->content_type = PROBLEM_CONTENT_TYPE;
	problem_begin(&response->json, status, code ? code : problem_code(status), detail,
		      response->request_id);
	return &response->json;
}

void response_problem_end(struct response *response)
{
	problem_end(&response->json);
}

void response_problem(struct response *response, int status, const char *code,
		      const char *detail_format, ...)
{
	char detail[512];
	va_list arguments;
	va_start(arguments, detail_format);
	vsnprintf(detail, sizeof(detail), detail_format, arguments);
	va_end(arguments);
	response_problem_begin(response, status, code, detail);
	response_problem_end(response);
}

void response_violations(struct response *response, const struct violations *violations)
{
	struct json_writer *json = response_problem_begin(
		response, 422, "invalid-request",
		violations->total == 1 ? "The request breaks the contract in one place"
				       : "The request breaks the contract in several places");
	violations_write(violations, json);
	response_problem_end(response);
}

void response_not_found(struct response *response, const char *thing)
{
	response_problem(response, 404, NULL, "%s not found", thing);
}

static void response_unavailable(struct response *response, const char *code, const char *detail)
{
	response_problem(response, 503, code, "%s", detail);
	response_header(response, "Retry-After", "%d", RETRY_AFTER_SECONDS);
}

void response_error(struct response *response, int error)
{
	switch (error) {
	case -EHOSTDOWN:
		response_unavailable(response, "unavailable",
				     "A dependency of this service cannot be reached");
		return;
	case -ETIMEDOUT:
		response_unavailable(response, "timeout", "The request took too long");
		return;
	case -EAGAIN:
		response_unavailable(response, "overloaded", "The service is overloaded");
		return;
	case -ECANCELED:
		response_unavailable(response, "draining", "This instance is shutting down");
		return;
	case -ENOMEM:
		response_unavailable(response, "out-of-memory", "Out of memory");
		return;
	case -ENOSPC:
		response_unavailable(response, "storage-full", "The store is full");
		return;
	case -ECONNABORTED:
		response_problem(response, 400, NULL, "The body was cut short");
		return;
	default:
		response_problem(response, 500, NULL, "An internal error occurred");
		return;
	}
}

int response_stream_begin(struct response *response, int status, const char *content_type)
{
	response->status = status;
	response->content_type = content_type;
	text_reset(&response->body);
	response->streaming = true;
	return response->stream_write(response, NULL, 0);
}

int response_stream_write(struct response *response, const void *data, size_t length)
{
	return response->stream_write(response, data, length);
}
