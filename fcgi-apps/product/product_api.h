/* The handlers of this service, one for each operation of openapi.json, and what they share. */
#ifndef PRODUCT_PRODUCT_API_H
#define PRODUCT_PRODUCT_API_H

#include "product/product.h"
#include "responder/lookup.h"

/* list_api.c */
int product_api_list(struct request *request, struct response *response);
/* Of a listing that is one query, which reads its page and little else; declines the others. */
extern const struct lookup product_api_list_lookup;

/* product_api.c */
int product_api_create(struct request *request, struct response *response);
extern const struct lookup product_api_get;
int product_api_replace(struct request *request, struct response *response);
int product_api_patch(struct request *request, struct response *response);
int product_api_delete(struct request *request, struct response *response);
int product_api_restore(struct request *request, struct response *response);

/* stock_api.c */
int product_api_adjust_stock(struct request *request, struct response *response);
int product_api_list_movements(struct request *request, struct response *response);

/* bulk_api.c: in RUN_BLOCKING, with a streamed body */
int product_api_import(struct request *request, struct response *response);

/* export_api.c: in RUN_BLOCKING */
int product_api_export(struct request *request, struct response *response);

/* reservation_api.c: for the order service */
int product_api_hold(struct request *request, struct response *response);
int product_api_ship(struct request *request, struct response *response);
int product_api_release(struct request *request, struct response *response);

/* ---- shared ---- */

/* The row's product, with its ETag. */
void product_answer(const struct request *request, struct response *response, int status,
		    struct db_rows *row);

/* 409 for stock that would be above PRODUCT_STOCK_MAX; available is the inventory as it is. */
void product_answer_stock_limit(struct response *response, int64_t available);

/* 404; returns 0, what the handler is to return. */
int product_answer_not_found(struct response *response);

#endif
