/*
 * Carts in the store. Every function runs inside db_read or db_transaction (storage/db.h) and
 * returns 0, a positive result or that header's errors; a positive count is never an error.
 *
 * A cart is alive until it expires, and while a checkout of it is open. For all functions here, a
 * cart that is not alive does not exist.
 */
#ifndef CART_CART_STORE_H
#define CART_CART_STORE_H

#include "auth/authorize.h"
#include "cart/cart.h"
#include "storage/conn.h"

int cart_store_create(struct db_conn *conn, const struct cart *cart);

enum cart_lock {
	CART_READ,
	CART_CHANGE, /* no other transaction changes this cart until this one ends */
	CART_LOCKED, /* the same for a cart that this transaction has already locked */
};

/* The statement that finds a cart of that owner with its lines. The texts must stay until the rows
 * have been read. */
void cart_store_ask(const char *id, const struct owner *owner, int64_t now,
		    struct db_statement *ret_statement);

/* Each fills an initialised cart, which the caller releases even after a failure; the first from
 * the rows of that statement. -ENOENT. */
int cart_store_read(struct db_rows *rows, struct cart *ret_cart);
int cart_store_load(struct db_conn *conn, const char *id, const struct owner *owner, int64_t now,
		    enum cart_lock lock, struct cart *ret_cart);

/* An order's checkout of a cart, and the cart's open checkout. */
struct cart_checkout {
	char state[16]; /* "": there is none */
	int64_t revision;
	char open_order_id[CART_ID_SIZE]; /* "": none is open */
};

/* Locks and loads a cart of that owner (CART_CHANGE) together with its checkouts. -ENOENT: there is
 * no such cart, but a checkout may have outlived it. */
int cart_store_load_ordered(struct db_conn *conn, const char *id, const struct owner *owner,
			    const char *order_id, int64_t now, struct cart *ret_cart,
			    struct cart_checkout *ret_checkout);

/* Only locks a cart, without loading it; posted (db_post). Does nothing if that owner has no such
 * cart: another's lock must not be waited for, or the wait would tell of it. */
int cart_store_lock(struct db_conn *conn, const char *id, const struct owner *owner);

/* Locks two carts that are to be loaded and changed, always in the same order: otherwise two
 * transactions that change the same carts could deadlock. Skips those of others. */
int cart_store_lock_two(struct db_conn *conn, const char *id, const struct owner *owner,
			const char *other_id, const struct owner *other_owner);

/* A user's carts after (created_at, id), newest first, up to and including the last one. */
struct cart_page {
	const char *user_id;
	int64_t created_at; /* INT64_MAX: from the start */
	const char *id;
	int64_t last_created_at; /* 0: to the end */
	char last_id[CART_ID_SIZE];
	int64_t limit;
};

/* How many carts a page or a count looks at: carts that are no longer alive stay until
 * cart_store_expire() deletes them. */
#define CART_PAGE_HORIZON  2000
#define CART_COUNT_HORIZON 10000

/* Sets the page's last to the cart this many further on, alive or not. 1; 0 if there are fewer; or
 * an error of the store. */
int cart_store_horizon(struct db_conn *conn, struct cart_page *page, int64_t carts);

/* Called for each cart with its lines. 0: continue, 1: stop, negative: error. */
typedef int cart_visitor(void *context, const struct cart *cart);

/* A page ends before it would have more lines than this (an empty cart counts as one), to bound
 * memory whatever limit the client asked for. */
#define CART_PAGE_LINES 2000

/* 0, or 1 if carts were left out because the page would have too many lines. */
int cart_store_list(struct db_conn *conn, const struct cart_page *page, int64_t now,
		    cart_visitor *visit, void *context);

/* Counts the carts of a page without a limit, but no further than PAGING_COUNTED. */
int cart_store_count(struct db_conn *conn, const struct cart_page *page, int64_t now,
		     int64_t *ret_count);

/*
 * These change a cart that the same transaction loaded for a change. They are posted (db_post), so
 * an error may be reported by a later call.
 */

/* Writes everything but the lines. The version is the next one; if it is not, another change came
 * first, and the error is -EAGAIN. */
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
 * Deletes carts made from *from on and before a time that were never changed, oldest first, at most
 * a batch of them. Moves *ret_from to where the next call begins. Returns how many it deleted.
 */
int64_t cart_store_drop_unused(struct db_conn *conn, int64_t from, int64_t before,
			       int64_t *ret_from);

/* Counts all carts, alive or not, no further than limit; carts made in the same microsecond may
 * count as one. */
int cart_store_count_all(struct db_conn *conn, int64_t limit, int64_t *ret_count);

/* Carts of users whose ids are not in normal form. */
struct old_user_ids;
extern const struct old_user_ids cart_old_user_ids;

#endif
