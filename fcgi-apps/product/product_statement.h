/*
 * The SQL of product listings (list_store.h). -ENOMEM; -EMSGSIZE cannot happen unless a statement
 * is longer than foreseen. Thread-safe (no state).
 */
#ifndef PRODUCT_PRODUCT_STATEMENT_H
#define PRODUCT_PRODUCT_STATEMENT_H

#include "product/list_store.h"

/* SQL and its parameters, which borrow from the listing and the positions. One owner. */
#define PRODUCT_STATEMENT_VALUES 24
struct product_statement {
	struct text sql;
	struct db_value values[PRODUCT_STATEMENT_VALUES];
	size_t count;
};
void product_statement_release(struct product_statement *statement);

/* The rows of product_listing_page(). */
int product_statement_page(enum db_dialect dialect, const struct product_listing *listing,
			   const struct product_position *after,
			   const struct product_horizon *horizon, int64_t limit,
			   struct product_statement *ret_statement);

/* Counts the products of all pages together, up to the horizon. */
int product_statement_count(enum db_dialect dialect, const struct product_listing *listing,
			    const struct product_horizon *horizon,
			    struct product_statement *ret_statement);

/* Whether the filters make a search look only at the newest PRODUCT_SEARCH_LOOKED_AT matches. */
bool product_looks_at_some(enum db_dialect dialect, const struct product_listing *listing);

/* Counts these matches. */
int product_statement_matches(enum db_dialect dialect, const struct product_listing *listing,
			      struct product_statement *ret_statement);

/* Returns a row if the listing's source has more than PRODUCT_FEW products. */
int product_statement_few(const struct product_listing *listing,
			  struct product_statement *ret_statement);

/* The sort keys of the last of the PRODUCT_HORIZON products that a page looks at. */
int product_statement_horizon(const struct product_listing *listing,
			      const struct product_position *after,
			      struct product_statement *ret_statement);

#endif
