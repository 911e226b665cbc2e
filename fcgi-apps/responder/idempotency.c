#include "responder/idempotency.h"

#include <sha2.h>

#include "base/clock.h"
#include "responder/fingerprint.h"
#include "responder/kept_answer.h"
#include "responder/service.h"
#include "storage/count.h"

/* A row with this status is a claim that has no answer yet. */
#define STATUS_RUNNING 0

/* The longest key with its NUL: any, of any subject. */
#define KEY_SIZE (PRINCIPAL_SUBJECT_SIZE + 300)

/* The key as it is stored: each subject has keys of its own, and so has nobody. No key holds a line
 * feed. Where nobody is asked, it is the key alone. A guest's secret is not to be found in a store.
 */
static const char *stored_key(const struct request *request, char buffer[KEY_SIZE])
{
	const struct principal *principal = &request->principal;
	char digest[SHA256_DIGEST_STRING_LENGTH];
	const char *subject = principal->subject;

	if (principal->kind == PRINCIPAL_ALL)
		return request->idempotency_key;
	if (principal->kind == PRINCIPAL_NOBODY && principal->cart_secret)
		subject = SHA256Data((const uint8_t *)principal->cart_secret,
				     strlen(principal->cart_secret), digest);
	snprintf(buffer, KEY_SIZE, "%s\n%s", subject, request->idempotency_key);
	return buffer;
}

/* A row of the table, without the key. */
struct known {
	char sent[FINGERPRINT_SENT_SIZE];
	char meaning[FINGERPRINT_MEANING_SIZE]; /* "": as sent */
	struct kept_answer kept;
};

static void known_release(struct known *known)
{
	kept_answer_release(&known->kept);
}

static int answer_known(struct db_conn *conn, struct request *request, struct response *response,
			const struct fingerprint *print, const struct known *known)
{
	const struct kept_answer *kept = &known->kept;
	char id[UUID_TEXT_SIZE];
	if (!fingerprint_fits(print, known->sent, known->meaning)) {
		response_problem(response, 422, "idempotency-key-reused",
				 "This Idempotency-Key was used with another request");
		return 0;
	}
	if (kept->status == STATUS_RUNNING) {
		response_problem(response, 409, "request-in-progress",
				 "A request with this Idempotency-Key is still running");
		response_header(response, "Retry-After", "1");
		return 0;
	}
	int r = idempotency_resource(conn, request, id);
	if (r < 0 && r != -ENOENT)
		return r;
	request->resource_id = r == 0 ? id : NULL;
	r = kept_answer_give(conn, request, response, kept);
	request->resource_id = NULL;
	return r;
}

static void read_text(struct db_rows *row, int column, struct text *out)
{
	size_t length = 0;
	const char *text = db_column_text(row, column, &length);
	if (text)
		text_append(out, text, length);
}

/* Copies the row of the request's key, because another query may follow. -EAGAIN: the row is gone
 * or has expired. */
static int read_key(struct db_conn *conn, const struct request *request, int64_t now,
		    struct known *known)
{
	struct kept_answer *kept = &known->kept;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char key[KEY_SIZE];
	int r = db_query_row(conn,
			     "SELECT fingerprint, meaning, status, headers, content_type, body"
			     " FROM idempotency_keys"
			     " WHERE operation = $1 AND key = $2 AND created_at >= $3",
			     DB_VALUES(db_text(request->operation->id),
				       db_text(stored_key(request, key)),
				       db_int(now - IDEMPOTENCY_LIFETIME)),
			     &rows);
	if (r < 0)
		return r == -ENOENT ? -EAGAIN : r;
	db_column_copy(rows, 0, known->sent, sizeof(known->sent));
	db_column_copy(rows, 1, known->meaning, sizeof(known->meaning));
	kept->status = (int)db_column_int(rows, 2);
	read_text(rows, 3, &kept->headers);
	db_column_copy(rows, 4, kept->content_type, sizeof(kept->content_type));
	read_text(rows, 5, &kept->body);
	r = text_error(&kept->headers);
	return r == 0 ? text_error(&kept->body) : r;
}

