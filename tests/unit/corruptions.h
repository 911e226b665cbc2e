/* The sound stores of test_checks.c, and each kind of corruption. */
#ifndef TESTS_UNIT_CORRUPTIONS_H
#define TESTS_UNIT_CORRUPTIONS_H

#include "cart/checks.h"
#include "cart/migrations.h"
#include "order/checks.h"
#include "order/migrations.h"
#include "product/checks.h"
#include "product/migrations.h"
#include "product/word_index.h"

#define NOW         INT64_C(2000000000)
#define STATEMENTS  24
#define CORRUPTIONS 3

struct corruption {
	const char *sql[CORRUPTIONS];
	const char *rules; /* that are found broken, in the order of the checks */
	const char *id;    /* of the first finding */
	/* What lets the corruption happen where the schema itself is against it: on SQLite, on
	 * PostgreSQL. SQLite's own check finds it too. */
	const char *unguard[2];
	const char *sqlite_rules;
};

#define BREAKS(broken_rules, first_id, ...)                                                        \
	{                                                                                          \
		.sql = {__VA_ARGS__}, .rules = broken_rules, .id = first_id                        \
	}
#define BREAKS_GUARDED(table, column, broken_rules, first_id, ...)                                 \
	{                                                                                          \
		.sql = {__VA_ARGS__}, .rules = broken_rules, .id = first_id,                       \
		.unguard = {"PRAGMA ignore_check_constraints = ON",                                \
			    "ALTER TABLE " table " DROP CONSTRAINT " table "_" column "_check"},   \
		.sqlite_rules = "file-intact " broken_rules                                        \
	}

struct subject {
	const struct db_migration *migrations;
	size_t migration_count;
	db_function *before_commit;
	const struct check *checks;
	size_t check_count;
	const char *sound[STATEMENTS];
};

/* ---- product -------------------------------------------------------------------------------- */

#define MOVE "INSERT INTO stock_movements (product_id, id, delta, reason, reference, created_at)"
#define MAKE                                                                                       \
	"INSERT INTO products (id, name, price, inventory, reserved, shipped, tags, created_at,"   \
	" updated_at, description)"
#define ITEM "INSERT INTO reservation_items (order_id, product_id, quantity, name, price)"

static const struct subject product = {
	.migrations = product_migrations,
	.migration_count = PRODUCT_MIGRATION_COUNT,
	.before_commit = word_index_update,
	.checks = product_checks,
	.check_count = PRODUCT_CHECK_COUNT,
	.sound =
		{
			MAKE " VALUES ('p1', 'Mug', 100, 90, 2, 3, '[\"a\"]', 1, 1, '')",
			MAKE " VALUES ('p2', 'A \"big\" bowl', 0, 0, 0, 0, '[]', 1, 1, '')",
			MAKE " VALUES ('p3', 'Plate', 0, 0, 0, 0, '[]', 1, 1, '')",
			MAKE " VALUES ('p4', '* *', 0, 0, 0, 0, '[]', 1, 1, '')",
			"UPDATE products SET deleted_at = 2 WHERE id = 'p3'",
			"INSERT INTO product_tags VALUES ('a', 1, 'p1')",
			MOVE " VALUES ('p1', 'm1', 100, 'opening', NULL, 1)",
			MOVE " VALUES ('p1', 'm2', -5, 'counted', NULL, 1)",
			"INSERT INTO reservations VALUES ('held', 'held', 1, 1), ('sent', "
			"'shipped', 1, 1),"
			" ('undone', 'released', 1, 1), ('tombstone', 'released', 1, 1)",
			ITEM " VALUES ('held', 'p1', 2, 'Mug', 100), ('sent', 'p1', 3, 'Mug', 100),"
			     " ('undone', 'p1', 4, 'Mug', 100)",
			MOVE
			" VALUES ('p1', 'm3', -2, 'hold', 'held', 1),"
			" ('p1', 'm4', -3, 'hold', 'sent', 1), ('p1', 'm5', 0, 'ship', 'sent', 1),"
			" ('p1', 'm6', -4, 'hold', 'undone', 1),"
			" ('p1', 'm7', 4, 'release', 'undone', 1)",
		},
};

