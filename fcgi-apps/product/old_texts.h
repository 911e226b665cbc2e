/*
 * Products stored before the contract had a normal form of texts (schema_text.h), or by a replica
 * that does not know it. Their texts are normalised once, so that queries find them, and so that
 * every change, export and import accepts them. A control character becomes a space. An invisible
 * name becomes the product's id; other invisible texts, and duplicate tags, are removed. If another
 * product already has the normalised sku, the end of the product's id is appended.
 */
#ifndef PRODUCT_OLD_TEXTS_H
#define PRODUCT_OLD_TEXTS_H

#include "storage/conn.h"

/* The columns of a query for such products, in this order. */
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

/* Inside a transaction that has locked the row: normalises the row's product if needed, which makes
 * a new version. 1: it did; 0: nothing to change, or the row is damaged, which is logged; -ENOMEM,
 * the store's errors. */
int old_texts_renew(struct db_conn *conn, struct db_rows *row);

#endif
