#include "order/outbox_store.h"

#include <assert.h>

static const struct {
	const char *name;
	enum order_effect_target target;
} kinds[] = {
	[ORDER_CONSUME_CART] = {"consume_cart", ORDER_TARGET_CART},
	[ORDER_RELEASE_CART] = {"release_cart", ORDER_TARGET_CART},
	[ORDER_RELEASE_STOCK] = {"release_stock", ORDER_TARGET_PRODUCT},
	[ORDER_SHIP_STOCK] = {"ship_stock", ORDER_TARGET_PRODUCT},
};

static const char *const target_names[ORDER_TARGET_COUNT] = {
	[ORDER_TARGET_CART] = "cart",
	[ORDER_TARGET_PRODUCT] = "product",
};

const char *order_effect_name(enum order_effect_kind kind)
{
	return kinds[kind].name;
}

enum order_effect_target order_effect_target(enum order_effect_kind kind)
{
	return kinds[kind].target;
}

const char *order_target_name(enum order_effect_target target)
{
	return target_names[target];
}

/* Without a session, only the time limits a lease. */
static struct db_value holder_of(struct db_conn *conn, int64_t leased_until, int64_t now)
{
	int64_t session = leased_until > now ? db_session(conn) : 0;

	return session ? db_int(session) : db_null();
}

/* A longer lease would be taken for an error of the clock: order_outbox_recall() would end it at
 * once. */
static bool is_lease(int64_t until, int64_t now)
{
	return until - now <= ORDER_LEASE_MAX;
}

int order_outbox_add(struct db_conn *conn, const struct order_effect *effect, int64_t now)
{
	assert(*effect->order_id && is_lease(effect->leased_until, now));
	return db_post(
		conn,
		"INSERT INTO order_effects"
		" (order_id, kind, target, cart_id, attempts, next_attempt_at, created_at, holder)"
		" VALUES ($1, $2, $3, $4, 0, $5, $6, $7) ON CONFLICT (order_id, kind) DO NOTHING",
		DB_VALUES(db_text(effect->order_id), db_text(order_effect_name(effect->kind)),
			  db_text(order_target_name(order_effect_target(effect->kind))),
			  db_text(effect->cart_id), db_int(effect->leased_until), db_int(now),
			  holder_of(conn, effect->leased_until, now)),
		DB_ANY_ROWS);
}

int order_outbox_any_due(struct db_conn *conn, enum order_effect_target target, int64_t now)
{
	return db_exists(conn,
			 "SELECT 1 FROM order_effects WHERE target = $1 AND next_attempt_at <= $2"
			 " LIMIT 1",
			 DB_VALUES(db_text(order_target_name(target)), db_int(now)));
}

/* The columns that read_effect() reads, in order. */
#define EFFECT_COLUMNS "order_id, kind, cart_id, attempts, next_attempt_at"

static int read_effect(struct db_rows *row, struct order_effect *effect)
{
	const char *name = db_column_text(row, 1, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		effect->kind = (enum order_effect_kind)i;
		snprintf(effect->order_id, sizeof(effect->order_id), "%s",
			 db_column_text(row, 0, NULL));
		snprintf(effect->cart_id, sizeof(effect->cart_id), "%s",
			 db_column_text(row, 2, NULL));
		effect->attempts = (unsigned)db_column_int(row, 3);
		effect->leased_until = db_column_int(row, 4);
		return 0;
	}
	return -EIO;
}

