#include "cart/migrations.h"

#include "responder/idempotency.h"
#include "responder/old_user_ids.h"

/* keyed makes SQLite store a table inside its primary key, so that a cart's lines are adjacent. */
#define CARTS_SCHEMA(keyed)                                                                        \
	"CREATE TABLE carts ("                                                                     \
	" id TEXT NOT NULL PRIMARY KEY,"                                                           \
	" user_id TEXT NOT NULL,"                                                                  \
	" version BIGINT NOT NULL,"                                                                \
	" created_at BIGINT NOT NULL,"                                                             \
	" updated_at BIGINT NOT NULL,"                                                             \
	" expires_at BIGINT NOT NULL,"                                                             \
	" emptied_version BIGINT NOT NULL,"                                                        \
	" last_order_id TEXT,"                                                                     \
	" merged_into TEXT)" keyed ";"                                                             \
	"CREATE INDEX carts_user_id ON carts (user_id, created_at, id);"                           \
	"CREATE INDEX carts_expires_at ON carts (expires_at);"                                     \
	"CREATE TABLE cart_lines ("                                                                \
	" cart_id TEXT NOT NULL,"                                                                  \
	" product_id TEXT NOT NULL,"                                                               \
	" name TEXT NOT NULL,"                                                                     \
	" unit_price BIGINT NOT NULL CHECK (unit_price >= 0),"                                     \
	" quantity BIGINT NOT NULL CHECK (quantity BETWEEN 1 AND 999),"                            \
	" position BIGINT NOT NULL,"                                                               \
	" seen_at BIGINT NOT NULL,"                                                                \
	" PRIMARY KEY (cart_id, product_id))" keyed ";"

/*
 * A checkout outlives its cart: its row makes repeated and late calls of the order service
 * harmless. So there is no foreign key, and a tombstone needs no cart.
 */
#define CHECKOUTS_SCHEMA(keyed)                                                                    \
	"CREATE TABLE checkouts ("                                                                 \
	" cart_id TEXT NOT NULL,"                                                                  \
	" order_id TEXT NOT NULL,"                                                                 \
	" state TEXT NOT NULL CHECK (state IN ('open', 'consumed', 'released')),"                  \
	" user_id TEXT,"                                                                           \
	" revision BIGINT,"                                                                        \
	" created_at BIGINT NOT NULL,"                                                             \
	" finished_at BIGINT,"                                                                     \
	" PRIMARY KEY (cart_id, order_id))" keyed ";"                                              \
	"CREATE UNIQUE INDEX checkouts_open ON checkouts (cart_id) WHERE state = 'open';"          \
	"CREATE INDEX checkouts_finished_at ON checkouts (finished_at) WHERE state <> 'open';"     \
	"CREATE TABLE checkout_lines ("                                                            \
	" cart_id TEXT NOT NULL,"                                                                  \
	" order_id TEXT NOT NULL,"                                                                 \
	" product_id TEXT NOT NULL,"                                                               \
	" name TEXT NOT NULL,"                                                                     \
	" unit_price BIGINT NOT NULL,"                                                             \
	" quantity BIGINT NOT NULL,"                                                               \
	" position BIGINT NOT NULL,"                                                               \
	" PRIMARY KEY (cart_id, order_id, product_id))" keyed ";"

/*
 * Every change of a cart postpones its expiry. When PostgreSQL updates a row, it writes it into
 * every index again if an indexed column has changed (heap-only tuples, section 73.7 of its
 * documentation). The hour of expiry seldom changes. The fill factor leaves room for the new
 * version on the same page, which also spares the indexes.
 */
#define EXPIRES_HOUR(kept)                                                                         \
	"ALTER TABLE carts ADD COLUMN expires_hour BIGINT"                                         \
	" GENERATED ALWAYS AS (expires_at / 3600000000) " kept ";"                                 \
	"DROP INDEX carts_expires_at;"                                                             \
	"CREATE INDEX carts_expires_hour ON carts (expires_hour);"

const struct db_migration cart_migrations[CART_MIGRATION_COUNT] = {
	{
		.version = 1,
		.name = "carts and checkouts",
		.sql = IDEMPOTENCY_SCHEMA,
		.sqlite = CARTS_SCHEMA(" WITHOUT ROWID") CHECKOUTS_SCHEMA(" WITHOUT ROWID"),
		.postgres = CARTS_SCHEMA("") CHECKOUTS_SCHEMA(""),
	},
	{
		.version = 2,
		.name = "changes of a cart leave the indexes alone",
		.sqlite = EXPIRES_HOUR("VIRTUAL"),
		.postgres = "ALTER TABLE carts SET (fillfactor = 70);" EXPIRES_HOUR("STORED"),
	},
	{
		.version = 3,
		.name = "released checkouts and unused carts go sooner",
		.sql = "CREATE INDEX checkouts_released ON checkouts (finished_at)"
		       " WHERE state = 'released';"
		       "CREATE INDEX carts_created_at ON carts (created_at);",
	},
	{
		.version = 4,
		.name = "user ids in their normal form",
		.sqlite = OLD_USER_IDS_SCHEMA("carts", "1"),
		.postgres = OLD_USER_IDS_SCHEMA("carts", "2"),
	},
	{.version = 5, .name = "what keyed requests mean", .sql = IDEMPOTENCY_MEANING},
};