static const struct corruption of_product[] = {
	BREAKS("stock-adds-up ledger-gives-inventory", "p1",
	       "UPDATE products SET inventory = inventory + 1 WHERE id = 'p1'"),
	BREAKS("stock-adds-up ledger-gives-inventory", "p1",
	       "DELETE FROM stock_movements WHERE id = 'm2'"),
	BREAKS("stock-adds-up reservations-add-up", "p2",
	       "UPDATE products SET shipped = shipped + 1 WHERE id = 'p2'"),
	BREAKS("reservations-add-up", "p1",
	       "UPDATE products SET reserved = reserved + 1, shipped = shipped - 1 WHERE id = "
	       "'p1'"),
	BREAKS("ledger-gives-inventory reservations-add-up", "p1",
	       "UPDATE products SET inventory = inventory - 1, reserved = reserved + 1 WHERE id = "
	       "'p1'"),
	BREAKS_GUARDED("products", "inventory", "no-negative-numbers", "p2",
		       "UPDATE products SET inventory = -1 WHERE id = 'p2'",
		       MOVE " VALUES ('p2', 'm8', -1, 'counted', NULL, 1)"),
	BREAKS("reservations-have-lines", "nobody",
	       "INSERT INTO reservations VALUES ('nobody', 'held', 1, 1)"),
	BREAKS("reservations-add-up lines-have-movements", "p1",
	       "UPDATE reservations SET state = 'held' WHERE order_id = 'sent'"),
	BREAKS("lines-have-movements", "held",
	       "UPDATE stock_movements SET reason = 'ship' WHERE id = 'm3'"),
	BREAKS("lines-have-movements", "sent", MOVE " VALUES ('p1', 'm8', 0, 'ship', 'sent', 1)"),
	BREAKS("lines-have-movements", "held", MOVE " VALUES ('p1', 'm8', 0, 'other', 'held', 1)"),
	BREAKS("lines-have-movements", "undone", ITEM " VALUES ('undone', 'p2', 4, 'Bowl', 0)"),
	BREAKS("movements-have-lines", "stranger",
	       MOVE " VALUES ('p2', 'm8', 0, 'hold', 'stranger', 1)"),
	BREAKS("tags-have-products", "p1", "UPDATE product_tags SET product_created_at = 2"),
	BREAKS("tags-have-products", "p3", "INSERT INTO product_tags VALUES ('b', 1, 'p3')"),
};

/* PostgreSQL's words are in the product. */
static const struct corruption of_search[] = {
	BREAKS("search-finds-names", "p1", "DROP TRIGGER products_search_update",
	       "UPDATE products SET name = 'Cup' WHERE id = 'p1'"),
	BREAKS("search-finds-names", "p2", "DROP TRIGGER products_search_update",
	       "UPDATE products SET deleted_at = 3 WHERE id = 'p2'"),
};

/* On SQLite it is a view. */
static const struct corruption of_changes[] = {
	BREAKS("changes-tell-products", "p1",
	       "DELETE FROM product_changes WHERE product_id = 'p1'"),
	BREAKS("changes-tell-products", "p2",
	       "UPDATE product_changes SET changed_at = 3 WHERE product_id = 'p2'"),
	BREAKS("changes-tell-products", "p3",
	       "UPDATE product_changes SET deleted = 0 WHERE product_id = 'p3'"),
	BREAKS("changes-tell-products", "p4", "INSERT INTO product_changes VALUES (0, 7, 'p4')"),
};

/* ---- cart ----------------------------------------------------------------------------------- */

#define CART                                                                                       \
	"INSERT INTO carts (id, user_id, version, created_at, updated_at, expires_at,"             \
	" emptied_version, last_order_id)"
#define LINE                                                                                       \
	"INSERT INTO cart_lines (cart_id, product_id, name, unit_price, quantity, position,"       \
	" seen_at)"
#define HELD                                                                                       \
	"INSERT INTO checkout_lines (cart_id, order_id, product_id, name, unit_price, quantity,"   \
	" position)"
#define KEY                                                                                        \
	"INSERT INTO idempotency_keys (operation, key, fingerprint, resource_id, status, headers," \
	" content_type, body, created_at)"

/* Checkout o1 was finished by a replica whose clock is behind. */
static const struct subject cart = {
	.migrations = cart_migrations,
	.migration_count = CART_MIGRATION_COUNT,
	.checks = cart_checks,
	.check_count = CART_CHECK_COUNT,
	.sound =
		{
			CART " VALUES ('filled', 'u', 3, 1, 1, 9, 0, NULL),"
			     " ('ordered', 'u', 5, 1, 1, 9, 5, 'o2'), ('busy', 'u', 2, 1, 1, 9, 0, "
			     "NULL)",
			LINE " VALUES ('filled', 'p1', 'Mug', 100, 1, 1, 1),"
			     " ('busy', 'p1', 'Mug', 100, 999, 1, 1)",
			"INSERT INTO checkouts VALUES ('filled', 'o1', 'released', 'u', 2, 2, 1),"
			" ('ordered', 'o2', 'consumed', 'u', 4, 1, 2),"
			" ('busy', 'o3', 'open', 'u', 2, 1, NULL),"
			" ('gone', 'o4', 'released', NULL, NULL, 1, 1)",
			HELD " VALUES ('ordered', 'o2', 'p1', 'Mug', 100, 1, 1),"
			     " ('busy', 'o3', 'p1', 'Mug', 100, 999, 1)",
			KEY " VALUES ('createCart', 'k', 'f', 'filled', 201, '', '', '', 1)",
		},
};

