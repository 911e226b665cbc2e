/*
 * Keyset paging: an opaque cursor holds the sort keys of the last row of a page, so that the next
 * page is an index seek, whatever its number. Thread-safe (no state).
 */
#ifndef RESPONDER_PAGING_H
#define RESPONDER_PAGING_H

#include "base/base.h"
#include "responder/request.h"
#include "responder/response.h"

#define PAGE_LIMIT_DEFAULT 50
#define PAGE_LIMIT_MAX     200
#define CURSOR_FIELDS_MAX  4

/* The most entries that count=true counts; beyond it the count is "at least". A count's query ends
 * with LIMIT PAGING_COUNTED, one more, over rows, so its cost is bounded. */
#define PAGING_COUNT_MAX 10000
#define PAGING_COUNTED   "10001"

/* A decoded cursor. One owner. */
struct cursor {
	const char *fields[CURSOR_FIELDS_MAX];
	size_t count; /* 0: first page */
	char *memory;
};

/*
 * Reads the request's `cursor`. kind names the listing that it must be of ("created_at", "-price"):
 * a cursor of another listing is an error. False: the response is a 422 at /cursor now.
 */
bool cursor_read(const struct request *request, struct response *response, const char *kind,
		 size_t field_count, struct cursor *ret_cursor);
void cursor_release(struct cursor *cursor);

/* A whole number in a cursor's field. False: the response is a 422 now. */
bool cursor_int(const struct cursor *cursor, size_t field, struct response *response,
		int64_t *ret_value);

/*
 * Adds X-Total-Count with the count, PAGING_COUNT_MAX at most, and X-Total-Count-Relation: "eq", or
 * "gte" where there may be more. all is false where the count did not look at all rows.
 */
void paging_total(struct response *response, int64_t counted, bool all);

/*
 * Adds the header Link: <?…>; rel="next" (RFC 8288): the request's own query with the cursor
 * replaced. A relative reference, so it is right under any prefix. A query that would become too
 * long for a request makes the response a 422. Call it when the body is written.
 */
void paging_next(const struct request *request, struct response *response, const char *kind,
		 const char *const *fields, size_t field_count);

#endif
