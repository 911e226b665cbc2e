/* Answers that several handlers of this service give. */
#ifndef PRODUCT_ANSWER_H
#define PRODUCT_ANSWER_H

#include "product/product.h"
#include "responder/request.h"
#include "responder/response.h"

/* The row's product, with its ETag. */
void product_answer(const struct request *request, struct response *response, int status,
		    struct db_rows *row);

/* 409 for stock that would be above PRODUCT_STOCK_MAX; available is the inventory as it is. */
void product_answer_stock_limit(struct response *response, int64_t available);

/* 404; returns 0, what the handler is to return. */
int product_answer_not_found(struct response *response);

#endif
