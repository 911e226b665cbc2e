#include "order/checks.h"

#include "order/sweeper.h"

#define LINES   "(SELECT 1 FROM order_lines WHERE order_id = orders.id)"
#define HISTORY "(SELECT 1 FROM order_history WHERE order_id = orders.id)"

/* The transitions that order.c allows, and the first status. A status may be repeated with a
 * remark. */
#define STEPS                                                                                      \
	"'nothing pending', 'pending processing', 'pending shipped', 'pending cancelled',"         \
	" 'processing shipped', 'processing cancelled', 'shipped delivered'"

/* The effects that may be waiting for an order, by its state. */
#define EFFECT_FITS                                                                                \
	"CASE kind WHEN 'consume_cart' THEN saga = 'placed'"                                       \
	" WHEN 'release_cart' THEN saga = 'rejected'"                                              \
	" WHEN 'release_stock' THEN saga = 'rejected' OR saga = 'placed' AND status = 'cancelled'" \
	" WHEN 'ship_stock' THEN saga = 'placed' AND status IN ('shipped', 'delivered')"           \
	" ELSE false END AND effects.cart_id = orders.cart_id"                                     \
	" AND target = CASE kind WHEN 'consume_cart' THEN 'cart'"                                  \
	"  WHEN 'release_cart' THEN 'cart' ELSE 'product' END"

const struct check order_checks[ORDER_CHECK_COUNT] = {
	{
		.rule = "lines-add-up",
		.sql = "SELECT order_id, 'line ' || position || ': ' || quantity || ' at ' ||"
		       " price || ' make ' || line_total FROM order_lines"
		       " WHERE line_total <> price * quantity OR quantity < 1 OR price < 0"
		       " ORDER BY order_id, position",
	},
	{
		.rule = "totals-are-sums",
		.sql = "SELECT id, 'its total is ' || total_amount || ', but its lines make ' ||"
		       " total FROM orders JOIN (SELECT order_id, sum(line_total) AS total"
		       "  FROM order_lines GROUP BY order_id) AS lines ON order_id = id"
		       " WHERE total_amount <> total ORDER BY id",
	},
	{
		.rule = "placed-orders-have-lines",
		.sql = "SELECT id, 'is placed, but has no lines' FROM orders"
		       " WHERE saga = 'placed' AND NOT EXISTS " LINES " ORDER BY id",
	},
	{
		.rule = "only-placed-orders-have-lines",
		.sql = "SELECT id, 'is ' || saga || ', but has lines or a history' FROM orders"
		       " WHERE saga <> 'placed' AND (EXISTS " LINES " OR EXISTS " HISTORY ")"
		       " ORDER BY id",
	},
	{
		.rule = "history-ends-with-status",
		.sql = "SELECT id, 'is ' || orders.status || ' in version ' || orders.version ||"
		       " ', but its history ends with ' || coalesce(history.status || ' in version "
		       "'"
		       " || history.version, 'nothing') FROM orders"
		       " LEFT JOIN (SELECT order_id, max(version) AS version FROM order_history"
		       "  GROUP BY order_id) AS latest ON latest.order_id = id"
		       " LEFT JOIN order_history AS history ON history.order_id = id"
		       "  AND history.version = latest.version"
		       " WHERE saga = 'placed' AND (history.status IS NULL"
		       "  OR history.status <> orders.status OR history.version <> orders.version)"
		       " ORDER BY id",
	},
	{
		.rule = "history-has-legal-steps",
		.sql = "SELECT event.order_id, 'became ' || event.status || ' in version ' ||"
		       " event.version || ', after ' || coalesce(before.status, 'nothing')"
		       " FROM order_history AS event LEFT JOIN order_history AS before"
		       " ON before.order_id = event.order_id"
		       " AND before.version = event.version - 1"
		       " WHERE coalesce(before.status, 'nothing') <> event.status"
		       "  AND coalesce(before.status, 'nothing') || ' ' || event.status"
		       "  NOT IN (" STEPS ") ORDER BY event.order_id, event.version",
	},
	{
		.rule = "effects-fit-their-orders",
		.sql = "SELECT order_id, kind || ' of ' || target || ' waits, but the order is ' ||"
		       " coalesce(saga || ' and ' || status, 'gone')"
		       " FROM order_effects AS effects LEFT JOIN orders ON id = order_id"
		       " WHERE id IS NULL OR NOT (" EFFECT_FITS ") ORDER BY order_id, kind",
	},
	{
		.rule = "checkouts-end",
		.sql = "SELECT id, 'is still being placed, ' || (($1 - lease_until) / 60000000) ||"
		       " ' minutes after its lease' FROM orders"
		       " WHERE saga = 'placing' AND lease_until + " CHECK_PATIENCE " < $1"
		       " ORDER BY id",
		.dated = true,
	},
	{
		/* A rejected order is deleted before its stored answer; a placed one never is. */
		.rule = "answers-have-orders",
		.sql = "SELECT key, 'was answered with ' || keys.status || ', but order ' ||"
		       " coalesce(resource_id, '?') || CASE WHEN orders.id IS NULL"
		       " THEN ' is not placed' ELSE ' is placed' END"
		       " FROM idempotency_keys AS keys LEFT JOIN orders"
		       " ON orders.id = resource_id AND saga = 'placed'"
		       " WHERE operation = '" ORDER_CHECKOUT_OPERATION "' AND keys.status <> 0"
		       " AND (keys.status < 300) <> (orders.id IS NOT NULL) ORDER BY key",
	},
};
