/* The product service, which has no state of its own: what main.c passes to server_main(). */
#ifndef PRODUCT_SERVICE_H
#define PRODUCT_SERVICE_H

#include "responder/service.h"

extern const struct service product_service;

#endif
