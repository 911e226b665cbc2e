#include "responder/idempotency.h"

#include <sha2.h>

#include "base/clock.h"
#include "responder/service.h"

/* A row with this status is a claim whose answer isn't there yet. */
#define STATUS_RUNNING 0

#define FINGERPRINT_SIZE SHA256_DIGEST_STRING_LENGTH

static void fingerprint(const struct request *request, char ret_hex[FINGERPRINT_SIZE])
{
	static const uint8_t end = 0;
	SHA2_CTX sha;
	size_t length = strlen(request->path);
	if (length && request->path[length - 1] == '/')
		length--; /* the same path with and without */
	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)request->path, length);
	SHA256Update(&sha, &end, sizeof(end));
	SHA256Update(&sha, (const uint8_t *)request->query, strlen(request->query) + 1);
	SHA256Update(&sha, (const uint8_t *)request->body_text, request->body_length);
	SHA256End(&sha, ret_hex);
}

/* The stored content type is text of the store; the response wants a static one. NULL: unknown. */
static const char *static_content_type(const char *stored)
{
	static const char *const known[] = {"application/json", "application/problem+json",
					    "application/x-ndjson"};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i], stored) == 0)
			return known[i];
	}
	return NULL;
}

static void replay(struct response *response, struct db_rows *row)
{
	response_reset(response);
	response->status = (int)db_column_int(row, 1);
	response->content_type = static_content_type(db_column_text(row, 3, NULL));

	/* headers: the entity tag, a NUL-free line, then the header lines as they were */
	size_t length = 0;
	const char *headers = db_column_text(row, 2, &length);
	size_t tag = strcspn(headers, "\n");
	snprintf(response->etag, sizeof(response->etag), "%.*s", (int)tag, headers);
	if (tag < length)
		text_append(&response->headers, headers + tag + 1, length - tag - 1);

	const char *body = db_column_text(row, 4, &length);
	text_append(&response->body, body, length);
	response_header(response, "Idempotent-Replayed", "true");
}

static int answer_known(const struct request *request, struct response *response,
			struct db_rows *row)
{
	char wanted[FINGERPRINT_SIZE];
	fingerprint(request, wanted);
	const char *stored = db_column_text(row, 0, NULL);
	if (!stored || strcmp(stored, wanted) != 0) {
		response_problem(response, 422, "idempotency-key-reused",
				 "This Idempotency-Key was used with another request");
		return 0;
	}
	if (db_column_int(row, 1) == STATUS_RUNNING) {
		response_problem(response, 409, "request-in-progress",
				 "A request with this Idempotency-Key is still running");
		response_header(response, "Retry-After", "1");
		return 0;
	}
	replay(response, row);
	return text_error(&response->body);
}

int idempotency_claim(struct db_conn *conn, const struct request *request,
		      struct response *response, const char *resource_id,
		      enum idempotency *ret_outcome)
{
	if (!request->idempotency_key) {
		*ret_outcome = IDEMPOTENCY_NEW;
		return 0;
	}
	char print[FINGERPRINT_SIZE];
	fingerprint(request, print);
	int64_t now = clock_now();

	/* An expired row is taken over. The insert waits for a concurrent claim of the same key. */
	int64_t claimed = db_run(
		conn,
		"INSERT INTO idempotency_keys"
		" (operation, key, fingerprint, resource_id, status, headers, content_type, body,"
		"  created_at)"
		" VALUES ($1, $2, $3, $4, 0, '', '', '', $5)"
		" ON CONFLICT (operation, key) DO UPDATE SET"
		"  fingerprint = excluded.fingerprint, resource_id = excluded.resource_id,"
		"  status = 0, headers = '', content_type = '', body = '',"
		"  created_at = excluded.created_at"
		" WHERE idempotency_keys.created_at < $6",
		DB_VALUES(db_text(request->operation->id), db_text(request->idempotency_key),
			  db_text(print), db_text(resource_id), db_int(now),
			  db_int(now - IDEMPOTENCY_LIFETIME)));
	if (claimed < 0)
		return (int)claimed;
	if (claimed > 0) {
		*ret_outcome = IDEMPOTENCY_NEW;
		return 0;
	}

	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int rc = db_query(
		conn,
		"SELECT fingerprint, status, headers, content_type, body FROM idempotency_keys"
		" WHERE operation = $1 AND key = $2",
		DB_VALUES(db_text(request->operation->id), db_text(request->idempotency_key)),
		&rows);
	if (rc < 0)
		return rc;
	rc = db_next(rows);
	if (rc <= 0)
		return rc < 0 ? rc : -EAGAIN;
	rc = answer_known(request, response, rows);
	if (rc < 0)
		return rc;
	*ret_outcome = IDEMPOTENCY_ANSWERED;
	return 0;
}

