/*
 * The currency of the stored prices. They are kept in its minor units, so that the same digits
 * would be other amounts in another currency: the first start of a worker settles it for good.
 */
#ifndef PRODUCT_PRICES_H
#define PRODUCT_PRICES_H

#include "base/money.h"
#include "storage/db.h"

#define PRICES_SCHEMA                                                                              \
	"CREATE TABLE prices ("                                                                    \
	" id BIGINT PRIMARY KEY CHECK (id = 1),"                                                   \
	" currency TEXT NOT NULL);"

/* The code of the currency in which the store keeps its prices: the given one where none is settled
 * yet. An error of the store. Thread-safe, also beside other replicas. */
int product_prices_settle(struct db *db, const struct currency *currency, char ret_code[4]);

#endif
