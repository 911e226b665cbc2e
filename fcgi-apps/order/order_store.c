/* order_store.h: the saga and changes of placed orders. */
#include "order/order_store.h"

#include "responder/old_user_ids.h"

/* ---- the saga ------------------------------------------------------------------------------- */

int order_store_begin(struct db_conn *conn, const struct order *order, int64_t lease_until)
{
	int64_t session = db_session(conn);

	return db_post(
		conn,
		"INSERT INTO orders (id, user_id, cart_id, saga, lease_until, holder, status,"
		" total_amount, currency, version, created_at, updated_at)"
		" VALUES ($1, $2, $3, 'placing', $4, $7, 'pending', 0, $5, 1, $6, $6)",
		DB_VALUES(db_text(order->id), db_text(order->user_id), db_text(order->cart_id),
			  db_int(lease_until), db_text(order->currency.code),
			  db_int(order->created_at), session ? db_int(session) : db_null()),
		DB_ANY_ROWS);
}

static int insert_event(struct db_conn *conn, const struct order *order,
			const struct order_event *event)
{
	return db_post(conn,
		       "INSERT INTO order_history"
		       " (order_id, version, status, reason, at, tracking_number, actor)"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7)",
		       DB_VALUES(db_text(order->id), db_int(order->version),
				 db_text(order_status_name(event->status)), db_text(event->reason),
				 db_int(event->at), db_text(event->tracking_number),
				 db_text(event->actor)),
		       DB_ANY_ROWS);
}

static int insert_lines(struct db_conn *conn, const struct order *order)
{
	for (size_t i = 0; i < order->line_count; i++) {
		const struct order_line *line = &order->lines[i];
		int r = db_post(
			conn,
			"INSERT INTO order_lines"
			" (order_id, position, product_id, name, price, quantity, line_total)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7)",
			DB_VALUES(db_text(order->id), db_int((int64_t)i), db_text(line->product_id),
				  db_text(line->name), db_int(line->price), db_int(line->quantity),
				  db_int(line->line_total)),
			DB_ANY_ROWS);

		if (r < 0)
			return r;
	}
	return 0;
}

int order_store_place(struct db_conn *conn, const struct order *order, int64_t now)
{
	/* The request and the sweeper both change saga away from placing; the first one owns the
	 * order. A request that wakes up after its lease leaves the order to the sweeper, even if
	 * that slept too. */
	int64_t changed =
		db_run(conn,
		       "UPDATE orders SET saga = 'placed', total_amount = $2, created_at = $3,"
		       " updated_at = $4, user_id = $6"
		       " WHERE id = $1 AND saga = 'placing' AND lease_until >= $5",
		       DB_VALUES(db_text(order->id), db_int(order->total_amount),
				 db_int(order->created_at), db_int(order->updated_at), db_int(now),
				 db_text(order->user_id)));

	if (changed <= 0)
		return (int)changed;
	int r = insert_lines(conn, order);
	if (r < 0)
		return r;
	r = insert_event(conn, order, &order->history[0]);
	return r < 0 ? r : 1;
}

int order_store_reject(struct db_conn *conn, const char *id, int64_t now)
{
	return (int)db_run(conn,
			   "UPDATE orders SET saga = 'rejected', updated_at = $2"
			   " WHERE id = $1 AND saga = 'placing'",
			   DB_VALUES(db_text(id), db_int(now)));
}

int order_store_forget(struct db_conn *conn, const char *id)
{
	return (int)db_run(conn, "DELETE FROM orders WHERE id = $1 AND saga = 'placing'",
			   DB_VALUES(db_text(id)));
}

int order_store_anything_to_sweep(struct db_conn *conn, int64_t now)
{
	return db_exists(conn,
			 "SELECT 1 WHERE EXISTS (SELECT 1 FROM orders WHERE saga = 'placing'"
			 "  AND (lease_until < $1 OR lease_until > $2))"
			 " OR EXISTS (SELECT 1 FROM order_effects"
			 "  WHERE target IN ('cart', 'product') AND next_attempt_at > $2)",
			 DB_VALUES(db_int(now), db_int(now + ORDER_LEASE_MAX)));
}

static void read_ref(struct db_rows *row, struct order_ref *ref)
{
	db_column_copy(row, 0, ref->id, sizeof(ref->id));
	db_column_copy(row, 1, ref->cart_id, sizeof(ref->cart_id));
}

static int read_refs(struct db_rows *rows, struct order_ref *ret_list, size_t size)
{
	size_t count = 0;
	int r = 0;

	while (count < size && (r = db_next(rows)) > 0)
		read_ref(rows, &ret_list[count++]);
	return r < 0 ? r : (int)count;
}

int order_store_find_lease(struct db_conn *conn, const char *id, struct order_lease *ret_lease)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(
		conn,
		"SELECT id, cart_id, lease_until, holder,"
		" CASE saga WHEN 'placing' THEN 1 ELSE 0 END FROM orders WHERE id = $1",
		DB_VALUES(db_text(id)), &rows);

	if (r < 0)
		return r;
	read_ref(rows, &ret_lease->ref);
	ret_lease->until = db_column_int(rows, 2);
	ret_lease->holder = db_column_int(rows, 3);
	ret_lease->placing = db_column_int(rows, 4) != 0;
	return 0;
}

