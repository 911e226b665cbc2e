/*
 * The currency of the stored prices. Prices are stored in minor units, so in another currency the
 * same digits would mean other amounts. The first worker to start fixes the currency for good.
 */
#ifndef PRODUCT_CURRENCY_H
#define PRODUCT_CURRENCY_H

#include "responder/service.h"

#define CURRENCY_SCHEMA                                                                            \
	"CREATE TABLE prices ("                                                                    \
	" id BIGINT PRIMARY KEY CHECK (id = 1),"                                                   \
	" currency TEXT NOT NULL);"

/* A service's check_store: sets the store's currency to CURRENCY if it has none yet. -EINVAL, with
 * a log line that names both, if it has another one; or an error of the store, which is logged too.
 * Any number of replicas may start at once. */
int product_currency_check(struct runtime *runtime);

#endif
