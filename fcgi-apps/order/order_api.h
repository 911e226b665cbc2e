/* The HTTP side of orders that are placed: one handler an operation (responder/service.h). */
#ifndef ORDER_ORDER_API_H
#define ORDER_ORDER_API_H

#include "responder/request.h"
#include "responder/response.h"

int order_api_list(struct request *request, struct response *response);       /* RUN_READ */
int order_api_get(struct request *request, struct response *response);        /* RUN_READ */
int order_api_replay(struct request *request, struct response *response);     /* of createOrder */
int order_api_set_status(struct request *request, struct response *response); /* RUN_BLOCKING */

#endif
