#include "product/checks.h"

/*
 * Compares the figures of a product with the ledger and the reservations. Movements without a
 * reference are opening stock, adjustments and imports. Those with a reference belong to an order:
 * "hold" takes from inventory, "release" gives back, "ship" changes inventory no further.
 */
#define SUMS(condition)                                                                            \
	"(SELECT product_id, sum(delta) AS total FROM stock_movements" condition                   \
	" GROUP BY product_id) AS ledger ON ledger.product_id = products.id"
#define ALL_SUMS   SUMS("")
#define STOCK_SUMS SUMS(" WHERE reference IS NULL")

#define DELETED "CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END"

#define ONE_IF(condition) "CASE WHEN " condition " THEN 1 ELSE 0 END"
#define IS_RELEASED       ONE_IF("state = 'released'")
#define IS_SHIPPED        ONE_IF("state = 'shipped'")

#define COUNT_OF(reason) "sum(" ONE_IF("reason = '" reason "'") ")"
#define HOLDS            COUNT_OF("hold") " AS holds"
#define RELEASES         COUNT_OF("release") " AS releases"
#define SHIPS            COUNT_OF("ship") " AS ships"

/* The movements of each product by order. */
#define MOVED                                                                                      \
	"(SELECT reference, product_id, count(*) AS number, sum(delta) AS delta, " HOLDS           \
	", " RELEASES ", " SHIPS " FROM stock_movements WHERE reference IS NOT NULL"               \
	" GROUP BY reference, product_id) AS moved"

static const char reserved_lines[] =
	"SELECT items.order_id, state || ' ' || quantity || ' of product ' || items.product_id ||"
	" ', but its movements are ' || coalesce(holds, 0) || ' hold, ' || coalesce(releases, 0) ||"
	" ' release, ' || coalesce(ships, 0) || ' ship, ' || coalesce(delta, 0) || ' in all'"
	" FROM reservation_items AS items"
	" JOIN reservations ON reservations.order_id = items.order_id"
	" LEFT JOIN " MOVED " ON moved.reference = items.order_id"
	"  AND moved.product_id = items.product_id"
	" WHERE holds IS NULL OR holds <> 1 OR number <> holds + releases + ships"
	" OR releases <> " IS_RELEASED " OR ships <> " IS_SHIPPED
	" OR delta <> CASE state WHEN 'released' THEN 0 ELSE -quantity END"
	" ORDER BY items.order_id, items.product_id";

const struct check product_checks[PRODUCT_CHECK_COUNT] = {
	{
		.rule = "stock-adds-up",
		.sql = "SELECT id, 'opening stock and adjustments make ' || coalesce(total, 0) ||"
		       " ', but inventory ' || inventory || ', reserved ' || reserved ||"
		       " ' and shipped ' || shipped || ' make ' || (inventory + reserved + shipped)"
		       " FROM products LEFT JOIN " STOCK_SUMS
		       " WHERE coalesce(total, 0) <> inventory + reserved + shipped ORDER BY id",
	},
	{
		.rule = "ledger-gives-inventory",
		.sql = "SELECT id, 'all movements make ' || coalesce(total, 0) ||"
		       " ', but inventory is ' || inventory"
		       " FROM products LEFT JOIN " ALL_SUMS
		       " WHERE coalesce(total, 0) <> inventory ORDER BY id",
	},
	{
		.rule = "no-negative-numbers",
		.sql = "SELECT id, 'inventory ' || inventory || ', reserved ' || reserved ||"
		       " ', shipped ' || shipped || ', price ' || price FROM products"
		       " WHERE inventory < 0 OR reserved < 0 OR shipped < 0 OR price < 0"
		       " ORDER BY id",
	},
	{
		.rule = "reservations-add-up",
		.sql = "SELECT id, 'reserved ' || reserved || ' and shipped ' || shipped ||"
		       " ', but reservations say ' || coalesce(held, 0) || ' and ' ||"
		       " coalesce(sent, 0)"
		       " FROM products LEFT JOIN (SELECT product_id,"
		       "  sum(CASE state WHEN 'held' THEN quantity ELSE 0 END) AS held,"
		       "  sum(CASE state WHEN 'shipped' THEN quantity ELSE 0 END) AS sent"
		       "  FROM reservation_items AS items"
		       "  JOIN reservations ON reservations.order_id = items.order_id"
		       "  GROUP BY product_id) AS lines ON lines.product_id = products.id"
		       " WHERE reserved <> coalesce(held, 0) OR shipped <> coalesce(sent, 0)"
		       " ORDER BY id",
	},
	{
		.rule = "reservations-have-lines",
		.sql = "SELECT order_id, 'is ' || state || ', but has no lines' FROM reservations"
		       " WHERE state <> 'released' AND NOT EXISTS (SELECT 1 FROM reservation_items"
		       "  WHERE reservation_items.order_id = reservations.order_id)"
		       " ORDER BY order_id",
	},
	{
		.rule = "lines-have-movements",
		.sql = reserved_lines,
	},
	{
		.rule = "movements-have-lines",
		.sql = "SELECT reference, reason || ' of ' || delta || ' for product ' ||"
		       " product_id || ', which the order does not hold'"
		       " FROM stock_movements WHERE reference IS NOT NULL"
		       " AND NOT EXISTS (SELECT 1 FROM reservation_items AS items"
		       "  WHERE items.order_id = reference"
		       "  AND items.product_id = stock_movements.product_id)"
		       " ORDER BY reference, id",
	},
	{
		.rule = "tags-have-products",
		.sql = "SELECT product_id, 'is listed under tag ' || tag ||"
		       " ', but deleted or made at another time'"
		       " FROM product_tags WHERE NOT EXISTS (SELECT 1 FROM products"
		       "  WHERE id = product_id AND created_at = product_created_at"
		       "  AND deleted_at IS NULL) ORDER BY product_id, tag",
	},
	{
		/* On SQLite this is a view of products, which cannot disagree. */
		.rule = "changes-tell-products",
		.sql = "SELECT id, 'is not among the changes at the time of its last one'"
		       " FROM products WHERE NOT EXISTS (SELECT 1 FROM product_changes"
		       "  WHERE product_id = id AND changed_at = updated_at AND deleted = " DELETED
		       ") UNION ALL"
		       " SELECT product_id, 'is among the changes at another time than its last'"
		       " FROM product_changes WHERE NOT EXISTS (SELECT 1 FROM products"
		       "  WHERE id = product_id AND updated_at = changed_at AND deleted = " DELETED
		       ") ORDER BY 1",
		.postgres_only = true,
	},
	{
		/* FTS5's own integrity-check would write. An ASCII name is indexed as it is, except
		 * for case, unless a word is too long. PostgreSQL stores the words in the product
		 * itself. */
		.rule = "search-finds-names",
		.sql = "SELECT id, CASE WHEN deleted_at IS NULL"
		       " THEN 'is not found by its name' ELSE 'is deleted, but found' END"
		       " FROM products WHERE name GLOB '*[0-9A-Za-z]*'"
		       " AND name NOT GLOB '*[^ -~]*' AND length(name) <= 64"
		       " AND seq > (SELECT coalesce(max(top), 0) FROM product_words_older)"
		       " AND (deleted_at IS NULL) <> EXISTS (SELECT 1 FROM product_search"
		       "  WHERE product_search MATCH"
		       "   ('name : \"' || replace(products.name, '\"', '\"\"') || '\"')"
		       "  AND product_search.rowid = products.seq) ORDER BY id",
		.sqlite_only = true,
	},
};
