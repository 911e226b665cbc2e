/*
 * What the query of listProducts asks for: filters, order and place. Thread-safe (no state).
 */
#ifndef PRODUCT_LIST_REQUEST_H
#define PRODUCT_LIST_REQUEST_H

#include "product/list_store.h"
#include "responder/paging.h"

/* With the memory that it needs. One owner; texts are borrowed from the request, which must stay.
 */
struct list_request {
	struct product_filter filter;
	struct text ids;
	int64_t created_after;
	int64_t created_before;
	int64_t updated_after;
	const struct product_order *order;
	struct cursor cursor;
	int64_t top; /* of the cursor, or 0 */
	struct product_position position;
	const struct product_position *after; /* the same, or NULL: from the beginning */
};
void list_request_release(struct list_request *list);

/* Fills one that is all zero. 1: go on; 0: the response is a 422 now; -ENOMEM, -EMSGSIZE, -EINVAL.
 */
int list_request_read(const struct request *request, struct response *response,
		      struct list_request *list);

#endif
