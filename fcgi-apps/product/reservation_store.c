#include "product/reservation_store.h"

#include "product/stock_store.h"

static int compare_lines(const void *a, const void *b)
{
	const struct product_line *left = a;
	const struct product_line *right = b;

	return strcmp(left->product_id, right->product_id);
}

size_t product_lines_merge(struct product_line *lines, size_t count)
{
	size_t merged = 0;

	if (count == 0)
		return 0;
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(lines[merged].product_id, lines[i].product_id) == 0)
			lines[merged].quantity += lines[i].quantity;
		else
			lines[++merged] = lines[i];
	}
	return merged + 1;
}

void product_lines_release(struct product_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(lines[i].name);
		lines[i].name = NULL;
	}
}

int product_reservation_state(struct db_conn *conn, const char *order_id,
			      enum product_reservation_state *ret_state)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, "SELECT state FROM reservations WHERE order_id = $1",
			     DB_VALUES(db_text(order_id)), &rows);

	if (r == -ENOENT) {
		*ret_state = RESERVATION_UNKNOWN;
		return 0;
	}
	if (r < 0)
		return r;
	const char *state = db_column_text(rows, 0, NULL);
	if (!state)
		return -EIO;
	if (strcmp(state, "held") == 0)
		*ret_state = RESERVATION_HELD;
	else if (strcmp(state, "shipped") == 0)
		*ret_state = RESERVATION_SHIPPED;
	else
		*ret_state = RESERVATION_RELEASED;
	return 0;
}

int product_reservation_items(struct db_conn *conn, const char *order_id, struct db_rows **ret_rows)
{
	return db_query(conn,
			"SELECT product_id, quantity, name, price FROM reservation_items"
			" WHERE order_id = $1 ORDER BY product_id",
			DB_VALUES(db_text(order_id)), ret_rows);
}

/* 1 if the order holds exactly these lines, else 0. */
static int same_lines(struct db_conn *conn, const char *order_id, const struct product_line *lines,
		      size_t count)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	size_t seen = 0;
	int r = product_reservation_items(conn, order_id, &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) == 1) {
		const char *id = db_column_text(rows, ITEM_PRODUCT_ID, NULL);

		if (seen == count || !id || strcmp(id, lines[seen].product_id) != 0 ||
		    db_column_int(rows, ITEM_QUANTITY) != lines[seen].quantity)
			return 0;
		seen++;
	}
	return r < 0 ? r : seen == count;
}

/* Makes the reservation's row: 1, or 0 where there is one, perhaps since a moment ago. */
static int insert_reservation(struct db_conn *conn, const char *order_id, const char *state,
			      int64_t now)
{
	return (int)db_run(conn,
			   "INSERT INTO reservations (order_id, state, created_at, updated_at)"
			   " VALUES ($1, $2, $3, $3) ON CONFLICT (order_id) DO NOTHING",
			   DB_VALUES(db_text(order_id), db_text(state), db_int(now)));
}

/* Changes the reservation's state. -EAGAIN: another transaction came first (never on SQLite). */
static int change_state(struct db_conn *conn, const char *order_id, const char *state, int64_t now)
{
	int64_t changed = db_run(conn,
				 "UPDATE reservations SET state = $2, updated_at = $3"
				 " WHERE order_id = $1 AND state = 'held'",
				 DB_VALUES(db_text(order_id), db_text(state), db_int(now)));

	if (changed < 0)
		return (int)changed;
	return changed == 0 ? -EAGAIN : 0;
}

static int insert_item(struct db_conn *conn, const char *order_id, const struct product_line *line)
{
	return db_post(conn,
		       "INSERT INTO reservation_items (order_id, product_id, quantity, name,"
		       " price) VALUES ($1, $2, $3, $4, $5)",
		       DB_VALUES(db_text(order_id), db_text(line->product_id),
				 db_int(line->quantity), db_text(line->name),
				 db_int(line->price_now)),
		       DB_ANY_ROWS);
}

/* Finds out why a line cannot be held. */
static int refuse_line(struct db_conn *conn, struct product_line *line)
{
	int r = product_stock_available(conn, line->product_id, &line->available);

	if (r < 0 && r != -ENOENT)
		return r;
	/* Stock came back after the UPDATE had looked, so there is no reason to refuse. */
	if (r == 0 && line->available >= line->quantity)
		return -EAGAIN;
	line->state = r == -ENOENT ? LINE_GONE : LINE_SHORT;
	return 0;
}

/* Takes one line out of the sellable stock, or finds out why that is impossible. */
static int hold_line(struct db_conn *conn, const char *order_id, struct product_line *line,
		     const char *actor, int64_t now)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(
		conn,
		"UPDATE products SET inventory = inventory - $2, reserved = reserved + $2,"
		" updated_at = $3, version = version + 1"
		" WHERE id = $1 AND deleted_at IS NULL AND inventory >= $2"
		" RETURNING name, price",
		DB_VALUES(db_text(line->product_id), db_int(line->quantity), db_int(now)), &rows);

	if (r == -ENOENT)
		return refuse_line(conn, line);
	if (r < 0)
		return r;
	line->price_now = db_column_int(rows, 1);
	/* Checked before this line's entry in the ledger, which is never removed. */
	if (line->priced && line->price != line->price_now) {
		line->state = LINE_REPRICED;
		return 0;
	}
	const char *name = db_column_text(rows, 0, NULL);
	line->state = LINE_HELD;
	line->name = name ? strdup(name) : NULL;
	if (!line->name)
		return -ENOMEM;
	r = insert_item(conn, order_id, line);
	if (r < 0)
		return r;
	return product_movement_add(conn, line->product_id, -line->quantity, "hold", order_id,
				    actor, now);
}

