/* cart/cart_store.h: what is stored is read back; expiry; listing; concurrent additions. */
#include "carts.h"

#include <pthread.h>

static int64_t present;

static void setup(void)
{
	carts_open();
	present = clock_now();
}

START_TEST(lines_come_back_in_the_order_they_came)
{
	struct cart cart;

	carts_make("c", present, present + LIFETIME);
	carts_set("c", 3, 1);
	carts_set("c", 1, 2);
	carts_set("c", 2, 3);
	carts_set("c", 3, 9);
	ck_assert_int_eq(carts_load("c", &cart), 0);
	ck_assert_str_eq(cart.user_id, "u");
	ck_assert_int_eq(cart.version, 5);
	ck_assert_int_eq(cart.created_at, present);
	ck_assert_int_ge(cart.expires_at, present + LIFETIME);
	ck_assert_str_eq(cart.last_order_id, "");
	ck_assert_uint_eq(cart.line_count, 3);
	ck_assert_str_eq(cart.lines[0].product_id, carts_product(3));
	ck_assert_str_eq(cart.lines[1].product_id, carts_product(1));
	ck_assert_str_eq(cart.lines[2].product_id, carts_product(2));
	ck_assert_int_eq(cart.lines[0].quantity, 9);
	ck_assert_int_eq(cart.lines[0].unit_price, 1250);
	ck_assert_str_eq(cart.lines[0].name, "Mug");
	cart_release(&cart);

	carts_set("c", 1, 0);
	ck_assert_int_eq(carts_quantity("c", 1), 0);
	ck_assert_int_eq(carts_quantity("c", 2), 3);
}
END_TEST

START_TEST(changes_write_no_index_of_the_carts)
{
	struct carts_line line = {"c", 1, 2};

	if (!store_is_postgres())
		return;
	carts_make("c", present, present + LIFETIME);
	store_update_heap_only(db, "carts", carts_write_line, &line);
}
END_TEST

START_TEST(unknown_and_malformed_ids_are_not_found)
{
	struct cart cart;

	ck_assert_int_eq(carts_load("c", &cart), -ENOENT);
	ck_assert_int_eq(carts_load("", &cart), -ENOENT);
	ck_assert_int_eq(carts_load("' OR 1=1 --", &cart), -ENOENT);
}
END_TEST

START_TEST(an_expired_cart_is_gone_at_once)
{
	struct cart cart;

	carts_make("old", present - LIFETIME, present - 1);
	ck_assert_int_eq(carts_load("old", &cart), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM carts"), 1);
}
END_TEST

struct expiry {
	int64_t now;
	int64_t deleted;
};

static int expire(struct db_conn *conn, void *argument)
{
	struct expiry *expiry = argument;

	expiry->deleted = cart_store_expire(conn, expiry->now);
	return expiry->deleted < 0 ? (int)expiry->deleted : 0;
}

static int64_t expire_at(int64_t now)
{
	struct expiry expiry = {.now = now};

	ck_assert_int_eq(db_transaction(db, expire, &expiry), 0);
	return expiry.deleted;
}

START_TEST(expiry_deletes_carts_with_their_lines)
{
	carts_make("a", present, present + 10);
	carts_make("b", present, present + LIFETIME);
	carts_set("b", 1, 1);
	carts_make("c", present, present + 20);
	ck_assert_int_eq(expire_at(present + 15), 1);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM carts"), 2);
	ck_assert_int_eq(expire_at(present + 15), 0);
	ck_assert_int_eq(expire_at(present + 3 * LIFETIME), 2);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM cart_lines"), 0);
}
END_TEST

static int drop_unused(struct db_conn *conn, void *argument)
{
	int64_t *range = argument;

	return (int)cart_store_drop_unused(conn, range[0], range[1], &range[0]);
}

static int count_all(struct db_conn *conn, void *argument)
{
	return cart_store_count_all(conn, 2, argument);
}

START_TEST(what_was_never_changed_can_go_sooner)
{
	int64_t range[2] = {0, present + 20};
	int64_t count = 0;

	carts_make("unused", present + 10, present + LIFETIME);
	carts_make("later", present + 20, present + LIFETIME);
	carts_make("used", present + 10, present + LIFETIME);
	carts_set("used", 1, 1);
	carts_set("used", 1, 0);
	ck_assert_int_eq(db_read(db, count_all, &count), 0);
	ck_assert_int_eq(count, 2);
	ck_assert_int_eq(db_transaction(db, drop_unused, range), 1);
	ck_assert_int_eq(range[0], present + 10);
	ck_assert_int_eq(db_transaction(db, drop_unused, range), 0);
	ck_assert_int_eq(range[0], present + 20);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM carts WHERE id = 'unused'"), 0);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM carts"), 2);
}
END_TEST

