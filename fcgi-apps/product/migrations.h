/*
 * The product service's schema.
 *
 *	products           the catalogue; a deleted product stays, with deleted_at set
 *	product_tags       live products by tag, in order of creation
 *	product_search     index of the live products' words (SQLite: FTS5; PostgreSQL: a column)
 *	product_words_older one row while products up to its top have no words of ours yet
 *	product_words_due  PostgreSQL: products that were written without their words
 *	stock_movements    append-only ledger: the sum of a product's deltas is its inventory
 *	reservations       stock held for orders, with reservation_items
 *
 * Stock of a product is in three places: inventory (sellable), reserved (held for orders), shipped.
 * A movement with a reference belongs to that order; the others are opening stock and adjustments:
 *	sum(delta)                             = inventory
 *	sum(delta) where reference is null     = inventory + reserved + shipped
 */
#ifndef PRODUCT_MIGRATIONS_H
#define PRODUCT_MIGRATIONS_H

#include "storage/options.h"

#define PRODUCT_MIGRATION_COUNT 13

extern const struct db_migration product_migrations[PRODUCT_MIGRATION_COUNT];

#endif
