#include "product/api.h"
#include "product/bulk_import.h"
#include "responder/idempotency.h"
#include "responder/service.h"

#define NDJSON "application/x-ndjson"

/* A hundred result lines, each with up to VIOLATIONS_MAX violations. */
#define RESULTS_MAX (4u << 20)

/* With an Idempotency-Key the import is one transaction and its answer is stored. */
#define KEYED_BODY_MAX (1u << 20)

static int64_t read_request(void *context, void *buffer, size_t size)
{
	struct request *request = context;

	return request->read_body(request, buffer, size);
}

static int send_results(struct response *response, const struct text *results)
{
	int r = text_error(results);

	if (r == 0 && !response->streaming)
		r = response_stream_begin(response, 200, NDJSON);
	if (r < 0)
		return r;
	return response_stream_write(response, text_string(results), results->length);
}

/* Until something was answered, a failing store is a 503; later it is the chunk's result. */
static int store_chunk(struct request *request, struct response *response,
		       struct product_import *import)
{
	struct text results CLEANUP(text_release);
	int r;

	if (product_import_is_empty(import))
		return 0;
	r = db_transaction(request->runtime->db, product_import_apply, import);
	if (r < 0 && !response->streaming)
		return r;
	text_init(&results, RESULTS_MAX);
	product_import_finish(import, r, &results);
	return send_results(response, &results);
}

static int body_too_large(struct response *response, const char *detail)
{
	response_problem(response, 413, NULL, "%s", detail);
	return 0;
}

/* The body went beyond its limit: what was read before is stored. */
static int end_oversize(struct response *response, struct product_import *import)
{
	static const char detail[] = "The body is longer than 32 MiB";
	struct text results CLEANUP(text_release);

	if (!response->streaming)
		return body_too_large(response, detail);
	text_init(&results, RESULTS_MAX);
	product_import_abort(import, detail, &results);
	return send_results(response, &results);
}

static int import_stream(struct request *request, struct response *response)
{
	struct product_import *import CLEANUP(product_import_free_p) = NULL;
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct product_ndjson_line line;
	int end;
	int r = product_ndjson_init(&lines, read_request, request);

	if (r == 0)
		r = product_import_create(request->runtime, &import);
	if (r < 0)
		return r;
	while ((end = product_ndjson_next(&lines, &line)) == 1) {
		r = product_import_add(import, &line);
		if (r == 0 && product_import_is_full(import))
			r = store_chunk(request, response, import);
		if (r < 0)
			return r;
	}
	if (end < 0 && end != -EMSGSIZE)
		return end;
	r = store_chunk(request, response, import);
	if (r < 0)
		return r;
	if (end < 0)
		return end_oversize(response, import);
	return response->streaming ? 0 : response_stream_begin(response, 200, NDJSON);
}

struct memory {
	const char *bytes;
	size_t left;
};

static int64_t read_memory(void *context, void *buffer, size_t size)
{
	struct memory *memory = context;
	size_t length = size < memory->left ? size : memory->left;

	memcpy(buffer, memory->bytes, length);
	memory->bytes += length;
	memory->left -= length;
	return (int64_t)length;
}

/* Inside the transaction that stores the answer for the key as well. */
static int import_at_once(struct request *request, struct response *response)
{
	struct product_import *import CLEANUP(product_import_free_p) = NULL;
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct memory memory = {request->body_text, request->body_length};
	struct product_ndjson_line line;
	int end;
	int r = product_ndjson_init(&lines, read_memory, &memory);

	if (r == 0)
		r = product_import_create(request->runtime, &import);
	if (r < 0)
		return r;
	response->status = 200;
	response->content_type = NDJSON;
	do {
		end = product_ndjson_next(&lines, &line);
		if (end < 0)
			return end;
		if (end == 1)
			r = product_import_add(import, &line);
		if (r == 0 && (end == 0 || product_import_is_full(import))) {
			r = product_import_apply(request->db, import);
			product_import_finish(import, r, &response->body);
		}
		if (r < 0)
			return r;
	} while (end == 1);
	return text_error(&response->body);
}

/* -EMSGSIZE beyond the limit. */
static int read_whole_body(struct request *request, struct text *body)
{
	char buffer[16384];
	int64_t got;

	while ((got = request->read_body(request, buffer, sizeof(buffer))) > 0)
		text_append(body, buffer, (size_t)got);
	return got < 0 ? (int)got : text_error(body);
}

static int import_keyed(struct request *request, struct response *response)
{
	struct text body CLEANUP(text_release);
	int r;

	text_init(&body, KEYED_BODY_MAX);
	r = read_whole_body(request, &body);
	if (r == -EMSGSIZE)
		return body_too_large(response,
				      "With an Idempotency-Key the body may have at most 1 MiB");
	if (r < 0)
		return r;
	request->body_text = text_string(&body);
	request->body_length = body.length;
	r = idempotent_transaction(request, response, import_at_once);
	request->body_text = NULL;
	request->body_length = 0;
	return r;
}

int product_api_import(struct request *request, struct response *response)
{
	return request->idempotency_key ? import_keyed(request, response)
					: import_stream(request, response);
}