static const struct corruption of_cart[] = {
	BREAKS("one-open-checkout", "busy", "DROP INDEX checkouts_open",
	       "INSERT INTO checkouts VALUES ('busy', 'o5', 'open', 'u', 2, 1, NULL)",
	       HELD " VALUES ('busy', 'o5', 'p1', 'Mug', 100, 1, 1)"),
	BREAKS("open-checkouts-have-carts", "busy", "DELETE FROM carts WHERE id = 'busy'",
	       "DELETE FROM cart_lines WHERE cart_id = 'busy'"),
	BREAKS("checkouts-fit-their-state", "busy",
	       "UPDATE checkouts SET finished_at = 2 WHERE state = 'open'"),
	BREAKS("checkouts-fit-their-state", "ordered",
	       "UPDATE checkouts SET finished_at = NULL WHERE state = 'consumed'"),
	BREAKS("checkouts-fit-their-state", "ordered",
	       "UPDATE checkouts SET user_id = NULL WHERE state = 'consumed'"),
	BREAKS("checkouts-hold-lines", "ordered",
	       "DELETE FROM checkout_lines WHERE order_id = 'o2'"),
	BREAKS("checkouts-hold-lines", "filled",
	       HELD " VALUES ('filled', 'o1', 'p1', 'Mug', 100, 1, 1)"),
	BREAKS("checkouts-hold-lines", "ordered",
	       "UPDATE checkouts SET state = 'released' WHERE state = 'consumed'"),
	BREAKS("checkout-lines-are-valid", "busy",
	       "UPDATE checkout_lines SET quantity = 0 WHERE order_id = 'o3'"),
	BREAKS("checkout-lines-are-valid", "busy",
	       "UPDATE checkout_lines SET unit_price = -1 WHERE order_id = 'o3'"),
	BREAKS("checkout-lines-are-valid", "filled",
	       HELD " VALUES ('filled', 'o6', 'p1', 'Mug', 100, 1, 1)"),
	BREAKS("lines-are-valid", "nowhere", LINE " VALUES ('nowhere', 'p1', 'Mug', 100, 1, 1, 1)"),
	BREAKS_GUARDED("cart_lines", "quantity", "lines-are-valid", "filled",
		       "UPDATE cart_lines SET quantity = 1000 WHERE cart_id = 'filled'"),
	BREAKS("lines-are-valid", "filled",
	       LINE " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
		    " SELECT 'filled', 'q' || i, 'Mug', 1, 1, i, 1 FROM n"),
	BREAKS("ordered-carts-are-empty", "ordered",
	       LINE " VALUES ('ordered', 'p1', 'Mug', 100, 1, 1, 1)"),
	BREAKS("keys-are-answered", "late",
	       KEY " VALUES ('createCart', 'late', 'f', NULL, 0, '', '', '', 1)"),
};

/* ---- order ---------------------------------------------------------------------------------- */

#define ORDER                                                                                      \
	"INSERT INTO orders (id, user_id, cart_id, saga, lease_until, status, total_amount,"       \
	" currency, version, created_at, updated_at)"
#define EFFECT                                                                                     \
	"INSERT INTO order_effects (order_id, kind, target, cart_id, attempts, next_attempt_at,"   \
	" created_at)"

static const struct subject order = {
	.migrations = order_migrations,
	.migration_count = ORDER_MIGRATION_COUNT,
	.checks = order_checks,
	.check_count = ORDER_CHECK_COUNT,
	.sound =
		{
			ORDER
			" VALUES ('new', 'u', 'c', 'placed', 1, 'pending', 320, 'USD', 1, 1, 1),"
			" ('sent', 'u', 'c', 'placed', 1, 'shipped', 100, 'USD', 2, 1, 1),"
			" ('refused', 'u', 'c', 'rejected', 1, 'pending', 0, 'USD', 1, 1, 1),"
			" ('asked', 'u', 'c', 'placing', 1900000000, 'pending', 0, 'USD', 1, 1, 1),"
			" ('undone', 'u', 'c', 'placed', 1, 'cancelled', 100, 'USD', 2, 1, 1)",
			"INSERT INTO order_lines VALUES ('new', 0, 'p1', 'Mug', 100, 3, 300),"
			" ('new', 1, 'p2', 'Tea', 20, 1, 20), ('sent', 0, 'p1', 'Mug', 100, 1, "
			"100),"
			" ('undone', 0, 'p1', 'Mug', 100, 1, 100)",
			"INSERT INTO order_history (order_id, version, status, reason, at) VALUES "
			"('new', 1, 'pending', NULL, 1),"
			" ('sent', 1, 'pending', NULL, 1), ('sent', 2, 'shipped', NULL, 2),"
			" ('undone', 1, 'pending', NULL, 1), ('undone', 2, 'cancelled', 'why', 2)",
			EFFECT " VALUES ('new', 'consume_cart', 'cart', 'c', 0, 1, 1),"
			       " ('sent', 'ship_stock', 'product', 'c', 0, 1, 1),"
			       " ('undone', 'release_stock', 'product', 'c', 0, 1, 1),"
			       " ('refused', 'release_stock', 'product', 'c', 0, 1, 1),"
			       " ('refused', 'release_cart', 'cart', 'c', 0, 1, 1)",
			KEY " VALUES ('createOrder', 'k1', 'f', 'new', 201, '', '', '', 1),"
			    " ('createOrder', 'k2', 'f', 'refused', 409, '', '', '', 1),"
			    " ('createOrder', 'k3', 'f', 'forgotten', 404, '', '', '', 1),"
			    " ('createOrder', 'k4', 'f', 'asked', 0, '', '', '', 1900000000)",
		},
};