START_TEST(expiry_works_in_batches)
{
	for (int i = 0; i < CART_EXPIRE_BATCH + 7; i++) {
		char id[CART_ID_SIZE];

		snprintf(id, sizeof(id), "cart-%d", i);
		carts_make(id, present, present + 10);
	}
	ck_assert_int_eq(expire_at(present + 10), CART_EXPIRE_BATCH);
	ck_assert_int_eq(expire_at(present + 10), 7);
}
END_TEST

START_TEST(a_cart_with_an_open_checkout_lives_on)
{
	struct carts_checkout call = {.step = BEGIN, .cart_id = "a", .order_id = "o"};
	struct cart cart;

	carts_make("a", present, present + LIFETIME);
	carts_set("a", 1, 1);
	ck_assert_int_eq(db_transaction(db, carts_run_checkout, &call), CHECKOUT_FINE);
	cart_release(&call.snapshot);
	ck_assert_int_eq(expire_at(present + 3 * LIFETIME), 0);
	call.step = RELEASE;
	ck_assert_int_eq(db_transaction(db, carts_run_checkout, &call), CHECKOUT_FINE);
	ck_assert_int_eq(carts_load("a", &cart), 0);
	cart_release(&cart);
	ck_assert_int_eq(expire_at(present + 3 * LIFETIME), 1);
}
END_TEST

struct seen {
	struct cart_page page;
	int64_t now;
	int wanted; /* carts after which the visitor has enough */
	int count;
	char ids[16][CART_ID_SIZE];
	size_t lines[16];
	int64_t total;
};

static int see(void *context, const struct cart *cart)
{
	struct seen *seen = context;

	if (seen->count == seen->wanted)
		return 1;
	snprintf(seen->ids[seen->count], CART_ID_SIZE, "%s", cart->id);
	seen->lines[seen->count++] = cart->line_count;
	return 0;
}

static int count_of_user(struct db_conn *conn, struct seen *seen)
{
	struct cart_page all = {.user_id = seen->page.user_id, .created_at = INT64_MAX, .id = ""};

	return cart_store_count(conn, &all, seen->now, &seen->total);
}

static int list(struct db_conn *conn, void *argument)
{
	struct seen *seen = argument;

	seen->count = 0;
	int r = cart_store_list(conn, &seen->page, seen->now, see, seen);
	return r ? r : count_of_user(conn, seen);
}

START_TEST(listing_is_newest_first_with_lines)
{
	struct seen seen = {
		.page = {.user_id = "u", .created_at = INT64_MAX, .id = "", .limit = 3},
		.now = present,
		.wanted = 16,
	};

	carts_make("a", present - 5, present + LIFETIME);
	carts_make("b", present - 4, present + LIFETIME);
	carts_make("c", present - 4, present + LIFETIME);
	carts_make("gone", present - 3, present - 1);
	carts_make("d", present - 2, present + LIFETIME);
	carts_set("c", 1, 1);
	carts_set("c", 2, 1);
	carts_set("a", 2, 1);

	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.total, 4);
	ck_assert_int_eq(seen.count, 3);
	ck_assert_str_eq(seen.ids[0], "d");
	ck_assert_str_eq(seen.ids[1], "c");
	ck_assert_str_eq(seen.ids[2], "b");
	ck_assert_uint_eq(seen.lines[0], 0);
	ck_assert_uint_eq(seen.lines[1], 2);
	ck_assert_uint_eq(seen.lines[2], 0);

	seen.page.created_at = present - 4;
	seen.page.id = "c";
	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.count, 2);
	ck_assert_str_eq(seen.ids[0], "b");
	ck_assert_str_eq(seen.ids[1], "a");
	ck_assert_uint_eq(seen.lines[1], 1);

	seen.wanted = 1;
	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.count, 1);

	seen.page.user_id = "nobody";
	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.count, 0);
	ck_assert_int_eq(seen.total, 0);
}
END_TEST

static int add_expired(struct db_conn *conn, void *argument UNUSED)
{
	int64_t r = db_run(conn,
			   "WITH RECURSIVE n (i) AS"
			   " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)"
			   " INSERT INTO carts (id, user_id, version, created_at, updated_at,"
			   " expires_at, emptied_version)"
			   " SELECT 'x' || i, 'u', 1, CAST($1 AS BIGINT) + i, $1, $1, 0 FROM n",
			   DB_VALUES(db_int(present - 9000), db_int(CART_PAGE_HORIZON + 1)));

	return r < 0 ? (int)r : 0;
}

