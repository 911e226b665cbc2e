/*
 * Stock of one product and its ledger, inside db_read or db_transaction. migrations.h has the
 * ledger's rules. Errors are those of storage/conn.h and the ones named here.
 */
#ifndef PRODUCT_STOCK_STORE_H
#define PRODUCT_STOCK_STORE_H

#include "product/product.h"

/*
 * Adds a line to the ledger. delta is the change of inventory: negative for a hold, positive for
 * its release, 0 for shipping, because the goods left inventory when they were held. reference is
 * the order, or NULL for adjustments. actor is who asked for it, or NULL with AUTH=off.
 */
int product_movement_add(struct db_conn *conn, const char *product_id, int64_t delta,
			 const char *reason, const char *reference, const char *actor, int64_t now);

/*
 * Changes inventory by delta and writes the movement. Rows as in product_store.h. -ENOENT: no such
 * product; -ERANGE: the result would be below 0, or an increase would bring inventory and reserved
 * together above PRODUCT_STOCK_MAX; *ret_available is then the present inventory.
 */
int product_stock_adjust(struct db_conn *conn, const char *product_id, int64_t delta,
			 const char *reason, const char *actor, int64_t now,
			 struct db_rows **ret_rows, int64_t *ret_available);

/* Whether such a product ever existed: 1 or 0. */
int product_has_ledger(struct db_conn *conn, const char *product_id);

/* -ENOENT: no such product, or deleted. */
int product_stock_available(struct db_conn *conn, const char *product_id, int64_t *ret_inventory);

enum product_movement_column {
	MOVEMENT_ID,
	MOVEMENT_DELTA,
	MOVEMENT_REASON,
	MOVEMENT_REFERENCE,
	MOVEMENT_CREATED_AT,
	MOVEMENT_ACTOR,
};

/* The ledger, newest first, before the movement with that id (NULL: from the newest). */
int product_movements(struct db_conn *conn, const char *product_id, const char *before,
		      int64_t limit, struct db_rows **ret_rows);
int product_movements_count(struct db_conn *conn, const char *product_id, int64_t *ret_count);

#endif
