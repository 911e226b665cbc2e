/* Another's cart is as unknown as none: cart/cart_store.h and cart/checkout_store.h. */
#include "carts.h"
#include "hidden.h"

#define LOCK "SELECT 1 FROM carts WHERE id = 'hers' FOR UPDATE"

static void setup(void)
{
	carts_open();
	carts_make("hers", clock_now(), clock_now() + LIFETIME);
	carts_make("theirs", clock_now(), clock_now() + LIFETIME);
	carts_set("hers", 1, 3);
	ck_assert_int_ge(db_transaction(db, store_run,
					"UPDATE carts SET user_id = 'bob' WHERE id = 'theirs'"),
			 0);
}

static void teardown(void)
{
	ck_assert_int_eq(carts_quantity("hers", 1), 3);
	carts_close();
}

static int load(struct db_conn *conn, const char *id, const struct owner *owner,
		enum cart_lock lock)
{
	struct cart cart CLEANUP(cart_release) = {0};

	return cart_store_load(conn, id, owner, clock_now(), lock, &cart);
}

static int read_it(struct db_conn *conn, const char *id, const struct owner *owner)
{
	return load(conn, id, owner, CART_READ);
}

static int change(struct db_conn *conn, const char *id, const struct owner *owner)
{
	return load(conn, id, owner, CART_CHANGE);
}

static int merge_into(struct db_conn *conn, const char *id, const struct owner *owner)
{
	int r = cart_store_lock_two(conn, id, owner, "theirs", owner);

	return r < 0 ? r : load(conn, id, owner, CART_LOCKED);
}

static int merge_from(struct db_conn *conn, const char *id, const struct owner *owner)
{
	int r = cart_store_lock_two(conn, "theirs", owner, id, owner);

	return r < 0 ? r : load(conn, id, owner, CART_LOCKED);
}

static int order(struct db_conn *conn, const char *id, const struct owner *owner)
{
	struct cart snapshot CLEANUP(cart_release) = {0};
	char other_id[CART_ID_SIZE] = "";
	int r = cart_checkout_open(conn, id, "order", owner->user_id ? owner->user_id : "",
				   clock_now(), &snapshot, other_id);

	ck_assert_str_eq(other_id, "");
	ck_assert_str_eq(snapshot.user_id, "");
	return r;
}

START_TEST(anothers_cart_is_as_none)
{
	static int (*const ways[])(struct db_conn *, const char *, const struct owner *) = {
		read_it, change, merge_into, merge_from, order};

	struct db_options options = store_options();
	options.migrations = cart_migrations;
	options.migration_count = CART_MIGRATION_COUNT;
	struct db *beside = store_open_with(&options);
	hidden_check(db, beside, ways[_i], "hers", LOCK);
	db_close(beside);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hidden_carts");
	TCase *tcase = tcase_create("hidden_carts");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, anothers_cart_is_as_none, 0, 5);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