/* What a reservation that is there already means for a hold. */
static int hold_again(struct db_conn *conn, const char *order_id, const struct product_line *lines,
		      size_t count, enum product_hold *ret_outcome)
{
	enum product_reservation_state state;
	int r = product_reservation_state(conn, order_id, &state);

	if (r < 0)
		return r;
	if (state == RESERVATION_UNKNOWN)
		return -EAGAIN; /* a tombstone that was purged just now */
	if (state == RESERVATION_RELEASED) {
		*ret_outcome = HOLD_RELEASED;
		return 0;
	}
	r = same_lines(conn, order_id, lines, count);
	if (r < 0)
		return r;
	if (r == 0)
		*ret_outcome = HOLD_MISMATCH;
	else
		*ret_outcome = state == RESERVATION_HELD ? HOLD_REPLAYED : HOLD_SHIPPED;
	return 0;
}

int product_reservation_hold(struct db_conn *conn, const char *order_id, struct product_line *lines,
			     size_t count, const char *actor, int64_t now,
			     enum product_hold *ret_outcome)
{
	enum product_hold outcome = HOLD_DONE;
	int r = insert_reservation(conn, order_id, "held", now);

	if (r < 0)
		return r;
	if (r == 0)
		return hold_again(conn, order_id, lines, count, ret_outcome);
	for (size_t i = 0; i < count; i++) {
		r = hold_line(conn, order_id, &lines[i], actor, now);
		if (r < 0)
			return r;
		if (lines[i].state == LINE_GONE)
			outcome = HOLD_GONE;
		else if (lines[i].state == LINE_SHORT && outcome != HOLD_GONE)
			outcome = HOLD_SHORT;
		else if (lines[i].state == LINE_REPRICED && outcome == HOLD_DONE)
			outcome = HOLD_REPRICED;
	}
	*ret_outcome = outcome;
	return 0;
}

/* Where the goods of a held reservation go. */
struct destination {
	const char *sql; /* $1 product, $2 quantity, $3 now */
	const char *reason;
	int direction; /* of the movement: 1 is back into inventory */
};

static const struct destination to_customer = {
	.sql = "UPDATE products SET reserved = reserved - $2, shipped = shipped + $2,"
	       " updated_at = $3, version = version + 1 WHERE id = $1",
	.reason = "ship",
};

static const struct destination to_inventory = {
	.sql = "UPDATE products SET reserved = reserved - $2, inventory = inventory + $2,"
	       " updated_at = $3, version = version + 1 WHERE id = $1",
	.reason = "release",
	.direction = 1,
};

static int move_items(struct db_conn *conn, const char *order_id,
		      const struct destination *destination, const char *actor, int64_t now)
{
	struct db_rows *items CLEANUP(db_rows_close_p) = NULL;
	int r = product_reservation_items(conn, order_id, &items);

	if (r < 0)
		return r;
	while ((r = db_next(items)) == 1) {
		const char *product_id = db_column_text(items, ITEM_PRODUCT_ID, NULL);
		int64_t quantity = db_column_int(items, ITEM_QUANTITY);
		int64_t changed =
			db_run(conn, destination->sql,
			       DB_VALUES(db_text(product_id), db_int(quantity), db_int(now)));

		if (changed < 0)
			return (int)changed;
		r = product_movement_add(conn, product_id, quantity * destination->direction,
					 destination->reason, order_id, actor, now);
		if (r < 0)
			return r;
	}
	return r;
}

int product_reservation_ship(struct db_conn *conn, const char *order_id, const char *actor,
			     int64_t now, enum product_reservation_state *ret_before)
{
	enum product_reservation_state state;
	int r = product_reservation_state(conn, order_id, &state);

	if (r == 0 && state == RESERVATION_HELD) {
		r = change_state(conn, order_id, "shipped", now);
		if (r == 0)
			r = move_items(conn, order_id, &to_customer, actor, now);
	}
	if (r < 0)
		return r;
	*ret_before = state;
	return 0;
}

int product_reservation_release(struct db_conn *conn, const char *order_id, const char *actor,
				int64_t now, enum product_reservation_state *ret_before)
{
	enum product_reservation_state state;
	int r = product_reservation_state(conn, order_id, &state);

	if (r == 0 && state == RESERVATION_UNKNOWN) {
		/* None: another transaction just made it (never on SQLite). */
		r = insert_reservation(conn, order_id, "released", now);
		if (r >= 0)
			r = r == 0 ? -EAGAIN : 0;
	} else if (r == 0 && state == RESERVATION_HELD) {
		r = change_state(conn, order_id, "released", now);
		if (r == 0)
			r = move_items(conn, order_id, &to_inventory, actor, now);
	}
	if (r < 0)
		return r;
	*ret_before = state;
	return 0;
}

int64_t product_tombstones_purge(struct db_conn *conn, int64_t before, int64_t limit)
{
	/* The equal times select the partial index. A tombstone is recognised by having held
	 * nothing. */
	return db_run(conn,
		      "DELETE FROM reservations WHERE order_id IN"
		      " (SELECT order_id FROM reservations WHERE state = 'released'"
		      "  AND updated_at = created_at AND created_at < $1"
		      "  AND NOT EXISTS (SELECT 1 FROM reservation_items AS items"
		      "   WHERE items.order_id = reservations.order_id)"
		      "  ORDER BY created_at LIMIT $2)",
		      DB_VALUES(db_int(before), db_int(limit)));
}