static int look_ahead(struct db_conn *conn, void *argument)
{
	struct seen *seen = argument;

	return cart_store_horizon(conn, &seen->page, CART_PAGE_HORIZON);
}

/* A page walks over a limited number of dead carts, whatever user they belong to. */
START_TEST(dead_carts_are_walked_over_in_pages)
{
	struct seen seen = {
		.page = {.user_id = "u", .created_at = INT64_MAX, .id = "", .limit = 3},
		.now = present,
		.wanted = 16,
	};

	carts_make("old", present - 9500, present + LIFETIME);
	ck_assert_int_eq(db_read(db, look_ahead, &seen), 0);
	ck_assert_int_eq(db_transaction(db, add_expired, NULL), 0);
	carts_make("new", present - 5, present + LIFETIME);

	ck_assert_int_eq(db_read(db, look_ahead, &seen), 1);
	ck_assert_int_eq(seen.page.last_created_at, present - 9000 + 3);
	ck_assert_str_eq(seen.page.last_id, "x3");
	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_str_eq(seen.ids[0], "new");
	ck_assert_int_eq(seen.total, 2);

	seen.page = (struct cart_page){
		.user_id = "u", .created_at = seen.page.last_created_at, .id = "x3", .limit = 3};
	ck_assert_int_eq(db_read(db, look_ahead, &seen), 0);
	ck_assert_int_eq(db_read(db, list, &seen), 0);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_str_eq(seen.ids[0], "old");
}
END_TEST

/* An addition as the service makes it: the sum is checked where the line is written. */
static int add_one(struct db_conn *conn, void *argument UNUSED)
{
	struct cart_product product = {.name = "Mug", .price = 100, .inventory = 60};
	struct cart cart CLEANUP(cart_release) = {0};
	struct cart_refusal refusal;

	snprintf(product.id, sizeof(product.id), "%s", "00000000-0000-7000-8000-000000000001");
	int r = cart_store_load(conn, "c", EVERYBODYS, clock_now(), CART_CHANGE, &cart);
	if (!r)
		r = cart_add(&cart, &product, 1, 1, &refusal);
	if (r)
		return r;
	r = cart_store_put_line(conn, cart.id, cart_find_line(&cart, product.id));
	cart_touch(&cart, clock_now(), LIFETIME);
	return r ? r : cart_store_update(conn, &cart);
}

struct adder {
	pthread_t thread;
	int added;
	int refused;
};

static void *add_often(void *argument)
{
	struct adder *adder = argument;

	for (int i = 0; i < 25; i++) {
		int r = db_transaction(db, add_one, NULL);

		adder->added += r == CART_FINE;
		adder->refused += r == CART_SHORT_STOCK;
	}
	return NULL;
}

START_TEST(adds_at_once_never_exceed_the_stock)
{
	struct adder adders[4] = {0};
	struct cart cart;
	int added = 0;
	int refused = 0;

	carts_make("c", present, present + LIFETIME);
	for (size_t i = 0; i < ARRAY_SIZE(adders); i++)
		ck_assert_int_eq(pthread_create(&adders[i].thread, NULL, add_often, &adders[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(adders); i++) {
		pthread_join(adders[i].thread, NULL);
		added += adders[i].added;
		refused += adders[i].refused;
	}
	ck_assert_int_eq(added, 60);
	ck_assert_int_eq(refused, 40);
	ck_assert_int_eq(carts_load("c", &cart), 0);
	ck_assert_int_eq(cart.lines[0].quantity, 60);
	ck_assert_int_eq(cart.version, 61);
	cart_release(&cart);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cart_store");
	TCase *tcase = tcase_create("cart_store");

	tcase_add_checked_fixture(tcase, setup, carts_close);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, lines_come_back_in_the_order_they_came);
	tcase_add_test(tcase, changes_write_no_index_of_the_carts);
	tcase_add_test(tcase, unknown_and_malformed_ids_are_not_found);
	tcase_add_test(tcase, an_expired_cart_is_gone_at_once);
	tcase_add_test(tcase, expiry_deletes_carts_with_their_lines);
	tcase_add_test(tcase, expiry_works_in_batches);
	tcase_add_test(tcase, what_was_never_changed_can_go_sooner);
	tcase_add_test(tcase, a_cart_with_an_open_checkout_lives_on);
	tcase_add_test(tcase, listing_is_newest_first_with_lines);
	tcase_add_test(tcase, dead_carts_are_walked_over_in_pages);
	tcase_add_test(tcase, adds_at_once_never_exceed_the_stock);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
