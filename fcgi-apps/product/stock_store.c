#include "product/stock_store.h"

#include "base/uuid.h"
#include "responder/paging.h"

int product_movement_add(struct db_conn *conn, const char *product_id, int64_t delta,
			 const char *reason, const char *reference, const char *actor, int64_t now)
{
	char id[UUID_TEXT_SIZE];

	uuid_make(id);
	return db_post(conn,
		       "INSERT INTO stock_movements (product_id, id, delta, reason, reference,"
		       " created_at, actor) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		       DB_VALUES(db_text(product_id), db_text(id), db_int(delta), db_text(reason),
				 db_text(reference), db_int(now), db_text(actor)),
		       DB_ANY_ROWS);
}

int product_stock_available(struct db_conn *conn, const char *product_id, int64_t *ret_inventory)
{
	return db_query_int(conn,
			    "SELECT inventory FROM products WHERE id = $1 AND deleted_at IS NULL",
			    DB_VALUES(db_text(product_id)), ret_inventory);
}

int product_has_ledger(struct db_conn *conn, const char *product_id)
{
	return db_exists(conn, "SELECT 1 FROM products WHERE id = $1",
			 DB_VALUES(db_text(product_id)));
}

/* Whether the stock may change by $2; $3 is the most there may be. */
#define FITS "inventory + $2 >= 0 AND ($2 < 0 OR inventory + reserved + $2 <= $3)"

/* Why the stock was not changed. -EAGAIN: another transaction changed it, and now it could be. */
static int refuse(struct db_conn *conn, const char *product_id, int64_t delta,
		  int64_t *ret_available)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(
		conn,
		"SELECT inventory, " FITS " FROM products WHERE id = $1 AND deleted_at IS NULL",
		DB_VALUES(db_text(product_id), db_int(delta), db_int(PRODUCT_STOCK_MAX)), &rows);

	if (r < 0)
		return r;
	*ret_available = db_column_int(rows, 0);
	return db_column_int(rows, 1) ? -EAGAIN : -ERANGE;
}

int product_stock_adjust(struct db_conn *conn, const char *product_id, int64_t delta,
			 const char *reason, const char *actor, int64_t now,
			 struct db_rows **ret_rows, int64_t *ret_available)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn,
			     "UPDATE products SET inventory = inventory + $2, updated_at = $4,"
			     " version = version + 1 WHERE id = $1 AND deleted_at IS NULL AND " FITS
			     " RETURNING " PRODUCT_COLUMNS,
			     DB_VALUES(db_text(product_id), db_int(delta),
				       db_int(PRODUCT_STOCK_MAX), db_int(now)),
			     &rows);

	if (r == -ENOENT)
		return refuse(conn, product_id, delta, ret_available);
	if (r < 0)
		return r;
	r = product_movement_add(conn, product_id, delta, reason, NULL, actor, now);
	if (r < 0)
		return r;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}

#define MOVEMENTS_SELECT                                                                           \
	"SELECT id, delta, reason, reference, created_at, actor FROM stock_movements"              \
	" WHERE product_id = $1"

int product_movements(struct db_conn *conn, const char *product_id, const char *before,
		      int64_t limit, struct db_rows **ret_rows)
{
	if (!before)
		return db_query(conn, MOVEMENTS_SELECT " ORDER BY id DESC LIMIT $2",
				DB_VALUES(db_text(product_id), db_int(limit)), ret_rows);
	return db_query(conn, MOVEMENTS_SELECT " AND id < $3 ORDER BY id DESC LIMIT $2",
			DB_VALUES(db_text(product_id), db_int(limit), db_text(before)), ret_rows);
}

int product_movements_count(struct db_conn *conn, const char *product_id, int64_t *ret_count)
{
	return db_query_int(conn,
			    "SELECT count(*) FROM (SELECT 1 FROM stock_movements"
			    " WHERE product_id = $1 LIMIT " PAGING_COUNTED ") AS counted",
			    DB_VALUES(db_text(product_id)), ret_count);
}
