/*
 * What a listing's filters mean (list_store.h): which index is walked, and the conditions on its
 * products, as SQL that is appended to a statement. Errors stay in the statement's text until the
 * end. Thread-safe (no state).
 */
#ifndef PRODUCT_PRODUCT_CONDITIONS_H
#define PRODUCT_PRODUCT_CONDITIONS_H

#include "product/product_statement.h"

void product_sql_add(struct product_statement *statement, const char *sql);

/* Appends before, a parameter and after. */
void product_sql_value(struct product_statement *statement, const char *before,
		       struct db_value value, const char *after);

bool product_sorts_by(const struct product_listing *listing, const char *column);

/* Which index is walked, if not the sort order's own. */
bool product_walks_tag(const struct product_listing *listing);
bool product_walks_kind(const struct product_listing *listing);
bool product_walks_changes(const struct product_listing *listing);

/* Whether a walk passes products that the filters leave out. A sku and ids are looked up
 * instead. */
bool product_leaves_out(const struct product_listing *listing);

/* " AND …" for each filter of this kind. */
void product_sql_tag(struct product_statement *statement, const struct product_listing *listing);
void product_sql_price_range(struct product_statement *statement,
			     const struct product_listing *listing, bool indexed);
void product_sql_sought_times(struct product_statement *statement,
			      const struct product_listing *listing);
void product_sql_exact(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing);

/* All conditions except the tag; follows WHERE or AND. */
void product_sql_conditions(struct product_statement *statement, enum db_dialect dialect,
			    const struct product_listing *listing);

/* " FROM …" the products of the listing's source. */
void product_sql_few(struct product_statement *statement, const struct product_listing *listing);

#endif
