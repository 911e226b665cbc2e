/* The product service as the responder runs it: catalogue, stock, reservations. */
#ifndef PRODUCT_SERVICE_H
#define PRODUCT_SERVICE_H

#include "responder/service.h"

extern const struct service product_service;

#endif
