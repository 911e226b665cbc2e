/*
 * Products that were stored before the contract knew a normal form of texts (schema_text.h), or by
 * a replica that does not: their texts are brought into it once, so that queries find them and
 * every change, export and import takes them. A control character becomes a space. A name that
 * shows nothing becomes the product's id; other texts that do so, and tags that read the same, go.
 * A sku that another product has in that form gets the end of the product's id behind.
 */
#ifndef PRODUCT_OLD_TEXTS_H
#define PRODUCT_OLD_TEXTS_H

#include "storage/conn.h"

/* What a query for such products selects, in this order. */
#define OLD_TEXTS_COLUMNS "seq, sku, name, category, tags, description, id, created_at, deleted_at"

enum old_texts_column {
	OLD_TEXTS_SEQ,
	OLD_TEXTS_SKU,
	OLD_TEXTS_NAME,
	OLD_TEXTS_CATEGORY,
	OLD_TEXTS_TAGS,
	OLD_TEXTS_DESCRIPTION,
	OLD_TEXTS_ID,
	OLD_TEXTS_CREATED_AT,
	OLD_TEXTS_DELETED_AT,
};

/* Inside a transaction that has the row locked: changes the current row's product, a version more,
 * where it needs to. 1: it did; 0: nothing to change, or the row is damaged, which is logged;
 * -ENOMEM, the store's errors. */
int old_texts_renew(struct db_conn *conn, struct db_rows *row);

#endif
