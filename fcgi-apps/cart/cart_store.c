#include "cart/cart_store.h"

#include "responder/old_user_ids.h"
#include "responder/ownership.h"
#include "responder/paging.h"
#include "storage/count.h"

#define OPEN_CHECKOUT                                                                              \
	"EXISTS (SELECT 1 FROM checkouts WHERE checkouts.cart_id = carts.id AND state = 'open')"

/* The columns that read_header() reads. */
#define HEADER_COLUMNS                                                                             \
	"carts.id, carts.user_id, carts.version, carts.created_at, carts.updated_at,"              \
	" carts.expires_at, carts.emptied_version, carts.last_order_id, carts.merged_into"
#define HEADER_COLUMN_COUNT 9

/* The columns after those, which read_line() reads. */
#define LINE_COLUMNS      "product_id, name, unit_price, quantity, position, seen_at"
#define LINE_COLUMN_COUNT 6

static void read_header(struct db_rows *rows, struct cart *cart)
{
	db_column_copy(rows, 0, cart->id, sizeof(cart->id));
	db_column_copy(rows, 1, cart->user_id, sizeof(cart->user_id));
	cart->version = db_column_int(rows, 2);
	cart->created_at = db_column_int(rows, 3);
	cart->updated_at = db_column_int(rows, 4);
	cart->expires_at = db_column_int(rows, 5);
	cart->emptied_version = db_column_int(rows, 6);
	db_column_copy(rows, 7, cart->last_order_id, sizeof(cart->last_order_id));
	db_column_copy(rows, 8, cart->merged_into, sizeof(cart->merged_into));
}

static int read_line(struct db_rows *rows, struct cart *cart)
{
	const int first = HEADER_COLUMN_COUNT;
	const struct cart_item item = {
		.product_id = db_column_text(rows, first, NULL),
		.name = db_column_text(rows, first + 1, NULL),
		.unit_price = db_column_int(rows, first + 2),
		.quantity = db_column_int(rows, first + 3),
		.position = db_column_int(rows, first + 4),
		.seen_at = db_column_int(rows, first + 5),
	};

	return item.product_id && item.name ? cart_append_line(cart, &item) : -ENOMEM;
}

int cart_store_create(struct db_conn *conn, const struct cart *cart)
{
	return db_post(conn,
		       "INSERT INTO carts (id, user_id, version, created_at, updated_at,"
		       " expires_at, emptied_version) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		       DB_VALUES(db_text(cart->id), db_text(cart->user_id), db_int(cart->version),
				 db_int(cart->created_at), db_int(cart->updated_at),
				 db_int(cart->expires_at), db_int(cart->emptied_version)),
		       DB_ANY_ROWS);
}

/* Reads a row: a cart, and one of its lines if it has any. */
static int read_row(struct db_rows *rows, struct cart *cart)
{
	if (!cart->id[0])
		read_header(rows, cart);
	if (db_column_is_null(rows, HEADER_COLUMN_COUNT))
		return 0;
	return read_line(rows, cart);
}

/* Collects the rows of each cart, which are adjacent, and passes the cart on. limit is more than
 * the rows of one cart: if it is reached, the last cart may be incomplete and is left out. */
static int visit_carts(struct db_rows *rows, int limit, struct cart *cart, cart_visitor *visit,
		       void *context)
{
	int count = 0;
	int r;

	while ((r = db_next(rows)) > 0) {
		const char *id = db_column_text(rows, 0, NULL);

		if (!id)
			return -ENOMEM;
		if (cart->id[0] && strcmp(cart->id, id) != 0) {
			r = visit(context, cart);
			if (r)
				return r < 0 ? r : 0;
			cart_release(cart);
		}
		r = read_row(rows, cart);
		if (r < 0)
			return r;
		count++;
	}
	if (r == 0 && count == limit)
		return 1;
	if (r == 0 && cart->id[0])
		r = visit(context, cart);
	return r < 0 ? r : 0;
}

/* $1 cart, $2 now, the others its owner */
#define FIND                                                                                       \
	"SELECT " HEADER_COLUMNS ", " LINE_COLUMNS " FROM carts"                                   \
	" LEFT JOIN cart_lines ON cart_lines.cart_id = carts.id"                                   \
	" WHERE carts.id = $1 AND (expires_at > $2 OR " OPEN_CHECKOUT ")"                          \
	" AND " OWNED_BY("$3", "$4", "$5") " ORDER BY position, product_id"

