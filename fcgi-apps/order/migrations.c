#include "order/migrations.h"

#include "responder/idempotency.h"
#include "responder/old_user_ids.h"

/*
 * saga is the state of the checkout: placing (leased to a request), placed, or rejected. Clients
 * see only placed orders, so the listing indexes contain nothing else. Each index ends with the
 * page key, so that every combination of filters is a seek. The lease and the rows to purge have
 * small indexes of their own.
 */
static const char orders[] =
	"CREATE TABLE orders ("
	" id TEXT PRIMARY KEY,"
	" user_id TEXT NOT NULL,"
	" cart_id TEXT NOT NULL,"
	" saga TEXT NOT NULL CHECK (saga IN ('placing', 'placed', 'rejected')),"
	" lease_until BIGINT NOT NULL,"
	" status TEXT NOT NULL"
	"  CHECK (status IN ('pending', 'processing', 'shipped', 'delivered', 'cancelled')),"
	" total_amount BIGINT NOT NULL CHECK (total_amount >= 0),"
	" currency TEXT NOT NULL,"
	" tracking_number TEXT,"
	" version BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" updated_at BIGINT NOT NULL);"

	"CREATE INDEX orders_by_time ON orders (created_at, id) WHERE saga = 'placed';"
	"CREATE INDEX orders_by_user ON orders (user_id, created_at, id) WHERE saga = 'placed';"
	"CREATE INDEX orders_by_status ON orders (status, created_at, id) WHERE saga = 'placed';"
	"CREATE INDEX orders_by_user_and_status ON orders (user_id, status, created_at, id)"
	" WHERE saga = 'placed';"
	"CREATE INDEX orders_leased ON orders (lease_until) WHERE saga = 'placing';"
	"CREATE INDEX orders_rejected ON orders (updated_at) WHERE saga = 'rejected';"

	"CREATE TABLE order_lines ("
	" order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,"
	" position BIGINT NOT NULL,"
	" product_id TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" price BIGINT NOT NULL CHECK (price >= 0),"
	" quantity BIGINT NOT NULL CHECK (quantity > 0),"
	" line_total BIGINT NOT NULL CHECK (line_total >= 0),"
	" PRIMARY KEY (order_id, position));"

	"CREATE TABLE order_history ("
	" order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,"
	" version BIGINT NOT NULL,"
	" status TEXT NOT NULL,"
	" reason TEXT,"
	" at BIGINT NOT NULL,"
	" PRIMARY KEY (order_id, version));"

	/* The outbox: calls that siblings still have to get. A row is deleted when its call is
	 * done. */
	"CREATE TABLE order_effects ("
	" order_id TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" cart_id TEXT NOT NULL,"
	" attempts BIGINT NOT NULL,"
	" next_attempt_at BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" PRIMARY KEY (order_id, kind));"
	"CREATE INDEX order_effects_due ON order_effects (target, "
	"next_attempt_at);" IDEMPOTENCY_SCHEMA;

/* Finds the key of a checkout that ended without an answer by its order. A day's worth of answered
 * keys is not in the index. */
static const char running_keys[] =
	"CREATE INDEX idempotency_keys_running ON idempotency_keys (operation, resource_id)"
	" WHERE status = 0;";

/* For synchronisation: what changed since a time, of all orders, of a user, of a status. */
static const char changes[] =
	"CREATE INDEX orders_by_change ON orders (updated_at, id) WHERE saga = 'placed';"
	"CREATE INDEX orders_by_user_and_change ON orders (user_id, updated_at, id)"
	" WHERE saga = 'placed';"
	"CREATE INDEX orders_by_status_and_change ON orders (status, updated_at, id)"
	" WHERE saga = 'placed';"
	"CREATE INDEX orders_by_user_status_and_change ON orders (user_id, status, updated_at, id)"
	" WHERE saga = 'placed';";

/* The session that holds the lease (storage/conn.h). NULL: none, or one that has no session. */
static const char holders[] = "ALTER TABLE orders ADD COLUMN holder BIGINT;"
			      "ALTER TABLE order_effects ADD COLUMN holder BIGINT;";

const struct db_migration order_migrations[ORDER_MIGRATION_COUNT] = {
	{.version = 1, .name = "orders, outbox and idempotency keys", .sql = orders},
	{.version = 2, .name = "running keys by order", .sql = running_keys},
	{.version = 3, .name = "orders by their last change", .sql = changes},
	{.version = 4, .name = "holders of leases", .sql = holders},
	{.version = 5,
	 .name = "user ids in their normal form",
	 .sqlite = OLD_USER_IDS_SCHEMA("orders", "1"),
	 .postgres = OLD_USER_IDS_SCHEMA("orders", "2")},
	{.version = 6, .name = "what keyed requests mean", .sql = IDEMPOTENCY_MEANING},
	{.version = 7,
	 .name = "tracking numbers in the history",
	 .sql = "ALTER TABLE order_history ADD COLUMN tracking_number TEXT;"},
	{.version = 8,
	 .name = "who did what",
	 .sql = "ALTER TABLE order_history ADD COLUMN actor TEXT;"},
};
