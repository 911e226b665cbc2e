/*
 * What the cart asks the Product service: typed calls over upstream/upstream.h. Thread-safe.
 *
 * The request gives deadline, trace and request id. Errors: those of upstream_call(); an answer
 * that makes no sense, or prices in another currency, is -EHOSTDOWN and logged.
 */
#ifndef CART_SIBLINGS_H
#define CART_SIBLINGS_H

#include "cart/cart.h"
#include "responder/request.h"
#include "upstream/upstream.h"

struct cart_siblings {
	struct upstream *product;
	struct currency currency;
};

/* One product; -ENOENT when there is none, also for an id that can't be one. The caller releases
 * *ret_product. */
int cart_siblings_get_product(const struct cart_siblings *siblings, const struct request *request,
			      const char *product_id, struct cart_product *ret_product);

/* Fills in those of the products (their ids are given, at most CART_LINES_MAX) that exist; the
 * others keep name = NULL. The caller releases them, also after an error. */
int cart_siblings_get_products(const struct cart_siblings *siblings, const struct request *request,
			       struct cart_product *products, size_t count);

#endif
