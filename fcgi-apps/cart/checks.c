#include "cart/checks.h"

#include "cart/cart.h"

#define TEXT_OF(number)  #number
#define VALUE_OF(number) TEXT_OF(number)
#define QUANTITY_MAX     VALUE_OF(CART_QUANTITY_MAX)
#define LINES_MAX        VALUE_OF(CART_LINES_MAX)

#define HAS_LINES                                                                                  \
	"EXISTS (SELECT 1 FROM checkout_lines AS lines WHERE lines.cart_id = checkouts.cart_id"    \
	" AND lines.order_id = checkouts.order_id)"

const struct check cart_checks[CART_CHECK_COUNT] = {
	{
		.rule = "one-open-checkout",
		.sql = "SELECT cart_id, 'has ' || count(*) || ' open checkouts' FROM checkouts"
		       " WHERE state = 'open' GROUP BY cart_id HAVING count(*) > 1"
		       " ORDER BY cart_id",
	},
	{
		.rule = "open-checkouts-have-carts",
		.sql = "SELECT cart_id, 'is gone, but its checkout for order ' || order_id ||"
		       " ' is open' FROM checkouts WHERE state = 'open' AND NOT EXISTS"
		       " (SELECT 1 FROM carts WHERE carts.id = checkouts.cart_id)"
		       " ORDER BY cart_id, order_id",
	},
	{
		/* A tombstone (released before it was opened) has neither user nor revision. The
		 * times may come from the clocks of two replicas, so comparing them proves
		 * nothing. */
		.rule = "checkouts-fit-their-state",
		.sql = "SELECT cart_id, 'checkout for order ' || order_id || ' is ' || state || "
		       "CASE"
		       " WHEN state = 'open' AND finished_at IS NOT NULL THEN ', but finished'"
		       " WHEN state <> 'open' AND finished_at IS NULL THEN ', but not finished'"
		       " ELSE ', but not of any user''s cart' END FROM checkouts"
		       " WHERE (state = 'open') <> (finished_at IS NULL)"
		       " OR state <> 'released' AND (user_id IS NULL OR revision IS NULL)"
		       " ORDER BY cart_id, order_id",
	},
	{
		.rule = "checkouts-hold-lines",
		.sql = "SELECT cart_id, 'checkout for order ' || order_id || ' is ' || state ||"
		       " CASE state WHEN 'released' THEN ', but holds lines'"
		       " ELSE ', but holds nothing' END FROM checkouts"
		       " WHERE (state <> 'released') <> " HAS_LINES " ORDER BY cart_id, order_id",
	},
	{
		.rule = "checkout-lines-are-valid",
		.sql = "SELECT lines.cart_id, quantity || ' of product ' || product_id || ' at ' ||"
		       " unit_price || ' for order ' || lines.order_id || CASE WHEN state IS NULL"
		       " THEN ', which has no checkout' ELSE '' END"
		       " FROM checkout_lines AS lines LEFT JOIN checkouts"
		       " ON checkouts.cart_id = lines.cart_id"
		       " AND checkouts.order_id = lines.order_id"
		       " WHERE state IS NULL OR unit_price < 0"
		       " OR quantity NOT BETWEEN 1 AND " QUANTITY_MAX
		       " ORDER BY lines.cart_id, lines.order_id, product_id",
	},
	{
		.rule = "lines-are-valid",
		.sql = "SELECT cart_id, quantity || ' of product ' || product_id || ' at ' ||"
		       " unit_price || CASE WHEN carts.id IS NULL THEN ' in a cart that is gone'"
		       " ELSE '' END FROM cart_lines LEFT JOIN carts ON carts.id = cart_id"
		       " WHERE carts.id IS NULL OR unit_price < 0"
		       " OR quantity NOT BETWEEN 1 AND " QUANTITY_MAX
		       " UNION ALL SELECT cart_id, 'holds ' || count(*) || ' lines' FROM cart_lines"
		       " GROUP BY cart_id HAVING count(*) > " LINES_MAX,
	},
	{
		.rule = "ordered-carts-are-empty",
		.sql = "SELECT id, 'was emptied by order ' || coalesce(last_order_id, '?') ||"
		       " ' and not changed since, but holds lines' FROM carts"
		       " WHERE emptied_version = version AND EXISTS"
		       " (SELECT 1 FROM cart_lines WHERE cart_id = carts.id) ORDER BY id",
	},
};
