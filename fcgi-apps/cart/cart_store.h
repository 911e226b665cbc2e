/*
 * Carts in the store. Every function runs inside db_read or db_transaction (storage/db.h) and
 * returns 0, a positive result or that header's errors; a positive count is never an error.
 *
 * A cart is alive until it expires, and as long as a checkout of it is open. One that is not alive
 * does not exist for any of these functions.
 */
#ifndef CART_CART_STORE_H
#define CART_CART_STORE_H

#include "cart/cart.h"
#include "storage/conn.h"

int cart_store_create(struct db_conn *conn, const struct cart *cart);

enum cart_lock {
	CART_READ,
	CART_CHANGE, /* nobody else changes this cart until the transaction ends */
	CART_LOCKED, /* the same, of a cart that this transaction has locked already */
};

/* Fills an initialised cart, which stays the caller's to release also on failure. -ENOENT. To read
 * is one statement. */
int cart_store_load(struct db_conn *conn, const char *id, int64_t now, enum cart_lock lock,
		    struct cart *ret_cart);

/* The lock alone, of a cart that is not to be loaded; posted (db_post). Nothing where there is no
 * such cart. */
int cart_store_lock(struct db_conn *conn, const char *id);

/* Before two carts are loaded to be changed: in an order of its own, or transactions that change
 * the same two would wait for each other in a circle. Ids of no cart are passed over. */
int cart_store_lock_two(struct db_conn *conn, const char *id, const char *other_id);

/* The carts of a user that come after (created_at, id), newest first, no further than the last. */
struct cart_page {
	const char *user_id;
	int64_t created_at; /* INT64_MAX: from the start */
	const char *id;
	int64_t last_created_at; /* 0: to the end */
	char last_id[CART_ID_SIZE];
	int64_t limit;
};

/* Carts that a page, or a count, looks at: those that are not alive any more stay until
 * cart_store_expire() comes by. */
#define CART_PAGE_HORIZON  2000
#define CART_COUNT_HORIZON 10000

/* Sets the page's last to the cart that is so many on, alive or not: 1; or 0 where there are fewer.
 * A negative errno of the store. */
int cart_store_horizon(struct db_conn *conn, struct cart_page *page, int64_t carts);

/* Called for one cart after the other, lines included. 0: go on, 1: enough, negative: error. */
typedef int cart_visitor(void *context, const struct cart *cart);

/* A page ends before the cart with which it would have so many lines (an empty cart counts as one):
 * memory stays bounded, whatever the limit asks for. */
#define CART_PAGE_LINES 2000

/* 0, or 1: carts of the page were left out, as it would have too many lines. */
int cart_store_list(struct db_conn *conn, const struct cart_page *page, int64_t now,
		    cart_visitor *visit, void *context);

/* Those of a page without a limit; counts no further than PAGING_COUNTED. */
int cart_store_count(struct db_conn *conn, const struct cart_page *page, int64_t now,
		     int64_t *ret_count);

/*
 * These change a cart that was loaded for it, in the same transaction, and are posted (db_post):
 * an error may be told later.
 */

/* Writes everything but the lines. */
int cart_store_update(struct db_conn *conn, const struct cart *cart);

/* Adds a line or replaces the one of the same product. */
int cart_store_put_line(struct db_conn *conn, const char *cart_id, const struct cart_line *line);
int cart_store_remove_line(struct db_conn *conn, const char *cart_id, const char *product_id);
int cart_store_clear(struct db_conn *conn, const char *cart_id);

/* The most carts one call of cart_store_expire() deletes. */
#define CART_EXPIRE_BATCH 100

/* Deletes carts that are no longer alive, oldest first. Returns how many. */
int64_t cart_store_expire(struct db_conn *conn, int64_t now);

/*
 * Deletes carts that were made from *from on and before then, and never changed since, oldest first
 * and as many at most; moves *ret_from on to where the next call is to begin. Returns how many.
 */
int64_t cart_store_drop_unused(struct db_conn *conn, int64_t from, int64_t before,
			       int64_t *ret_from);

/* All carts, alive or not, but for a few of the same microsecond; counts no further than limit. */
int cart_store_count_all(struct db_conn *conn, int64_t limit, int64_t *ret_count);

/* Carts of users whose ids are not in their normal form. */
struct old_user_ids;
extern const struct old_user_ids cart_old_user_ids;

#endif