void cart_store_ask(const char *id, const struct owner *owner, int64_t now,
		    struct db_statement *ret_statement)
{
	db_statement_set(ret_statement, FIND,
			 DB_VALUES(db_text(id), db_int(now), OWNED_BY_VALUES(owner)));
}

int cart_store_read(struct db_rows *rows, struct cart *ret_cart)
{
	int r;

	while ((r = db_next(rows)) > 0) {
		r = read_row(rows, ret_cart);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return ret_cart->id[0] ? 0 : -ENOENT;
}

static int find(struct db_conn *conn, const char *id, const struct owner *owner, int64_t now,
		struct cart *cart)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_statement statement;

	cart_store_ask(id, owner, now, &statement);
	int r = db_query_statement(conn, &statement, &rows);
	return r < 0 ? r : cart_store_read(rows, cart);
}

int cart_store_lock(struct db_conn *conn, const char *id, const struct owner *owner)
{
	return db_lock(
		conn,
		"SELECT 1 FROM carts WHERE id = $1 AND " OWNED_BY("$2", "$3", "$4") " FOR UPDATE",
		DB_VALUES(db_text(id), OWNED_BY_VALUES(owner)));
}

int cart_store_load(struct db_conn *conn, const char *id, const struct owner *owner, int64_t now,
		    enum cart_lock lock, struct cart *ret_cart)
{
	int r = 0;

	if (!cart_id_is_valid(id))
		return -ENOENT;
	if (lock == CART_CHANGE)
		r = cart_store_lock(conn, id, owner);
	return r < 0 ? r : find(conn, id, owner, now, ret_cart);
}

/* The same, and in each row what is known of the checkouts. */
static int find_ordered(struct db_conn *conn, const char *id, const struct owner *owner,
			const char *order_id, int64_t now, struct cart *cart,
			struct cart_checkout *checkout)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	const int first = HEADER_COLUMN_COUNT + LINE_COLUMN_COUNT;
	int r = db_query_row(
		conn,
		"SELECT " HEADER_COLUMNS ", " LINE_COLUMNS
		", own.state, own.revision, opened.order_id FROM carts"
		" LEFT JOIN cart_lines ON cart_lines.cart_id = carts.id"
		" LEFT JOIN checkouts AS own ON own.cart_id = carts.id AND own.order_id = $3"
		" LEFT JOIN checkouts AS opened ON opened.cart_id = carts.id"
		"  AND opened.state = 'open'"
		" WHERE carts.id = $1 AND (expires_at > $2 OR opened.order_id IS NOT NULL)"
		" AND " OWNED_BY_OF("carts.", "$4", "$5", "$6") " ORDER BY position, product_id",
		DB_VALUES(db_text(id), db_int(now), db_text(order_id), OWNED_BY_VALUES(owner)),
		&rows);

	if (r < 0)
		return r;
	db_column_copy(rows, first, checkout->state, sizeof(checkout->state));
	checkout->revision = db_column_int(rows, first + 1);
	db_column_copy(rows, first + 2, checkout->open_order_id, sizeof(checkout->open_order_id));
	r = read_row(rows, cart);
	return r < 0 ? r : cart_store_read(rows, cart);
}

int cart_store_load_ordered(struct db_conn *conn, const char *id, const struct owner *owner,
			    const char *order_id, int64_t now, struct cart *ret_cart,
			    struct cart_checkout *ret_checkout)
{
	int r = cart_store_lock(conn, id, owner);

	return r < 0 ? r : find_ordered(conn, id, owner, order_id, now, ret_cart, ret_checkout);
}

int cart_store_lock_two(struct db_conn *conn, const char *id, const struct owner *owner,
			const char *other_id, const struct owner *other_owner)
{
	return db_lock(conn,
		       "SELECT 1 FROM carts WHERE id IN ($1, $5)"
		       " AND (id = $1 AND " OWNED_BY("$2", "$3", "$4") " OR id = $5 AND " OWNED_BY(
			       "$6", "$7", "$8") ") ORDER BY id FOR UPDATE",
		       DB_VALUES(db_text(id), OWNED_BY_VALUES(owner), db_text(other_id),
				 OWNED_BY_VALUES(other_owner)));
}