/* Takes over an expired row. The insert waits for a concurrent claim of the same key. */
static int64_t insert_claim(struct db_conn *conn, const struct request *request,
			    const struct fingerprint *print, int64_t now, const char *resource_id)
{
	char key[KEY_SIZE];

	return db_run(
		conn,
		"INSERT INTO idempotency_keys"
		" (operation, key, fingerprint, resource_id, status, headers, content_type, body,"
		"  created_at, meaning)"
		" VALUES ($1, $2, $3, $4, 0, '', '', '', $5, $7)"
		" ON CONFLICT (operation, key) DO UPDATE SET"
		"  fingerprint = excluded.fingerprint, meaning = excluded.meaning,"
		"  resource_id = excluded.resource_id,"
		"  status = 0, headers = '', content_type = '', body = '',"
		"  created_at = excluded.created_at"
		" WHERE idempotency_keys.created_at < $6",
		DB_VALUES(db_text(request->operation->id), db_text(stored_key(request, key)),
			  db_text(print->sent), db_text(resource_id), db_int(now),
			  db_int(now - IDEMPOTENCY_LIFETIME), db_text(fingerprint_meaning(print))));
}

static int refuse_full(struct response *response)
{
	response_problem(response, 503, "keys-full",
			 "Too many Idempotency-Keys are stored at the moment");
	response_header(response, "Retry-After", "60");
	return 0;
}

int idempotency_claim(struct db_conn *conn, struct request *request, struct response *response,
		      const char *resource_id, enum idempotency *ret_outcome)
{
	if (!request->idempotency_key) {
		*ret_outcome = IDEMPOTENCY_NEW;
		return 0;
	}
	struct fingerprint print;
	int r = fingerprint_make(request, &print);
	if (r < 0)
		return r;
	int64_t now = clock_now();
	bool full = atomic_load_explicit(&request->runtime->keys_full, memory_order_relaxed);
	int64_t claimed = full ? 0 : insert_claim(conn, request, &print, now, resource_id);
	if (claimed < 0)
		return (int)claimed;
	if (claimed > 0) {
		*ret_outcome = IDEMPOTENCY_NEW;
		return 0;
	}

	struct known known CLEANUP(known_release) = {0};
	kept_answer_init(&known.kept);
	r = read_key(conn, request, now, &known);
	bool running = r == 0 && known.kept.status == STATUS_RUNNING;
	if (r == 0)
		r = answer_known(conn, request, response, &print, &known);
	else if (r == -EAGAIN && full)
		r = refuse_full(response);
	if (r < 0)
		return r;
	*ret_outcome = running ? IDEMPOTENCY_RUNNING : IDEMPOTENCY_ANSWERED;
	return 0;
}

int idempotency_resource(struct db_conn *conn, const struct request *request,
			 char ret_id[UUID_TEXT_SIZE])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char key[KEY_SIZE];
	int r = db_query_row(
		conn,
		"SELECT resource_id FROM idempotency_keys"
		" WHERE operation = $1 AND key = $2 AND resource_id IS NOT NULL",
		DB_VALUES(db_text(request->operation->id), db_text(stored_key(request, key))),
		&rows);
	if (r < 0)
		return r;
	db_column_copy(rows, 0, ret_id, UUID_TEXT_SIZE);
	return 0;
}

int idempotency_store(struct db_conn *conn, const struct request *request,
		      const struct response *response)
{
	if (!request->idempotency_key)
		return 0;
	struct kept_answer kept CLEANUP(kept_answer_release) = {0};
	char key[KEY_SIZE];
	kept_answer_init(&kept);
	int r = kept_answer_make(request, response, &kept);
	if (r < 0)
		return r;
	return db_post(conn,
		       "UPDATE idempotency_keys"
		       " SET status = $3, headers = $4, content_type = $5, body = $6"
		       " WHERE operation = $1 AND key = $2",
		       DB_VALUES(db_text(request->operation->id), db_text(stored_key(request, key)),
				 db_int(kept.status),
				 db_bytes(text_string(&kept.headers), kept.headers.length),
				 db_text(kept.content_type),
				 db_bytes(text_string(&kept.body), kept.body.length)),
		       DB_ANY_ROWS);
}

