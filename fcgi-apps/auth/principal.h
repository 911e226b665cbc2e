/*
 * Who sends a request: what a token, a sibling's credential and a guest's secret have shown of
 * them. Plain data, part of the request.
 */
#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include "base/base.h"

/* A user_id of the contract: 255 characters of at most four bytes, and the NUL. */
#define PRINCIPAL_SUBJECT_SIZE 1021
#define PRINCIPAL_CLIENT_SIZE  129

enum principal_kind {
	PRINCIPAL_NOBODY,  /* showed no token */
	PRINCIPAL_USER,    /* a token, of a customer or of staff: an operation's rule tells */
	PRINCIPAL_SERVICE, /* a sibling, which subject names: "order" */
	PRINCIPAL_ALL,     /* AUTH=off: nobody is asked, and everybody may do all */
};

struct principal {
	enum principal_kind kind;
	char subject[PRINCIPAL_SUBJECT_SIZE];  /* in the normal form of user ids, or "" */
	char client_id[PRINCIPAL_CLIENT_SIZE]; /* or "" */
	uint64_t scopes;                       /* as contract_scopes() numbers them */
	/* Cart-Secret as it was sent, or NULL: it is checked where the cart is known. */
	const char *cart_secret;
};

#endif
