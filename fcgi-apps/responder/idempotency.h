/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): the answer to a POST is stored in
 * the same transaction as its effect, keyed by operation, subject (who sent it: principal.h) and
 * key, with the fingerprint of the request (fingerprint.h): two requests are the same if they mean
 * the same. It is kept for 24 hours, in the form of kept_answer.h. While the runtime has too many
 * keys, an unknown one gets 503 "keys-full".
 *
 * RUN_TRANSACTION handlers get this from the responder without doing anything. RUN_BLOCKING ones
 * call idempotent_transaction() for the transaction that has their effect, or the three parts.
 */
#ifndef RESPONDER_IDEMPOTENCY_H
#define RESPONDER_IDEMPOTENCY_H

#include "base/base.h"
#include "base/uuid.h"
#include "responder/request.h"
#include "responder/response.h"

#define IDEMPOTENCY_LIFETIME CLOCK_DAY

/* The table's migration text (both dialects), to be part of each service's first migration. */
#define IDEMPOTENCY_SCHEMA                                                                         \
	"CREATE TABLE idempotency_keys ("                                                          \
	" operation TEXT NOT NULL,"                                                                \
	" key TEXT NOT NULL,"                                                                      \
	" fingerprint TEXT NOT NULL,"                                                              \
	" resource_id TEXT,"                                                                       \
	" status BIGINT NOT NULL,"                                                                 \
	" headers TEXT NOT NULL,"                                                                  \
	" content_type TEXT NOT NULL,"                                                             \
	" body TEXT NOT NULL,"                                                                     \
	" created_at BIGINT NOT NULL,"                                                             \
	" PRIMARY KEY (operation, key));"                                                          \
	"CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);"

/* The migration text, of each service, that added the meaning of a request (fingerprint.h). */
#define IDEMPOTENCY_MEANING "ALTER TABLE idempotency_keys ADD COLUMN meaning TEXT;"

/*
 * Runs handle inside one transaction of the runtime's store with request->db set: replay if the key
 * is known, else handle and store. An answer of 400 or more rolls handle's work back (and is stored
 * where kept_answer_wanted()); handle may run more than once, the response is reset before each
 * run. Negative: the store's error; the caller passes it on.
 */
int idempotent_transaction(struct request *request, struct response *response,
			   int (*handle)(struct request *, struct response *));

/* The same if handle changes very many rows: SQLite would keep a copy of each of their pages, to
 * undo them alone. Therefore the answer to a refusal is not stored. */
int idempotent_bulk(struct request *request, struct response *response,
		    int (*handle)(struct request *, struct response *));

/* idempotent_handle(): the answer (400 or more) stands, the work must be rolled back. */
#define IDEMPOTENT_REFUSED (-EPERM)

/*
 * The same inside a transaction that is already running. 0: commit. IDEMPOTENT_REFUSED or the
 * store's error: roll back.
 */
int idempotent_handle(struct db_conn *conn, struct request *request, struct response *response,
		      int (*handle)(struct request *, struct response *));

/* ---- parts, for an effect that takes several transactions (checkout) ---- */

enum idempotency {
	IDEMPOTENCY_NEW,      /* not seen (or no key was sent): go on */
	IDEMPOTENCY_ANSWERED, /* the response is filled: replay, 422 or 503 full */
	IDEMPOTENCY_RUNNING,  /* the same with 409 or 422: the first request has no answer yet */
};

/* Inside a transaction: looks the key up and, when new, claims it as running for resource_id. */
int idempotency_claim(struct db_conn *conn, struct request *request, struct response *response,
		      const char *resource_id, enum idempotency *ret_outcome);

/* Inside a transaction: the resource_id that the request's key was claimed for, answered or not.
 * -ENOENT where there is none. */
int idempotency_resource(struct db_conn *conn, const struct request *request,
			 char ret_id[UUID_TEXT_SIZE]);

/* Inside a transaction: stores the answer for the key claimed before. */
int idempotency_store(struct db_conn *conn, const struct request *request,
		      const struct response *response);

/* Inside a transaction: forgets a running claim, so that the client's retry starts anew. */
int idempotency_forget(struct db_conn *conn, const char *operation_id, const char *resource_id);

/* Deletes expired keys, at most limit of them; returns how many. */
int64_t idempotency_purge(struct db_conn *conn, int64_t now, int64_t limit);

/* How many are stored; counts no further than limit. Keys stored in the same microsecond may count
 * as one. */
int idempotency_count(struct db_conn *conn, int64_t limit, int64_t *ret_count);

#endif
