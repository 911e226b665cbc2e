/* The handlers of this service, one for each operation of openapi.json. */
#ifndef ORDER_ORDER_API_H
#define ORDER_ORDER_API_H

#include "responder/lookup.h"

/* checkout.c, in RUN_BLOCKING */
int order_api_create(struct request *request, struct response *response);

/* order_api.c */
int order_api_list(struct request *request, struct response *response);
extern const struct lookup order_api_get;
int order_api_get_guests(struct request *request, struct response *response); /* with a secret */
extern const struct lookup order_api_replay;
int order_api_set_status(struct request *request, struct response *response); /* RUN_BLOCKING */

#endif
