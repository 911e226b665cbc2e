#include "cart/checkout_store.h"

#include "cart/cart_store.h"
#include "contract/schema_text.h"
#include "responder/ownership.h"

enum state { STATE_NONE, STATE_OPEN, STATE_CONSUMED, STATE_RELEASED };

static enum state parse_state(const char *text)
{
	if (text[0] == '\0')
		return STATE_NONE;
	if (strcmp(text, "open") == 0)
		return STATE_OPEN;
	return strcmp(text, "consumed") == 0 ? STATE_CONSUMED : STATE_RELEASED;
}

static int find(struct db_conn *conn, const char *cart_id, const char *order_id,
		enum state *ret_state)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn,
			     "SELECT state FROM checkouts WHERE cart_id = $1 AND order_id = $2",
			     DB_VALUES(db_text(cart_id), db_text(order_id)), &rows);

	if (r == -ENOENT) {
		*ret_state = STATE_NONE;
		return 0;
	}
	if (r < 0)
		return r;
	const char *state = db_column_text(rows, 0, NULL);
	if (!state)
		return -ENOMEM;
	*ret_state = parse_state(state);
	return 0;
}

static int read_line(struct db_rows *rows, struct cart *snapshot)
{
	const struct cart_item item = {
		.product_id = db_column_text(rows, 2, NULL),
		.name = db_column_text(rows, 3, NULL),
		.unit_price = db_column_int(rows, 4),
		.quantity = db_column_int(rows, 5),
		.position = db_column_int(rows, 6),
	};

	return item.product_id && item.name ? cart_append_line(snapshot, &item) : -ENOMEM;
}

static int load_snapshot(struct db_conn *conn, const char *cart_id, const char *order_id,
			 struct cart *snapshot)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(
		conn,
		"SELECT user_id, revision, product_id, name, unit_price, quantity, position"
		" FROM checkouts JOIN checkout_lines USING (cart_id, order_id)"
		" WHERE cart_id = $1 AND order_id = $2 ORDER BY position, product_id",
		DB_VALUES(db_text(cart_id), db_text(order_id)), &rows);

	if (r < 0)
		return r;
	snprintf(snapshot->id, sizeof(snapshot->id), "%s", cart_id);
	while ((r = db_next(rows)) > 0) {
		db_column_copy(rows, 0, snapshot->user_id, sizeof(snapshot->user_id));
		snapshot->version = db_column_int(rows, 1);
		r = read_line(rows, snapshot);
		if (r < 0)
			return r;
	}
	return r;
}

int cart_checkout_find_open(struct db_conn *conn, const char *cart_id,
			    char ret_order_id[CART_ID_SIZE])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn,
			     "SELECT order_id FROM checkouts WHERE cart_id = $1 AND state = 'open'",
			     DB_VALUES(db_text(cart_id)), &rows);

	if (r < 0 && r != -ENOENT)
		return r;
	ret_order_id[0] = '\0';
	if (r == 0)
		db_column_copy(rows, 0, ret_order_id, CART_ID_SIZE);
	return 0;
}

/* The cart is locked, so no other transaction has made this checkout since it was looked for. */
static int insert_snapshot(struct db_conn *conn, const struct cart *cart, const char *order_id,
			   int64_t now)
{
	int r = db_post(conn,
			"INSERT INTO checkouts"
			" (cart_id, order_id, state, user_id, revision, created_at)"
			" VALUES ($1, $2, 'open', $3, $4, $5)",
			DB_VALUES(db_text(cart->id), db_text(order_id), db_text(cart->user_id),
				  db_int(cart->version), db_int(now)),
			DB_ANY_ROWS);

	if (r < 0)
		return r;
	return db_post(conn,
		       "INSERT INTO checkout_lines (cart_id, order_id, product_id, name,"
		       " unit_price, quantity, position)"
		       " SELECT cart_id, $2, product_id, name, unit_price, quantity, position"
		       " FROM cart_lines WHERE cart_id = $1",
		       DB_VALUES(db_text(cart->id), db_text(order_id)), DB_ANY_ROWS);
}

