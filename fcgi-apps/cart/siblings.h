/*
 * Typed calls of the Product service over upstream/upstream.h. Thread-safe.
 *
 * The request gives deadline, trace and request id. Errors are those of upstream_call(). An answer
 * that makes no sense, or has prices in another currency, is -EHOSTDOWN and logged.
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

/* Fetches one product. -ENOENT if there is none, also if the id cannot be one. The caller releases
 * *ret_product. */
int cart_siblings_get_product(const struct cart_siblings *siblings, const struct request *request,
			      const char *product_id, struct cart_product *ret_product);

/* Fills in the products that exist; their ids are given, at most CART_LINES_MAX. The others keep
 * name = NULL. The caller releases all, also after an error. */
int cart_siblings_get_products(const struct cart_siblings *siblings, const struct request *request,
			       struct cart_product *products, size_t count);

#endif
