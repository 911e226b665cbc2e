#include "contract/schema_text.h"
#include "product/bulk_import.h"
#include "product/product_api.h"
#include "responder/idempotency.h"
#include "responder/ownership.h"
#include "responder/service.h"

#define NDJSON "application/x-ndjson"

/* A hundred result lines, each with up to VIOLATIONS_MAX violations. */
#define RESULTS_MAX (4u << 20)

/* Each line gets a result, which is longer than a very short line. */
#define LINES_MAX 100000

/* An import stops when its results, which are buffered on disk, are this long. */
#define ANSWER_MAX (32u << 20)

/* With an Idempotency-Key the import is one transaction and its answer is stored. */
#define KEYED_BODY_MAX  (1u << 20)
#define KEYED_LINES_MAX 10000

/* All skus of such a body, escaped. */
#define KEYED_SKUS_MAX (8u << 20)

static int keyed_too_large(struct response *response)
{
	response_problem(response, 413, NULL,
			 "With an Idempotency-Key the body may have at most 1 MiB and 10000 lines");
	return 0;
}

static int64_t read_request(void *context, void *buffer, size_t size)
{
	struct request *request = context;

	return request->read_body(request, buffer, size);
}

/*
 * Result lines are buffered in an unnamed temporary file until the whole body is read: once the
 * answer begins, nginx stops sending the body.
 */
struct import_stream {
	struct request *request;
	struct product_import *import;
	FILE *results;
	size_t length; /* of the results so far */
	char actor[ACTOR_SIZE];
};

static void import_stream_release(struct import_stream *stream)
{
	product_import_free(stream->import);
	if (stream->results)
		fclose(stream->results);
}

/* The import points into the buffer. */
static int create_import(const struct request *request, char actor[ACTOR_SIZE],
			 struct product_import **ret_import)
{
	const char *mode = request_query(request, "mode");
	const struct product_import_options options = {
		.merge = mode && strcmp(mode, "merge") == 0,
		.lacking = authorize_lacking(UINT64_MAX, &request->principal),
		.actor = ownership_actor(request, actor),
	};

	return product_import_create(request->runtime, &options, ret_import);
}

static int import_stream_init(struct import_stream *stream, struct request *request)
{
	stream->request = request;
	stream->results = tmpfile();
	if (!stream->results)
		return -errno;
	return create_import(request, stream->actor, &stream->import);
}

static int keep(struct import_stream *stream, const struct text *results)
{
	int r = text_error(results);

	if (r < 0)
		return r;
	if (fwrite(text_string(results), 1, results->length, stream->results) != results->length)
		return -ENOSPC;
	stream->length += results->length;
	return 0;
}

/* If the first chunk cannot be stored, the answer is a 503. A later failure is that chunk's
 * result. */
static int store_chunk(struct import_stream *stream)
{
	struct text results CLEANUP(text_release) = TEXT_INIT(RESULTS_MAX);

	if (product_import_is_empty(stream->import))
		return 0;
	int r = product_import_store(stream->import, stream->request->runtime->db);
	if (r < 0 && stream->length == 0)
		return r;
	product_import_finish(stream->import, r, &results);
	return keep(stream, &results);
}

/* A limit was reached: stores what was read so far. */
static int keep_abort(struct import_stream *stream, const char *detail)
{
	struct text results CLEANUP(text_release) = TEXT_INIT(RESULTS_MAX);

	product_import_abort(stream->import, detail, &results);
	return keep(stream, &results);
}

/* Why the next line (after so many) is not read any more; NULL: it is. */
static const char *limit_reached(const struct import_stream *stream, int64_t lines)
{
	if (lines == LINES_MAX)
		return "The body has more than 100000 lines";
	return stream->length < ANSWER_MAX ? NULL : "The results are longer than 32 MiB";
}

static int store_lines(struct import_stream *stream)
{
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct product_ndjson_line line;
	const char *limit = NULL;
	int64_t count = 0;
	int end = 0;
	int r = product_ndjson_init(&lines, read_request, stream->request);

	while (r == 0 && (end = product_ndjson_next(&lines, &line)) == 1 &&
	       !(limit = limit_reached(stream, count++))) {
		r = product_import_add(stream->import, &line);
		if (r == 0 && product_import_is_full(stream->import))
			r = store_chunk(stream);
	}
	if (r == 0 && (end >= 0 || end == -EMSGSIZE))
		r = store_chunk(stream);
	if (r < 0 || end == 0)
		return r;
	if (end == -EMSGSIZE)
		limit = "The body is longer than 32 MiB";
	return limit ? keep_abort(stream, limit) : end;
}

