/*
 * One product in the store. All functions run inside db_read or db_transaction. Every write makes a
 * new version and keeps the ledger (stock_store.h) in step. Errors are those of storage/conn.h and
 * the ones named here; after an error the caller rolls back. Results are rows with PRODUCT_COLUMNS,
 * positioned on the product; the caller closes them.
 */
#ifndef PRODUCT_PRODUCT_STORE_H
#define PRODUCT_PRODUCT_STORE_H

#include "product/product.h"

/* What a change needs to know about the product before it. One owner. */
struct product_current {
	int64_t version;
	int64_t price;
	int64_t inventory;
	int64_t low_stock_threshold; /* -1: none */
	int64_t reserved;
	int64_t created_at;
	struct json *tags;
	struct text texts; /* all of them, for comparison */
};

/* The statement that product_find() runs; the id must stay until its row has been read. */
void product_ask(const char *id, struct db_statement *ret_statement);

/* -ENOENT: no such product, or deleted. */
int product_find(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* The same for a change in this transaction: no other transaction changes the product until this
 * one ends. Without this, a stream of orders for the product could win every race. */
int product_find_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* The same for a product that may be deleted. -ENOENT: there never was one. */
int product_find_any_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* Copies the figures from a row. -ENOMEM, -EIO if the row is damaged. */
int product_current_read(struct db_rows *row, struct product_current *ret_current);
void product_current_release(struct product_current *current);

/* Makes a product with a new id; its opening stock is the first movement. -EEXIST: the sku is
 * taken. */
int product_insert(struct db_conn *conn, const struct product_input *input, int64_t now,
		   struct db_rows **ret_rows);

/*
 * Replaces the writable members; a change of inventory is a movement with this reason. Unchanged
 * columns are left out of the UPDATE, because a store rewrites every index that has one of the
 * named columns. -EEXIST: the sku is taken; -ERANGE: inventory and reserved together would exceed
 * PRODUCT_STOCK_MAX; -EAGAIN: another transaction changed the product after current was read.
 */
int product_replace(struct db_conn *conn, const char *id, const struct product_current *current,
		    const struct product_input *input, const char *reason, int64_t now,
		    struct db_rows **ret_rows);

/* The same for many products at once: without rows, and posted (db_post), so an error may be
 * reported as late as by db_settle. id is new. */
int product_post_insert(struct db_conn *conn, const char *id, const struct product_input *input,
			int64_t now);
int product_post_replace(struct db_conn *conn, const char *id,
			 const struct product_current *current, const struct product_input *input,
			 const char *reason, int64_t now);

/* Hides the product from everything except orders that already have it. -EAGAIN as above. */
int product_delete(struct db_conn *conn, const char *id, const struct product_current *current,
		   int64_t now);

/* Undoes that: stock and ledger are as they were. -EEXIST: the sku is taken; -EAGAIN as above, and
 * if the product is not deleted. */
int product_restore(struct db_conn *conn, const char *id, const struct product_current *current,
		    int64_t now, struct db_rows **ret_rows);

/* The live product with this sku. -ENOENT. */
int product_find_sku(struct db_conn *conn, const char *sku, struct db_rows **ret_rows);

/*
 * The live products with these skus, a JSON array. Where others write at the same time, the
 * products are locked until the end of the transaction, in the order in which orders take stock:
 * otherwise many changes in one transaction would deadlock with orders.
 */
int product_find_skus(struct db_conn *conn, const struct text *skus, struct db_rows **ret_rows);

/* Only locks these products, where others write at the same time; posted. */
int product_lock_skus(struct db_conn *conn, const struct text *skus);

#endif