/* Makes the checkout, or returns why not. */
static int open_first(struct db_conn *conn, const struct cart *cart, const char *order_id,
		      int64_t now, const char *open_order_id, char ret_order_id[CART_ID_SIZE])
{
	if (open_order_id[0]) {
		memcpy(ret_order_id, open_order_id, CART_ID_SIZE);
		return CHECKOUT_OTHER_OPEN;
	}
	if (!cart->line_count) {
		bool by_order = cart->emptied_version == cart->version;

		snprintf(ret_order_id, CART_ID_SIZE, "%s", by_order ? cart->last_order_id : "");
		return CHECKOUT_EMPTY;
	}
	int r = insert_snapshot(conn, cart, order_id, now);
	return r < 0 ? r : CHECKOUT_FINE;
}

/* Whether the cart exists, alive or expired. Ids are never reused, so a missing cart stays
 * missing. */
static int exists(struct db_conn *conn, const char *cart_id)
{
	return db_exists(conn, "SELECT 1 FROM carts WHERE id = $1", DB_VALUES(db_text(cart_id)));
}

/* Whether a cart of that user will never be the named user's: an id that lacks its normal form gets
 * it (responder/old_user_ids.h). */
static bool is_strangers(const char *user_id, const char *named)
{
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	schema_text_renew(user_id, strlen(user_id), false, &normal);
	return named && text_error(&normal) == 0 && strcmp(text_string(&normal), named) != 0;
}

/* Of a cart that has expired, or is not the named user's. */
static int why_not_found(struct db_conn *conn, const char *cart_id, const char *named)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn, "SELECT user_id FROM carts WHERE id = $1",
			     DB_VALUES(db_text(cart_id)), &rows);

	if (r < 0)
		return r == -ENOENT ? CHECKOUT_NO_CART : r;
	const char *user_id = db_column_text(rows, 0, NULL);
	if (!user_id)
		return -ENOMEM;
	return is_strangers(user_id, named) ? CHECKOUT_NO_CART : CHECKOUT_HIDDEN;
}

/* All three steps lock the cart first, so that what they find holds until the commit. If that owner
 * has no such cart, the id of *cart stays empty. */
static int lock_and_find(struct db_conn *conn, const char *cart_id, const struct owner *owner,
			 const char *order_id, int64_t now, struct cart *cart,
			 struct cart_checkout *checkout, enum state *ret_state)
{
	int r = cart_store_load_ordered(conn, cart_id, owner, order_id, now, cart, checkout);

	if (r == -ENOENT)
		return find(conn, cart_id, order_id, ret_state);
	*ret_state = parse_state(checkout->state);
	return r;
}

int cart_checkout_open(struct db_conn *conn, const char *cart_id, const char *order_id,
		       const char *user_id, int64_t now, struct cart *snapshot,
		       char ret_order_id[CART_ID_SIZE])
{
	const struct owner user = {.user_id = user_id};
	struct cart_checkout checkout = {0};
	enum state state = STATE_NONE;
	int r = lock_and_find(conn, cart_id, user_id ? &user : EVERYBODYS, order_id, now, snapshot,
			      &checkout, &state);

	if (r < 0)
		return r;
	if (state == STATE_RELEASED)
		return CHECKOUT_RELEASED;
	if (state == STATE_NONE) {
		if (!snapshot->id[0])
			return why_not_found(conn, cart_id, user_id);
		return open_first(conn, snapshot, order_id, now, checkout.open_order_id,
				  ret_order_id);
	}
	cart_release(snapshot);
	r = load_snapshot(conn, cart_id, order_id, snapshot);
	return r < 0 ? r : CHECKOUT_FINE;
}

/* Of an open one; the cart's lock is held. */
static int finish(struct db_conn *conn, const char *cart_id, const char *order_id,
		  const char *state, int64_t now)
{
	return db_post(conn,
		       "UPDATE checkouts SET state = $3, finished_at = $4"
		       " WHERE cart_id = $1 AND order_id = $2 AND state = 'open'",
		       DB_VALUES(db_text(cart_id), db_text(order_id), db_text(state), db_int(now)),
		       DB_ANY_ROWS);
}