int idempotency_resource(struct db_conn *conn, const struct request *request,
			 char ret_id[UUID_TEXT_SIZE])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int rc = db_query(
		conn,
		"SELECT resource_id FROM idempotency_keys"
		" WHERE operation = $1 AND key = $2 AND resource_id IS NOT NULL",
		DB_VALUES(db_text(request->operation->id), db_text(request->idempotency_key)),
		&rows);
	if (rc < 0)
		return rc;
	rc = db_next(rows);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOENT;
	snprintf(ret_id, UUID_TEXT_SIZE, "%s", db_column_text(rows, 0, NULL));
	return 0;
}

int idempotency_store(struct db_conn *conn, const struct request *request,
		      const struct response *response)
{
	if (!request->idempotency_key)
		return 0;
	/* Cut off, it would be so for each repetition. */
	int error = text_error(&response->body);
	if (!error)
		error = text_error(&response->headers);
	if (error)
		return error;
	if (response->content_type && !static_content_type(response->content_type))
		return -EIO; /* it could not be replayed */
	struct text headers;
	text_init(&headers, response->headers.limit + sizeof(response->etag));
	text_append_string(&headers, response->etag);
	text_append_char(&headers, '\n');
	text_append(&headers, text_string(&response->headers), response->headers.length);

	int64_t changed = text_error(&headers);
	if (!changed)
		changed = db_run(
			conn,
			"UPDATE idempotency_keys"
			" SET status = $3, headers = $4, content_type = $5, body = $6"
			" WHERE operation = $1 AND key = $2",
			DB_VALUES(db_text(request->operation->id),
				  db_text(request->idempotency_key), db_int(response->status),
				  db_bytes(text_string(&headers), headers.length),
				  db_text(response->content_type ? response->content_type : ""),
				  db_bytes(text_string(&response->body), response->body.length)));
	text_release(&headers);
	return changed < 0 ? (int)changed : 0;
}

int idempotency_forget(struct db_conn *conn, const char *operation_id, const char *resource_id)
{
	int64_t changed = db_run(conn,
				 "DELETE FROM idempotency_keys"
				 " WHERE operation = $1 AND resource_id = $2 AND status = 0",
				 DB_VALUES(db_text(operation_id), db_text(resource_id)));
	return changed < 0 ? (int)changed : 0;
}

int64_t idempotency_purge(struct db_conn *conn, int64_t now, int64_t limit)
{
	/* The age stands in the DELETE too: a claim may have taken the row over in between. */
	return db_run(conn,
		      "DELETE FROM idempotency_keys WHERE (operation, key) IN"
		      " (SELECT operation, key FROM idempotency_keys WHERE created_at < $1"
		      "  ORDER BY created_at LIMIT $2)"
		      " AND created_at < $1",
		      DB_VALUES(db_int(now - IDEMPOTENCY_LIFETIME), db_int(limit)));
}

/* A 412 is about the If-Match, which the client brings up to date for the same request. */
static bool is_kept(int status)
{
	return status < 500 && status != 412;
}

int idempotent_handle(struct db_conn *conn, struct request *request, struct response *response,
		      int (*handle)(struct request *, struct response *))
{
	response_reset(response);
	request->db = conn;
	if (!request->idempotency_key) {
		int rc = handle(request, response);
		if (rc == 0 && response->status >= 400)
			return IDEMPOTENT_REFUSED;
		return rc;
	}

	enum idempotency outcome = IDEMPOTENCY_NEW;
	int rc = idempotency_claim(conn, request, response, NULL, &outcome);
	if (rc < 0 || outcome == IDEMPOTENCY_ANSWERED)
		return rc;
	rc = db_savepoint(conn);
	if (rc < 0)
		return rc;
	rc = handle(request, response);
	if (rc < 0)
		return rc;
	if (!is_kept(response->status))
		return IDEMPOTENT_REFUSED;
	rc = response->status >= 400 ? db_savepoint_rollback(conn) : db_savepoint_release(conn);
	if (rc < 0)
		return rc;
	return idempotency_store(conn, request, response);
}

struct attempt {
	struct request *request;
	struct response *response;
	int (*handle)(struct request *, struct response *);
};

static int run_attempt(struct db_conn *conn, void *argument)
{
	struct attempt *attempt = argument;
	return idempotent_handle(conn, attempt->request, attempt->response, attempt->handle);
}

int idempotent_transaction(struct request *request, struct response *response,
			   int (*handle)(struct request *, struct response *))
{
	struct attempt attempt = {request, response, handle};
	int rc = db_transaction(request->runtime->db, run_attempt, &attempt);
	request->db = NULL;
	return rc == IDEMPOTENT_REFUSED ? 0 : rc;
}