int idempotency_forget(struct db_conn *conn, const char *operation_id, const char *resource_id)
{
	return db_post(conn,
		       "DELETE FROM idempotency_keys"
		       " WHERE operation = $1 AND resource_id = $2 AND status = 0",
		       DB_VALUES(db_text(operation_id), db_text(resource_id)), DB_ANY_ROWS);
}

int64_t idempotency_purge(struct db_conn *conn, int64_t now, int64_t limit)
{
	/* The DELETE checks the age again: a claim may have taken the row over in between. */
	return db_run(conn,
		      "DELETE FROM idempotency_keys WHERE (operation, key) IN"
		      " (SELECT operation, key FROM idempotency_keys WHERE created_at < $1"
		      "  ORDER BY created_at LIMIT $2)"
		      " AND created_at < $1",
		      DB_VALUES(db_int(now - IDEMPOTENCY_LIFETIME), db_int(limit)));
}

int idempotency_count(struct db_conn *conn, int64_t limit, int64_t *ret_count)
{
	return db_count(conn, DB_COUNT_PIECE("idempotency_keys"), limit, ret_count);
}

/* without_savepoint: the answer to a refusal is not stored. */
static int handle_once(struct db_conn *conn, struct request *request, struct response *response,
		       int (*handle)(struct request *, struct response *), bool without_savepoint)
{
	response_reset(response);
	request->db = conn;
	if (!request->idempotency_key) {
		int r = handle(request, response);
		if (r == 0 && response->status >= 400)
			return IDEMPOTENT_REFUSED;
		return r;
	}

	enum idempotency outcome = IDEMPOTENCY_NEW;
	int r = idempotency_claim(conn, request, response, NULL, &outcome);
	if (r < 0 || outcome != IDEMPOTENCY_NEW)
		return r;
	if (!without_savepoint)
		r = db_savepoint(conn);
	if (r < 0)
		return r;
	r = handle(request, response);
	if (r < 0)
		return r;
	if (!kept_answer_wanted(request, response) ||
	    (without_savepoint && response->status >= 400))
		return IDEMPOTENT_REFUSED;
	if (!without_savepoint)
		r = response->status >= 400 ? db_savepoint_rollback(conn)
					    : db_savepoint_release(conn);
	if (r < 0)
		return r;
	return idempotency_store(conn, request, response);
}

int idempotent_handle(struct db_conn *conn, struct request *request, struct response *response,
		      int (*handle)(struct request *, struct response *))
{
	return handle_once(conn, request, response, handle, false);
}

struct attempt {
	struct request *request;
	struct response *response;
	int (*handle)(struct request *, struct response *);
	bool without_savepoint;
};

static int run_attempt(struct db_conn *conn, void *argument)
{
	struct attempt *attempt = argument;
	return handle_once(conn, attempt->request, attempt->response, attempt->handle,
			   attempt->without_savepoint);
}

static int transact(struct attempt *attempt)
{
	int r = db_transaction(attempt->request->runtime->db, run_attempt, attempt);
	attempt->request->db = NULL;
	return r == IDEMPOTENT_REFUSED ? 0 : r;
}

int idempotent_transaction(struct request *request, struct response *response,
			   int (*handle)(struct request *, struct response *))
{
	struct attempt attempt = {request, response, handle, false};
	return transact(&attempt);
}

int idempotent_bulk(struct request *request, struct response *response,
		    int (*handle)(struct request *, struct response *))
{
	struct attempt attempt = {request, response, handle, true};
	return transact(&attempt);
}
