/* The product service, which keeps nothing while it runs: what main.c hands to server_main(). */
#ifndef PRODUCT_SERVICE_H
#define PRODUCT_SERVICE_H

#include "responder/service.h"

extern const struct service product_service;

#endif
