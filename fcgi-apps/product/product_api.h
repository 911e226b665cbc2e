/* The handlers of this service, one for each operation of openapi.json. */
#ifndef PRODUCT_PRODUCT_API_H
#define PRODUCT_PRODUCT_API_H

#include "responder/request.h"
#include "responder/response.h"

/* list_api.c */
int product_api_list(struct request *request, struct response *response);
/* Whether this listing is one query that reads its page and little else. */
bool product_api_list_is_lookup(const struct request *request);

/* product_api.c */
int product_api_create(struct request *request, struct response *response);
int product_api_get(struct request *request, struct response *response);
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

#endif
