/*
 * One product in the store. All of it runs inside db_read or db_transaction; every write is one
 * version more and keeps the ledger (stock_store.h) in step. Errors are those of storage/conn.h and
 * the ones named here; after an error the caller rolls back. Results are rows with PRODUCT_COLUMNS,
 * positioned on the product: the caller closes them.
 */
#ifndef PRODUCT_PRODUCT_STORE_H
#define PRODUCT_PRODUCT_STORE_H

#include "product/product.h"

/* What a change needs to know of the product before it. One owner. */
struct product_current {
	int64_t version;
	int64_t price;
	int64_t inventory;
	int64_t low_stock_threshold; /* -1: none */
	int64_t reserved;
	int64_t created_at;
	struct json *tags;
	struct text texts; /* all of them, to be compared */
};

/* -ENOENT: no such product, or deleted. */
int product_find(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* The same for a change of it in this transaction: until its end nobody else changes the product.
 * Otherwise orders that take one of it again and again would be faster each time. */
int product_find_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* The same for one that may be deleted. -ENOENT: there never was one. */
int product_find_any_to_change(struct db_conn *conn, const char *id, struct db_rows **ret_rows);

/* Copies it from a row. -ENOMEM, -EIO for a row that is damaged. */
int product_current_read(struct db_rows *row, struct product_current *ret_current);
void product_current_release(struct product_current *current);

/* Makes a product with a new id; opening stock is its first movement. -EEXIST: sku is taken. */
int product_insert(struct db_conn *conn, const struct product_input *input, int64_t now,
		   struct db_rows **ret_rows);

/*
 * Replaces the writable members; a change of inventory is a movement with this reason. A store
 * writes each index anew of whose columns an UPDATE names one, so those that stay are left out.
 * -EEXIST: sku is taken; -ERANGE: with what is reserved the stock would be above PRODUCT_STOCK_MAX;
 * -EAGAIN: changed by someone else since current was read.
 */
int product_replace(struct db_conn *conn, const char *id, const struct product_current *current,
		    const struct product_input *input, const char *reason, int64_t now,
		    struct db_rows **ret_rows);

/* The same for many products at once: without rows, and posted (db_post), so that an error may be
 * told as late as by db_settle. id is a new one. */
int product_post_insert(struct db_conn *conn, const char *id, const struct product_input *input,
			int64_t now);
int product_post_replace(struct db_conn *conn, const char *id,
			 const struct product_current *current, const struct product_input *input,
			 const char *reason, int64_t now);

/* Hides the product from everything but orders that have it already. -EAGAIN as above. */
int product_delete(struct db_conn *conn, const char *id, const struct product_current *current,
		   int64_t now);

/* Undoes that: stock and ledger are as they were left. -EEXIST: sku is taken; -EAGAIN as above, and
 * when it is not deleted. */
int product_restore(struct db_conn *conn, const char *id, const struct product_current *current,
		    int64_t now, struct db_rows **ret_rows);

/* The live product that has this sku. -ENOENT. */
int product_find_sku(struct db_conn *conn, const char *sku, struct db_rows **ret_rows);

/*
 * The live products that have one of these skus, a JSON array. Where others write at the same time
 * they are locked until the end of the transaction, in the order in which orders take stock: else
 * many changes in one transaction deadlock with orders.
 */
int product_find_skus(struct db_conn *conn, const struct text *skus, struct db_rows **ret_rows);

/* Locks the same ones only, where others write at the same time; posted. */
int product_lock_skus(struct db_conn *conn, const struct text *skus);

#endif
