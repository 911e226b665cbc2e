/*
 * The rows of product_tags: a product under each of its tags, for listings by tag. They are written
 * with the product, in its transaction, and posted, so an error may be reported by a later
 * statement. Thread-safe.
 */
#ifndef PRODUCT_TAGS_STORE_H
#define PRODUCT_TAGS_STORE_H

#include "base/json.h"
#include "storage/conn.h"

/* For each tag of an array of strings (or NULL); created_at and id are the product's. 0, or the
 * store's error. */
int product_tags_add(struct db_conn *conn, const struct json *tags, int64_t created_at,
		     const char *id);
int product_tags_remove(struct db_conn *conn, const struct json *tags, int64_t created_at,
			const char *id);

#endif