/* Reads up to size effects and returns how many. */
static int read_effects(struct db_rows *rows, struct order_effect *ret_list, size_t size)
{
	size_t count = 0;
	int r = 0;

	while (count < size && (r = db_next(rows)) > 0) {
		r = read_effect(rows, &ret_list[count++]);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : (int)count;
}

int order_outbox_claim(struct db_conn *conn, enum order_effect_target target, int64_t now,
		       int64_t lease_until, struct order_effect *ret_list, size_t size)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	assert(lease_until > now && is_lease(lease_until, now));
	/* The UPDATE checks again that the effect is due: if two relays selected the same row, the
	 * one that waited for the lock finds it leased. */
	int r = db_query(conn,
			 "UPDATE order_effects SET next_attempt_at = $1, holder = $5"
			 " WHERE (order_id, kind) IN (SELECT order_id, kind FROM order_effects"
			 "   WHERE target = $2 AND next_attempt_at <= $3"
			 "   ORDER BY next_attempt_at LIMIT $4)"
			 " AND next_attempt_at <= $3"
			 " RETURNING " EFFECT_COLUMNS,
			 DB_VALUES(db_int(lease_until), db_text(order_target_name(target)),
				   db_int(now), db_int((int64_t)size),
				   holder_of(conn, lease_until, now)),
			 &rows);

	return r < 0 ? r : read_effects(rows, ret_list, size);
}

int order_outbox_of(struct db_conn *conn, const char *order_id, struct order_effects *ret_effects)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, "SELECT " EFFECT_COLUMNS " FROM order_effects WHERE order_id = $1",
			 DB_VALUES(db_text(order_id)), &rows);

	if (r == 0)
		r = read_effects(rows, ret_effects->list, ORDER_EFFECTS_MAX);
	if (r < 0)
		return r;
	ret_effects->count = (size_t)r;
	return 0;
}

int order_outbox_done(struct db_conn *conn, const struct order_effect *effect)
{
	return db_post(
		conn, "DELETE FROM order_effects WHERE order_id = $1 AND kind = $2",
		DB_VALUES(db_text(effect->order_id), db_text(order_effect_name(effect->kind))),
		DB_ANY_ROWS);
}

int order_outbox_retry(struct db_conn *conn, const struct order_effect *effect, int64_t next)
{
	int64_t changed = db_run(
		conn,
		"UPDATE order_effects SET attempts = attempts + 1, next_attempt_at = $4,"
		" holder = NULL"
		" WHERE order_id = $1 AND kind = $2 AND next_attempt_at = $3",
		DB_VALUES(db_text(effect->order_id), db_text(order_effect_name(effect->kind)),
			  db_int(effect->leased_until), db_int(next)));

	return changed < 0 ? (int)changed : 0;
}

int order_outbox_recall_held(struct db_conn *conn, int64_t holder, int64_t now)
{
	int64_t changed = db_run(conn,
				 "UPDATE order_effects SET next_attempt_at = $1, holder = NULL"
				 " WHERE target IN ('cart', 'product') AND next_attempt_at > $1"
				 " AND holder = $2",
				 DB_VALUES(db_int(now), db_int(holder)));

	return changed < 0 ? (int)changed : 0;
}

int order_outbox_recall(struct db_conn *conn, int64_t now)
{
	int64_t changed = db_run(conn,
				 "UPDATE order_effects SET next_attempt_at = $1"
				 " WHERE target IN ('cart', 'product') AND next_attempt_at > $2",
				 DB_VALUES(db_int(now), db_int(now + ORDER_LEASE_MAX)));

	return changed < 0 ? (int)changed : 0;
}

int order_outbox_measure(struct db_conn *conn,
			 struct order_outbox_figures ret_figures[ORDER_TARGET_COUNT])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn,
			 "SELECT target, count(*), min(created_at) FROM order_effects"
			 " GROUP BY target",
			 DB_NO_VALUES, &rows);

	if (r < 0)
		return r;
	memset(ret_figures, 0, ORDER_TARGET_COUNT * sizeof(*ret_figures));
	while ((r = db_next(rows)) > 0) {
		for (size_t i = 0; i < ORDER_TARGET_COUNT; i++) {
			if (strcmp(target_names[i], db_column_text(rows, 0, NULL)) == 0)
				ret_figures[i] = (struct order_outbox_figures){
					.depth = db_column_int(rows, 1),
					.oldest_at = db_column_int(rows, 2),
				};
		}
	}
	return r;
}