/* Subtracts the snapshot's quantities. What was added to the cart since then stays. */
static int take_lines(struct db_conn *conn, const char *cart_id, const char *order_id)
{
	int r = db_post(conn,
			"DELETE FROM cart_lines WHERE cart_id = $1 AND quantity <="
			" (SELECT taken.quantity FROM checkout_lines AS taken"
			"  WHERE taken.cart_id = $1 AND taken.order_id = $2"
			"  AND taken.product_id = cart_lines.product_id)",
			DB_VALUES(db_text(cart_id), db_text(order_id)), DB_ANY_ROWS);

	if (r < 0)
		return r;
	return db_post(conn,
		       "UPDATE cart_lines SET quantity = quantity -"
		       " (SELECT taken.quantity FROM checkout_lines AS taken"
		       "  WHERE taken.cart_id = $1 AND taken.order_id = $2"
		       "  AND taken.product_id = cart_lines.product_id)"
		       " WHERE cart_id = $1 AND product_id IN"
		       " (SELECT product_id FROM checkout_lines"
		       "  WHERE cart_id = $1 AND order_id = $2)",
		       DB_VALUES(db_text(cart_id), db_text(order_id)), DB_ANY_ROWS);
}

static int count_lines(struct db_conn *conn, const char *cart_id, int64_t *ret_count)
{
	return db_query_int(conn, "SELECT COUNT(*) FROM cart_lines WHERE cart_id = $1",
			    DB_VALUES(db_text(cart_id)), ret_count);
}

/* Every change of a cart makes a new version: where it is the snapshot's, all lines were taken. */
static int take(struct db_conn *conn, const struct cart *cart, const char *order_id,
		int64_t revision, int64_t *ret_lines_left)
{
	*ret_lines_left = 0;
	if (cart->version == revision)
		return cart_store_clear(conn, cart->id);
	int r = take_lines(conn, cart->id, order_id);
	return r < 0 ? r : count_lines(conn, cart->id, ret_lines_left);
}

int cart_checkout_consume(struct db_conn *conn, const char *cart_id, const char *order_id,
			  int64_t now, int64_t lifetime)
{
	struct cart cart CLEANUP(cart_release) = {0};
	struct cart_checkout checkout = {0};
	enum state state = STATE_NONE;
	int64_t lines_left = 0;
	int r = lock_and_find(conn, cart_id, EVERYBODYS, order_id, now, &cart, &checkout, &state);

	if (r < 0)
		return r;
	if (state != STATE_OPEN)
		return state == STATE_NONE       ? CHECKOUT_UNKNOWN
		       : state == STATE_RELEASED ? CHECKOUT_RELEASED
						 : CHECKOUT_FINE;
	/* A cart with an open checkout does not expire. */
	if (!cart.id[0])
		return -ENOENT;
	r = take(conn, &cart, order_id, checkout.revision, &lines_left);
	if (r < 0)
		return r;
	cart_touch(&cart, now, lifetime);
	snprintf(cart.last_order_id, sizeof(cart.last_order_id), "%s", order_id);
	if (!lines_left)
		cart.emptied_version = cart.version;
	r = cart_store_update(conn, &cart);
	if (!r)
		r = finish(conn, cart_id, order_id, "consumed", now);
	return r < 0 ? r : CHECKOUT_FINE;
}

static int delete_lines(struct db_conn *conn, const char *cart_id, const char *order_id)
{
	int64_t r = db_run(conn, "DELETE FROM checkout_lines WHERE cart_id = $1 AND order_id = $2",
			   DB_VALUES(db_text(cart_id), db_text(order_id)));

	return r < 0 ? (int)r : 0;
}

