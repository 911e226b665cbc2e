#include "responder/kept_answer.h"

#include "base/json_writer.h"
#include "base/pack.h"
#include "responder/lookup.h"

#define PACKED "packed "

void kept_answer_init(struct kept_answer *kept)
{
	*kept = (struct kept_answer){0};
	text_init(&kept->headers, RESPONSE_BODY_MAX);
	text_init(&kept->body, RESPONSE_BODY_MAX);
}

void kept_answer_release(struct kept_answer *kept)
{
	text_release(&kept->headers);
	text_release(&kept->body);
}

/* Maps the stored text to a static one, which the response needs. NULL: unknown. */
static const char *static_content_type(const char *kept)
{
	static const char *const known[] = {"application/json", "application/problem+json",
					    "application/x-ndjson"};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i], kept) == 0)
			return known[i];
	}
	return NULL;
}

/* Whether whoever repeats the request with another scope or secret might be told something else. */
static bool hangs_on_rights(const struct request *request, int status)
{
	const struct principal *principal = &request->principal;
	unsigned callers = request->operation->access.callers;

	/* Where only a scope opens the operation, it was looked at before. */
	if (principal->kind == PRINCIPAL_ALL || !(callers & (ACCESS_CUSTOMER | ACCESS_GUEST)))
		return false;
	/* A guest's secret is part of the stored key; a user's is not. */
	return status == 403 || status == 404 || request->owner.any ||
	       (principal->kind == PRINCIPAL_USER && principal->cart_secret);
}

bool kept_answer_wanted(const struct request *request, const struct response *response)
{
	int status = response->status;

	if (status < 400)
		return true;
	return status < 500 && status != 412 && response->body.length <= KEPT_PLAIN_MAX &&
	       !hangs_on_rights(request, status);
}

static void refer(const struct request *request, struct kept_answer *kept)
{
	struct json_writer json;

	json_writer_init(&json, &kept->body);
	json_object_begin(&json);
	json_member_string(&json, "id", request_resource_id(request));
	json_object_end(&json);
}

static void append_headers(const struct response *response, const char *etag, struct text *out)
{
	text_append_string(out, etag);
	text_append_char(out, '\n');
	text_append(out, text_string(&response->headers), response->headers.length);
}

static int keep_body(const struct request *request, const struct response *response,
		     struct kept_answer *kept)
{
	const struct text *body = &response->body;
	const char *type = response->content_type ? response->content_type : "";
	bool packed = body->length > KEPT_PLAIN_MAX + 2 * request->body_length;

	if (*type && !static_content_type(type))
		return -EIO;
	snprintf(kept->content_type, sizeof(kept->content_type), "%s%s", packed ? PACKED : "",
		 type);
	if (packed)
		return text_pack(text_string(body), body->length, &kept->body);
	text_append(&kept->body, text_string(body), body->length);
	return 0;
}

int kept_answer_make(const struct request *request, const struct response *response,
		     struct kept_answer *kept)
{
	bool refers = request->replay && response->status < 300;
	int r = text_error(&response->body);

	/* If the text were cut off, every repetition would get it cut off. */
	if (r == 0)
		r = text_error(&response->headers);
	if (r < 0)
		return r;
	kept->status = response->status;
	append_headers(response, refers ? "" : response->etag, &kept->headers);
	if (refers)
		refer(request, kept);
	else
		r = keep_body(request, response, kept);
	if (r == 0)
		r = text_error(&kept->headers);
	return r == 0 ? text_error(&kept->body) : r;
}

static int give_resource(struct db_conn *conn, struct request *request, struct response *response,
			 const struct kept_answer *kept)
{
	if (!request->replay)
		return -EIO;
	int r = lookup_run(request->replay, conn, request, response);
	if (r < 0)
		return r;
	if (response->status == 200)
		response->status = kept->status;
	text_reset(&response->headers);
	return 0;
}

static int give_body(struct response *response, const struct kept_answer *kept)
{
	const char *type = kept->content_type;
	const char *body = text_string(&kept->body);
	size_t length = kept->body.length;
	bool packed = strncmp(type, PACKED, strlen(PACKED)) == 0;
	size_t tag = strcspn(text_string(&kept->headers), "\n");

	response->status = kept->status;
	response->content_type = static_content_type(packed ? type + strlen(PACKED) : type);
	snprintf(response->etag, sizeof(response->etag), "%.*s", (int)tag,
		 text_string(&kept->headers));
	if (packed)
		return text_unpack(body, length, RESPONSE_BODY_MAX, &response->body) < 0 ? -EIO : 0;
	text_append(&response->body, body, length);
	return 0;
}

int kept_answer_give(struct db_conn *conn, struct request *request, struct response *response,
		     const struct kept_answer *kept)
{
	bool refers = !kept->content_type[0] && kept->body.length > 0;
	const char *headers = text_string(&kept->headers);
	size_t tag = strcspn(headers, "\n");

	response_reset(response);
	int r = refers ? give_resource(conn, request, response, kept) : give_body(response, kept);
	if (r < 0)
		return r;
	/* Not of a resource that is gone, or not to be seen any more. */
	if (headers[tag] == '\n' && response->status == kept->status)
		text_append_string(&response->headers, headers + tag + 1);
	response_header(response, "Idempotent-Replayed", "true");
	return text_error(&response->body);
}