static int send_results(struct import_stream *stream, struct response *response)
{
	char buffer[16384];
	size_t length;

	if (fflush(stream->results) != 0)
		return -ENOSPC;
	rewind(stream->results);
	int r = response_stream_begin(response, 200, NDJSON);
	while (r >= 0 && (length = fread(buffer, 1, sizeof(buffer), stream->results)) > 0)
		r = response_stream_write(response, buffer, length);
	if (r >= 0 && ferror(stream->results))
		return -EIO;
	return r;
}

static int import_stream(struct request *request, struct response *response)
{
	struct import_stream stream CLEANUP(import_stream_release) = {0};
	int r = import_stream_init(&stream, request);

	if (r == 0)
		r = store_lines(&stream);
	return r < 0 ? r : send_results(&stream, response);
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

/* Writes the sku as it would be stored, whatever its spelling (contract_check_schema()). */
static int write_normal(struct json_writer *writer, const struct json *sku)
{
	/* U+1D160 grows threefold in NFC. */
	struct text normal CLEANUP(text_release) = TEXT_INIT(NDJSON_LINE_MAX * 3);
	size_t length;
	const char *text = json_string(sku, &length);

	if (!schema_text_normalize(text, length, &normal))
		json_write_bytes(writer, text, length);
	else if (!text_error(&normal))
		json_write_bytes(writer, text_string(&normal), normal.length);
	return text_error(&normal);
}

/* Skips lines that are not products; they are reported later. */
static int write_sku(struct json_writer *writer, const struct product_ndjson_line *line)
{
	struct json *value CLEANUP(json_free_p) = NULL;
	struct json_error error;
	int r = json_parse_input(line->text, line->length, &value, &error);

	if (r == 0 && json_get_string(value, "sku", NULL))
		r = write_normal(writer, json_get(value, "sku"));
	return r == -EINVAL ? 0 : r;
}

/* Locks all products of the body at once: chunk by chunk, they would be locked in another order
 * than by orders. */
static int lock_products(struct request *request)
{
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct memory memory = {request->body_text, request->body_length};
	struct text skus CLEANUP(text_release) = TEXT_INIT(KEYED_SKUS_MAX);
	struct product_ndjson_line line;
	struct json_writer writer;

	if (db_dialect(request->db) != DB_POSTGRES)
		return 0; /* one writer at a time */
	int r = product_ndjson_init(&lines, read_memory, &memory);
	json_writer_init(&writer, &skus);
	json_array_begin(&writer);
	while (r == 0 && (r = product_ndjson_next(&lines, &line)) == 1)
		r = write_sku(&writer, &line);
	json_array_end(&writer);
	if (r == 0)
		r = text_error(&skus);
	return r < 0 ? r : product_import_lock(request->db, &skus);
}

/* Runs in the transaction that also stores the answer for the key. */
static int import_at_once(struct request *request, struct response *response)
{
	struct product_import *import CLEANUP(product_import_free_p) = NULL;
	struct product_ndjson lines CLEANUP(product_ndjson_release) = {0};
	struct memory memory = {request->body_text, request->body_length};
	struct product_ndjson_line line;
	char actor[ACTOR_SIZE];
	int64_t count = 0;
	int end;
	int r = product_ndjson_init(&lines, read_memory, &memory);

	if (r == 0)
		r = create_import(request, actor, &import);
	if (r == 0)
		r = lock_products(request);
	if (r < 0)
		return r;
	response->status = 200;
	response->content_type = NDJSON;
	do {
		end = product_ndjson_next(&lines, &line);
		if (end < 0)
			return end;
		if (end == 1 && count++ == KEYED_LINES_MAX)
			return keyed_too_large(response);
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

	while ((got = request->read_body(request, buffer, sizeof(buffer))) > 0 && !text_error(body))
		text_append(body, buffer, (size_t)got);
	return got < 0 ? (int)got : text_error(body);
}

static int import_keyed(struct request *request, struct response *response)
{
	struct text body CLEANUP(text_release) = TEXT_INIT(KEYED_BODY_MAX);

	int r = read_whole_body(request, &body);
	if (r == -EMSGSIZE)
		return keyed_too_large(response);
	if (r < 0)
		return r;
	request->body_text = text_string(&body);
	request->body_length = body.length;
	r = idempotent_bulk(request, response, import_at_once);
	request->body_text = NULL;
	request->body_length = 0;
	return r;
}

int product_api_import(struct request *request, struct response *response)
{
	return request->idempotency_key ? import_keyed(request, response)
					: import_stream(request, response);
}