int order_store_holders(struct db_conn *conn, int64_t now, int64_t *ret_list, size_t size)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	size_t count = 0;
	/* Only leased effects count: those that are due have no holder, and there may be many. */
	int r = db_query(conn,
			 "SELECT holder FROM orders"
			 " WHERE saga = 'placing' AND lease_until > 0 AND holder <> $1"
			 " UNION SELECT holder FROM order_effects"
			 " WHERE target IN ('cart', 'product') AND next_attempt_at > $2"
			 " AND holder <> $1 LIMIT $3",
			 DB_VALUES(db_int(db_session(conn)), db_int(now), db_int((int64_t)size)),
			 &rows);

	if (r < 0)
		return r;
	while (count < size && (r = db_next(rows)) > 0)
		ret_list[count++] = db_column_int(rows, 0);
	return r < 0 ? r : (int)count;
}

/* Several sweepers run at the same time, and each takes rows that no other has. Without
 * MATERIALIZED, PostgreSQL may run the subquery once per row. The condition is repeated in the
 * UPDATE for statements that do not skip locked rows. */
#define REJECT_SQL(which, lock)                                                                    \
	"WITH taken AS MATERIALIZED (SELECT id FROM orders WHERE saga = 'placing' AND " which lock \
	") UPDATE orders SET saga = 'rejected', updated_at = $1"                                   \
	" WHERE id IN (SELECT id FROM taken) AND saga = 'placing' RETURNING id, cart_id"
#define REJECT(conn, which)                                                                        \
	(db_dialect(conn) == DB_POSTGRES ? REJECT_SQL(which, " FOR UPDATE SKIP LOCKED")            \
					 : REJECT_SQL(which, ""))
#define HELD    "lease_until > 0 AND holder = $3 LIMIT $2"
#define EXPIRED "(lease_until < $1 OR lease_until > $3) ORDER BY lease_until LIMIT $2"

int order_store_reject_held(struct db_conn *conn, int64_t holder, int64_t now,
			    struct order_ref *ret_list, size_t size)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, REJECT(conn, HELD),
			 DB_VALUES(db_int(now), db_int((int64_t)size), db_int(holder)), &rows);

	return r < 0 ? r : read_refs(rows, ret_list, size);
}

int order_store_reject_expired(struct db_conn *conn, int64_t now, struct order_ref *ret_list,
			       size_t size)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(
		conn, REJECT(conn, EXPIRED),
		DB_VALUES(db_int(now), db_int((int64_t)size), db_int(now + ORDER_LEASE_MAX)),
		&rows);

	return r < 0 ? r : read_refs(rows, ret_list, size);
}

int64_t order_store_purge_rejected(struct db_conn *conn, int64_t before, int64_t limit)
{
	return db_run(conn,
		      "DELETE FROM orders WHERE id IN (SELECT id FROM orders"
		      "  WHERE saga = 'rejected' AND updated_at < $1 AND NOT EXISTS"
		      "   (SELECT 1 FROM order_effects WHERE order_effects.order_id = orders.id)"
		      "  ORDER BY updated_at LIMIT $2)",
		      DB_VALUES(db_int(before), db_int(limit)));
}

/* ---- changing placed orders ----------------------------------------------------------------- */

int order_store_set_status(struct db_conn *conn, struct order *order, const struct order_note *note)
{
	int64_t changed = db_run(
		conn,
		"UPDATE orders SET status = $3, tracking_number = COALESCE($4, tracking_number),"
		" version = version + 1, updated_at = $5"
		" WHERE id = $1 AND version = $2 AND saga = 'placed'",
		DB_VALUES(db_text(order->id), db_int(order->version),
			  db_text(order_status_name(note->status)), db_text(note->tracking_number),
			  db_int(note->at)));

	if (changed <= 0)
		return (int)changed;
	if (note->tracking_number) {
		char *copy = strdup(note->tracking_number);

		if (!copy)
			return -ENOMEM;
		free(order->tracking_number);
		order->tracking_number = copy;
	}
	order->status = note->status;
	order->version++;
	order->updated_at = note->at;
	int r = order_add_event(order, note);
	if (!r)
		r = insert_event(conn, order, &order->history[order->event_count - 1]);
	return r < 0 ? r : 1;
}

/* The version stays: it numbers the history. updated_at changes, so that synchronising clients see
 * it. */
const struct old_user_ids order_old_user_ids = {
	.walk = OLD_USER_IDS_WALK("orders WHERE saga = 'placed'"),
	.sqlite_change = "UPDATE orders SET user_id = $2, updated_at = $4 WHERE id IN"
			 " (SELECT id FROM orders WHERE user_id = $1 AND saga = 'placed' LIMIT $3)",
	.postgres_change = "WITH taken AS MATERIALIZED (SELECT id FROM orders WHERE user_id = $1"
			   "  AND saga = 'placed' ORDER BY created_at, id LIMIT $3 FOR UPDATE)"
			   " UPDATE orders SET user_id = $2, updated_at = $4 FROM taken WHERE "
			   "orders.id = taken.id",
	.longest = ORDER_USER_ID_LENGTH,
};
