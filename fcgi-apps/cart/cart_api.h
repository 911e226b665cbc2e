/* The handlers of this service, one for each operation of openapi.json, and what they share. */
#ifndef CART_CART_API_H
#define CART_CART_API_H

#include "cart/cart.h"
#include "cart/cart_store.h"
#include "responder/lookup.h"

/* Reads; writes to one's own database. */
int cart_api_create(struct request *request, struct response *response);
int cart_api_created(struct request *request, struct response *response); /* its completion */
int cart_api_list(struct request *request, struct response *response);
extern const struct lookup cart_api_get;
int cart_api_clear(struct request *request, struct response *response);
int cart_api_merge(struct request *request, struct response *response);
int cart_api_remove_item(struct request *request, struct response *response);

/* They ask Product first. */
int cart_api_add_item(struct request *request, struct response *response);
int cart_api_set_item(struct request *request, struct response *response);
int cart_api_refresh(struct request *request, struct response *response);

/* For the order service. */
int cart_api_open_checkout(struct request *request, struct response *response);
int cart_api_consume_checkout(struct request *request, struct response *response);
int cart_api_release_checkout(struct request *request, struct response *response);

/*
 * Loads the cart that the path names into an initialised cart, for a change, and checks If-Match.
 * 1: go on; 0: the response is a 404 or 412 now; negative: the store's error.
 */
int cart_api_load(struct request *request, struct response *response, enum cart_lock lock,
		  struct cart *cart);

/* Answers with the cart and its entity tag. */
int cart_api_answer(const struct request *request, struct response *response, int status,
		    const struct cart *cart);

/* Notes a change, writes it and answers with the cart. */
int cart_api_save(const struct request *request, struct response *response, int64_t lifetime,
		  struct cart *cart);

/* 409 with the reason, the limit and the product. */
void cart_api_refuse(struct response *response, const struct cart_refusal *refusal);

/* 409 "checkout-in-progress" with the order's id. */
void cart_api_checkout_open(struct response *response, const char *order_id);

#endif