static const struct corruption of_order[] = {
	BREAKS("lines-add-up", "new",
	       "UPDATE order_lines SET line_total = 299 WHERE order_id = 'new' AND position = 0",
	       "UPDATE orders SET total_amount = 319 WHERE id = 'new'"),
	BREAKS("totals-are-sums", "new", "UPDATE orders SET total_amount = 319 WHERE id = 'new'"),
	BREAKS("totals-are-sums", "new",
	       "DELETE FROM order_lines WHERE order_id = 'new' AND position = 1"),
	BREAKS("placed-orders-have-lines", "sent",
	       "DELETE FROM order_lines WHERE order_id = 'sent'"),
	BREAKS("only-placed-orders-have-lines", "asked",
	       "INSERT INTO order_lines VALUES ('asked', 0, 'p1', 'Mug', 0, 1, 0)"),
	BREAKS("only-placed-orders-have-lines", "refused",
	       "INSERT INTO order_history (order_id, version, status, reason, at) VALUES "
	       "('refused', 1, 'pending', NULL, 1)"),
	BREAKS("history-ends-with-status", "new",
	       "UPDATE orders SET status = 'processing' WHERE id = 'new'"),
	BREAKS("history-ends-with-status", "new", "UPDATE orders SET version = 2 WHERE id = 'new'"),
	BREAKS("history-ends-with-status", "new",
	       "DELETE FROM order_history WHERE order_id = 'new'"),
	BREAKS("history-ends-with-status", "new",
	       "INSERT INTO order_history (order_id, version, status, reason, at) VALUES ('new', "
	       "2, 'processing', NULL, 1)"),
	BREAKS("history-has-legal-steps", "sent",
	       "UPDATE order_history SET status = 'processing' WHERE order_id = 'sent' AND version "
	       "= 1"),
	BREAKS("history-has-legal-steps", "sent",
	       "DELETE FROM order_history WHERE order_id = 'sent' AND version = 1"),
	BREAKS("effects-fit-their-orders", "nobody",
	       EFFECT " VALUES ('nobody', 'ship_stock', 'product', 'c', 0, 1, 1)"),
	BREAKS("effects-fit-their-orders", "sent",
	       EFFECT " VALUES ('sent', 'release_stock', 'product', 'c', 0, 1, 1)"),
	BREAKS("effects-fit-their-orders", "asked",
	       EFFECT " VALUES ('asked', 'consume_cart', 'cart', 'c', 0, 1, 1)"),
	BREAKS("effects-fit-their-orders", "new",
	       EFFECT " VALUES ('new', 'celebrate', 'cart', 'c', 0, 1, 1)"),
	BREAKS("effects-fit-their-orders", "new",
	       "UPDATE order_effects SET cart_id = 'other' WHERE order_id = 'new'"),
	BREAKS("effects-fit-their-orders", "new",
	       "UPDATE order_effects SET target = 'product' WHERE order_id = 'new'"),
	BREAKS("checkouts-end", "asked",
	       "UPDATE orders SET lease_until = 1600000000 WHERE id = 'asked'"),
	BREAKS("answers-have-orders", "k1", "DELETE FROM order_effects WHERE order_id = 'new'",
	       "DELETE FROM orders WHERE id = 'new'"),
	BREAKS("answers-have-orders", "k1",
	       "UPDATE idempotency_keys SET resource_id = 'refused' WHERE key = 'k1'"),
	BREAKS("answers-have-orders", "k2",
	       "UPDATE idempotency_keys SET resource_id = 'sent' WHERE key = 'k2'"),
	BREAKS("keys-are-answered", "k4",
	       "UPDATE idempotency_keys SET created_at = 1600000000 WHERE key = 'k4'"),
};

#endif
