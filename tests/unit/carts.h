/* Helpers for the tests of carts in the store: a new cart database, and carts with lines in it. */
#ifndef TESTS_UNIT_CARTS_H
#define TESTS_UNIT_CARTS_H

#include "store.h"

#include "base/clock.h"
#include "cart/cart_store.h"
#include "cart/checkout_store.h"
#include "cart/migrations.h"
#include "responder/ownership.h"

#define LIFETIME (30 * CLOCK_DAY)

static struct db *db;

static void carts_open(void)
{
	store_prepare();
	struct db_options options = store_options();
	options.migrations = cart_migrations;
	options.migration_count = CART_MIGRATION_COUNT;
	db = store_open_with(&options);
}

static void carts_close(void)
{
	db_close(db);
	store_remove();
}

/* The id of product number n. */
static const char *carts_product(int n)
{
	static char ids[8][UUID_TEXT_SIZE];
	char *id = ids[n % 8];

	snprintf(id, UUID_TEXT_SIZE, "00000000-0000-7000-8000-%012d", n);
	return id;
}

struct carts_line {
	const char *cart_id;
	int product;
	int64_t quantity; /* 0: remove */
};

/* Sets a line as a client's edit does: with a new version. */
static int carts_write_line(struct db_conn *conn, void *argument)
{
	const struct carts_line *line = argument;
	struct cart_product product = {.name = "Mug", .price = 1250, .inventory = 100000};
	struct cart cart CLEANUP(cart_release) = {0};
	struct cart_refusal refusal;

	snprintf(product.id, sizeof(product.id), "%s", carts_product(line->product));
	int r = cart_store_load(conn, line->cart_id, EVERYBODYS, clock_now(), CART_CHANGE, &cart);
	if (r)
		return r;
	if (line->quantity) {
		r = cart_set(&cart, &product, line->quantity, 1, &refusal);
		if (!r)
			r = cart_store_put_line(conn, cart.id, cart_find_line(&cart, product.id));
	} else {
		r = cart_store_remove_line(conn, cart.id, product.id);
	}
	if (r)
		return r;
	cart_touch(&cart, clock_now(), LIFETIME);
	return cart_store_update(conn, &cart);
}

static void carts_set(const char *cart_id, int product, int64_t quantity)
{
	struct carts_line line = {cart_id, product, quantity};

	ck_assert_int_eq(db_transaction(db, carts_write_line, &line), 0);
}

static int carts_insert(struct db_conn *conn, void *argument)
{
	return cart_store_create(conn, argument);
}

/* A cart of user "u" that is empty. */
static void carts_make(const char *id, int64_t created_at, int64_t expires_at)
{
	struct cart cart = {0};

	snprintf(cart.id, sizeof(cart.id), "%s", id);
	snprintf(cart.user_id, sizeof(cart.user_id), "u");
	cart.version = 1;
	cart.created_at = created_at;
	cart.updated_at = created_at;
	cart.expires_at = expires_at;
	ck_assert_int_eq(db_transaction(db, carts_insert, &cart), 0);
}

static int carts_read(struct db_conn *conn, void *argument)
{
	struct cart *cart = argument;
	char id[CART_ID_SIZE];

	memcpy(id, cart->id, sizeof(id));
	cart_release(cart);
	return cart_store_load(conn, id, EVERYBODYS, clock_now(), CART_READ, cart);
}

/* Loads into cart, which the caller releases; returns the result of cart_store_load(). */
static int carts_load(const char *id, struct cart *cart)
{
	*cart = (struct cart){0};
	snprintf(cart->id, sizeof(cart->id), "%s", id);
	return db_read(db, carts_read, cart);
}

static int64_t carts_quantity(const char *cart_id, int product)
{
	struct cart cart = {0};
	int64_t quantity;

	ck_assert_int_eq(carts_load(cart_id, &cart), 0);
	const struct cart_line *line = cart_find_line(&cart, carts_product(product));
	quantity = line ? line->quantity : 0;
	cart_release(&cart);
	return quantity;
}

enum carts_step { BEGIN, CONSUME, RELEASE };

struct carts_checkout {
	enum carts_step step;
	const char *cart_id;
	const char *order_id;
	const char *user_id; /* who opens; NULL: not told */
	int64_t now;         /* 0: the present */
	struct cart snapshot;
	char other_id[CART_ID_SIZE];
};

static UNUSED int carts_run_checkout(struct db_conn *conn, void *argument)
{
	struct carts_checkout *call = argument;
	int64_t now = call->now ? call->now : clock_now();

	cart_release(&call->snapshot);
	switch (call->step) {
	case BEGIN:
		return cart_checkout_open(conn, call->cart_id, call->order_id, call->user_id, now,
					  &call->snapshot, call->other_id);
	case CONSUME:
		return cart_checkout_consume(conn, call->cart_id, call->order_id, now, LIFETIME);
	default:
		return cart_checkout_release(conn, call->cart_id, call->order_id, now);
	}
}

#endif
