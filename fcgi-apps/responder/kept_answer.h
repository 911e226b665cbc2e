/*
 * How an answer is kept for an Idempotency-Key. A kept answer is never much longer than its
 * request: otherwise short requests with long answers could fill the disk.
 *
 *   - The answer of an operation that answers with a resource (binding.replay): its status and
 *     headers, and {"id": …} as the body, without a content type. It is given again with the
 *     resource as it is by then.
 *   - One that is longer than KEPT_PLAIN_MAX and twice the request's body: packed (base/pack.h),
 *     with "packed " in front of its content type.
 *   - Any other: as it is.
 *
 * Longer refusals than KEPT_PLAIN_MAX are not kept, nor those that hang on more than the subject
 * that a key belongs to: nothing was done, so the repeated request is simply checked again.
 */
#ifndef RESPONDER_KEPT_ANSWER_H
#define RESPONDER_KEPT_ANSWER_H

#include "base/base.h"
#include "base/text.h"
#include "responder/request.h"
#include "responder/response.h"

#define KEPT_PLAIN_MAX 1024

/* The columns of the store. One owner. */
struct kept_answer {
	int status;
	char content_type[64];
	struct text headers; /* the entity tag, then the header lines, each ended by a line feed */
	struct text body;
};
void kept_answer_init(struct kept_answer *kept);
void kept_answer_release(struct kept_answer *kept);

/* Whether this answer to a request with a key should be kept. Not kept are a 412, which is about an
 * If-Match that the client will update, a failure of ours, a long refusal, and one that hangs on
 * what was shown beside the subject: a scope, or a cart's secret. */
bool kept_answer_wanted(const struct request *request, const struct response *response);

/* Fills an initialised one. -EIO: the content type could not be given again; -ENOMEM, -EMSGSIZE:
 * the response is cut off, or memory is short. */
int kept_answer_make(const struct request *request, const struct response *response,
		     struct kept_answer *kept);

/* Gives it again, with Idempotent-Replayed, on a connection of the store and with
 * request->resource_id set. -EIO: the kept answer cannot be read; other errors are the store's. */
int kept_answer_give(struct db_conn *conn, struct request *request, struct response *response,
		     const struct kept_answer *kept);

#endif
