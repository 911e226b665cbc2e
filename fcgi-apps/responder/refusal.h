/*
 * The answers to those who may not do what they ask for: problem documents with the challenge of
 * RFC 6750 section 3. Another's thing is not among them: it is a 404 as any unknown one.
 */
#ifndef RESPONDER_REFUSAL_H
#define RESPONDER_REFUSAL_H

#include "responder/request.h"
#include "responder/response.h"

/* 401 "unauthorized": nothing was shown. */
void refuse_unknown(const struct request *request, struct response *response);

/* 401 "invalid-token" */
void refuse_bad_token(struct response *response);

/* 403 "insufficient-scope", with the scopes of which one, or all, are missing. */
void refuse_scopes(const struct request *request, struct response *response, uint64_t scopes);

/* 403 "forbidden": the request names another user. */
void refuse_user(struct response *response);

/* 403 "forbidden": a sibling, but none that calls this. */
void refuse_caller(struct response *response);

/* 429 "too-many-requests": the subject's; one may come in so many microseconds. */
void refuse_too_many(struct response *response, int64_t wait);

/* 503 "unavailable": no key has been read yet that a token could be checked with. */
void refuse_without_keys(struct response *response);

#endif