/* The cart is locked if it exists. If it does not, no open can succeed. */
static int insert_tombstone(struct db_conn *conn, const char *cart_id, const char *order_id,
			    int64_t now)
{
	int r = exists(conn, cart_id);

	if (r <= 0)
		return r;
	return db_post(conn,
		       "INSERT INTO checkouts (cart_id, order_id, state, created_at, finished_at)"
		       " VALUES ($1, $2, 'released', $3, $3)",
		       DB_VALUES(db_text(cart_id), db_text(order_id), db_int(now)), DB_ANY_ROWS);
}

int cart_checkout_release(struct db_conn *conn, const char *cart_id, const char *order_id,
			  int64_t now)
{
	enum state state = STATE_NONE;
	int r = cart_store_lock(conn, cart_id, EVERYBODYS);

	if (!r)
		r = find(conn, cart_id, order_id, &state);
	if (r < 0)
		return r;
	if (state == STATE_CONSUMED)
		return CHECKOUT_CONSUMED;
	if (state == STATE_NONE)
		r = insert_tombstone(conn, cart_id, order_id, now);
	if (state == STATE_OPEN) {
		r = finish(conn, cart_id, order_id, "released", now);
		if (!r)
			r = delete_lines(conn, cart_id, order_id);
	}
	return r < 0 ? r : CHECKOUT_FINE;
}

int cart_checkout_count(struct db_conn *conn, int64_t since, int64_t *ret_open,
			int64_t *ret_consumed)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	/* Both counts read a short range of a partial index. */
	int r = db_query_row(conn,
			     "SELECT (SELECT COUNT(*) FROM checkouts WHERE state = 'open'),"
			     " (SELECT COUNT(*) FROM checkouts"
			     "  WHERE state <> 'open' AND finished_at > $1 AND state = 'consumed')",
			     DB_VALUES(db_int(since)), &rows);

	if (r < 0)
		return r;
	*ret_open = db_column_int(rows, 0);
	*ret_consumed = db_column_int(rows, 1);
	return 0;
}

struct finished {
	char cart_id[CART_ID_SIZE];
	char order_id[CART_ID_SIZE];
};

static int delete_finished(struct db_conn *conn, int64_t before, struct finished *ret_finished)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int count = 0;
	int r = db_query(conn,
			 "DELETE FROM checkouts WHERE (cart_id, order_id) IN"
			 " (SELECT cart_id, order_id FROM checkouts"
			 "  WHERE state <> 'open' AND finished_at < $1"
			 "  ORDER BY finished_at LIMIT $2) RETURNING cart_id, order_id",
			 DB_VALUES(db_int(before), db_int(CHECKOUT_PURGE_BATCH)), &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		if (count == CHECKOUT_PURGE_BATCH)
			return -EIO;
		db_column_copy(rows, 0, ret_finished[count].cart_id, CART_ID_SIZE);
		db_column_copy(rows, 1, ret_finished[count++].order_id, CART_ID_SIZE);
	}
	return r < 0 ? r : count;
}

/* Released checkouts have no lines. */
static int64_t delete_released(struct db_conn *conn, int64_t before)
{
	return db_run(conn,
		      "DELETE FROM checkouts WHERE (cart_id, order_id) IN"
		      " (SELECT cart_id, order_id FROM checkouts"
		      "  WHERE state = 'released' AND finished_at < $1"
		      "  ORDER BY finished_at LIMIT $2)",
		      DB_VALUES(db_int(before), db_int(CHECKOUT_PURGE_BATCH)));
}

int64_t cart_checkout_purge(struct db_conn *conn, int64_t now)
{
	struct finished finished[CHECKOUT_PURGE_BATCH];
	int64_t released = delete_released(conn, now - RELEASED_MEMORY);
	int count = released < 0 ? (int)released
				 : delete_finished(conn, now - CHECKOUT_MEMORY, finished);

	for (int i = 0; i < count; i++) {
		int r = delete_lines(conn, finished[i].cart_id, finished[i].order_id);

		if (r < 0)
			return r;
	}
	return count < 0 ? count : released + count;
}
