/*
 * The currency of the stored prices. They are kept in its minor units, so that the same digits
 * would be other amounts in another currency: the first start of a worker fixes it for good.
 */
#ifndef PRODUCT_CURRENCY_H
#define PRODUCT_CURRENCY_H

#include "responder/service.h"

#define CURRENCY_SCHEMA                                                                            \
	"CREATE TABLE prices ("                                                                    \
	" id BIGINT PRIMARY KEY CHECK (id = 1),"                                                   \
	" currency TEXT NOT NULL);"

/* A service's check_store: fixes CURRENCY as theirs where none is yet. -EINVAL, with a log line
 * that names it, where it is another than that one; or an error of the store, logged too. Any
 * number of replicas may start at once. */
int product_currency_check(struct runtime *runtime);

#endif