/* Reads only the index. */
int cart_store_horizon(struct db_conn *conn, struct cart_page *page, int64_t carts)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn,
			     "SELECT created_at, id FROM carts WHERE user_id = $1"
			     " AND (created_at, id) < ($2, $3)"
			     " ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $4",
			     DB_VALUES(db_text(page->user_id), db_int(page->created_at),
				       db_text(page->id), db_int(carts - 1)),
			     &rows);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	page->last_created_at = db_column_int(rows, 0);
	db_column_copy(rows, 1, page->last_id, sizeof(page->last_id));
	return 1;
}

/* The values are PAGE_VALUES. */
#define IN_PAGE                                                                                    \
	"user_id = $1 AND (created_at, id) < ($2, $3) AND (created_at, id) >= ($4, $5)"            \
	" AND (expires_at > $6 OR " OPEN_CHECKOUT ")"
#define PAGE_VALUES(page, now)                                                                     \
	db_text((page)->user_id), db_int((page)->created_at), db_text((page)->id),                 \
		db_int((page)->last_created_at), db_text((page)->last_id), db_int(now)

int cart_store_list(struct db_conn *conn, const struct cart_page *page, int64_t now,
		    cart_visitor *visit, void *context)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct cart cart CLEANUP(cart_release) = {0};

	/* One query for carts and lines: the page is cut out first and then joined with its
	 * lines. */
	int r = db_query(
		conn,
		"WITH page AS (SELECT " HEADER_COLUMNS " FROM carts WHERE " IN_PAGE
		"  ORDER BY created_at DESC, id DESC LIMIT $7)"
		" SELECT " HEADER_COLUMNS ", " LINE_COLUMNS " FROM page AS carts"
		" LEFT JOIN cart_lines ON cart_lines.cart_id = carts.id"
		" ORDER BY carts.created_at DESC, carts.id DESC, position, product_id"
		" LIMIT $8",
		DB_VALUES(PAGE_VALUES(page, now), db_int(page->limit), db_int(CART_PAGE_LINES)),
		&rows);
	return r < 0 ? r : visit_carts(rows, CART_PAGE_LINES, &cart, visit, context);
}

int cart_store_count(struct db_conn *conn, const struct cart_page *page, int64_t now,
		     int64_t *ret_count)
{
	return db_query_int(conn,
			    "SELECT count(*) FROM (SELECT 1 FROM carts WHERE " IN_PAGE
			    " LIMIT " PAGING_COUNTED ") AS counted",
			    DB_VALUES(PAGE_VALUES(page, now)), ret_count);
}

static struct db_value text_or_null(const char *text)
{
	return text[0] ? db_text(text) : db_null();
}

int cart_store_update(struct db_conn *conn, const struct cart *cart)
{
	return db_post(conn,
		       "UPDATE carts SET version = $2, updated_at = $3, expires_at = $4,"
		       " emptied_version = $5, last_order_id = $6, merged_into = $7"
		       " WHERE id = $1 AND version = $2 - 1",
		       DB_VALUES(db_text(cart->id), db_int(cart->version), db_int(cart->updated_at),
				 db_int(cart->expires_at), db_int(cart->emptied_version),
				 text_or_null(cart->last_order_id),
				 text_or_null(cart->merged_into)),
		       1);
}

int cart_store_put_line(struct db_conn *conn, const char *cart_id, const struct cart_line *line)
{
	return db_post(conn,
		       "INSERT INTO cart_lines (cart_id, " LINE_COLUMNS ")"
		       " VALUES ($1, $2, $3, $4, $5, $6, $7)"
		       " ON CONFLICT (cart_id, product_id) DO UPDATE SET name = excluded.name,"
		       " unit_price = excluded.unit_price, quantity = excluded.quantity,"
		       " seen_at = excluded.seen_at",
		       DB_VALUES(db_text(cart_id), db_text(line->product_id), db_text(line->name),
				 db_int(line->unit_price), db_int(line->quantity),
				 db_int(line->position), db_int(line->seen_at)),
		       DB_ANY_ROWS);
}

int cart_store_remove_line(struct db_conn *conn, const char *cart_id, const char *product_id)
{
	return db_post(conn, "DELETE FROM cart_lines WHERE cart_id = $1 AND product_id = $2",
		       DB_VALUES(db_text(cart_id), db_text(product_id)), DB_ANY_ROWS);
}

int cart_store_clear(struct db_conn *conn, const char *cart_id)
{
	return db_post(conn, "DELETE FROM cart_lines WHERE cart_id = $1",
		       DB_VALUES(db_text(cart_id)), DB_ANY_ROWS);
}

#define EXPIRED "expires_at <= $1 AND NOT " OPEN_CHECKOUT

/* By the hour of expiry, which is indexed (cart/migrations.c). */
#define FIND_EXPIRED                                                                               \
	"SELECT id FROM carts WHERE expires_hour <= $1 / 3600000000 AND " EXPIRED                  \
	" ORDER BY expires_hour LIMIT $2"

/* Skips carts that are being changed: the change extends their lifetime. */
static int find_expired(struct db_conn *conn, int64_t now, char (*ret_ids)[CART_ID_SIZE])
{
	static const char read_sql[] = FIND_EXPIRED;
	static const char lock_sql[] = FIND_EXPIRED " FOR UPDATE SKIP LOCKED";
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	bool row_lock = db_dialect(conn) == DB_POSTGRES;
	int count = 0;
	int r = db_query(conn, row_lock ? lock_sql : read_sql,
			 DB_VALUES(db_int(now), db_int(CART_EXPIRE_BATCH)), &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		if (count == CART_EXPIRE_BATCH)
			return -EIO;
		db_column_copy(rows, 0, ret_ids[count++], CART_ID_SIZE);
	}
	return r < 0 ? r : count;
}

/* Checks again under the lock: a checkout may have been opened meanwhile. */
static int delete_expired(struct db_conn *conn, int64_t now, const char *id)
{
	int64_t r = db_run(conn, "DELETE FROM carts WHERE id = $2 AND " EXPIRED,
			   DB_VALUES(db_int(now), db_text(id)));

	if (r <= 0)
		return (int)r;
	r = cart_store_clear(conn, id);
	return r < 0 ? (int)r : 1;
}

int64_t cart_store_expire(struct db_conn *conn, int64_t now)
{
	char ids[CART_EXPIRE_BATCH][CART_ID_SIZE];
	int64_t deleted = 0;
	int count = find_expired(conn, now, ids);

	for (int i = 0; i < count; i++) {
		int r = delete_expired(conn, now, ids[i]);

		if (r < 0)
			return r;
		deleted += r;
	}
	return count < 0 ? count : deleted;
}

int64_t cart_store_drop_unused(struct db_conn *conn, int64_t from, int64_t before,
			       int64_t *ret_from)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t last = from;
	int64_t count = 0;
	/* Version 1 is checked again: the first change may have come in between. Such a cart has no
	 * lines. */
	int r = db_query(conn,
			 "DELETE FROM carts WHERE id IN (SELECT id FROM carts"
			 "  WHERE version = 1 AND created_at >= $1 AND created_at < $2"
			 "  ORDER BY created_at LIMIT $3)"
			 " AND version = 1 RETURNING created_at",
			 DB_VALUES(db_int(from), db_int(before), db_int(CART_EXPIRE_BATCH)), &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		int64_t created_at = db_column_int(rows, 0);

		last = created_at > last ? created_at : last;
		count++;
	}
	if (r < 0)
		return r;
	/* Some carts of a batch may have been changed meanwhile, so only an empty result means the
	 * end. */
	*ret_from = count > 0 ? last : before;
	return count;
}

int cart_store_count_all(struct db_conn *conn, int64_t limit, int64_t *ret_count)
{
	return db_count(conn, DB_COUNT_PIECE("carts"), limit, ret_count);
}

/* The version stays: it tells whether an order emptied the cart. */
const struct old_user_ids cart_old_user_ids = {
	.walk = OLD_USER_IDS_WALK("carts WHERE true"),
	.sqlite_change = "UPDATE carts SET user_id = $2, updated_at = $4 WHERE id IN"
			 " (SELECT id FROM carts WHERE user_id = $1 LIMIT $3)",
	.postgres_change = "WITH taken AS MATERIALIZED (SELECT id FROM carts WHERE user_id = $1"
			   "  ORDER BY created_at, id LIMIT $3 FOR UPDATE)"
			   " UPDATE carts SET user_id = $2, updated_at = $4 FROM taken WHERE "
			   "carts.id = taken.id",
	.longest = CART_USER_ID_LENGTH,
};
