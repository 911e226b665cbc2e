/* cart/checkout_store.h: snapshots, consuming, releasing, tombstones, and repetitions of all of
 * them. */
#include "carts.h"

#include <pthread.h>

static struct carts_checkout call;

static void setup(void)
{
	int64_t now = clock_now();

	carts_open();
	carts_make("c", now, now + LIFETIME);
}

static void teardown(void)
{
	cart_release(&call.snapshot);
	call.user_id = NULL;
	carts_close();
}

/* One step of an order's checkout of a cart; its outcome. */
static int run_at(const char *cart_id, enum carts_step which, const char *order_id)
{
	call.step = which;
	call.cart_id = cart_id;
	call.order_id = order_id;
	return db_transaction(db, carts_run_checkout, &call);
}

static int step(enum carts_step which, const char *order_id)
{
	return run_at("c", which, order_id);
}

static void check_snapshot(int64_t revision, int product, int64_t quantity)
{
	ck_assert_str_eq(call.snapshot.id, "c");
	ck_assert_str_eq(call.snapshot.user_id, "u");
	ck_assert_int_eq(call.snapshot.version, revision);
	ck_assert_uint_eq(call.snapshot.line_count, 1);
	ck_assert_str_eq(call.snapshot.lines[0].product_id, carts_product(product));
	ck_assert_int_eq(call.snapshot.lines[0].quantity, quantity);
	ck_assert_int_eq(call.snapshot.lines[0].unit_price, 1250);
	ck_assert_str_eq(call.snapshot.lines[0].name, "Mug");
}

START_TEST(the_snapshot_stays_the_same)
{
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	check_snapshot(2, 1, 2);
	carts_set("c", 1, 7);
	carts_set("c", 2, 1);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	check_snapshot(2, 1, 2);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	check_snapshot(2, 1, 2);
}
END_TEST

START_TEST(an_open_that_fails_says_why)
{
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_EMPTY);
	ck_assert_str_eq(call.other_id, "");
	carts_set("c", 1, 1);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_OTHER_OPEN);
	ck_assert_str_eq(call.other_id, "o1");
	ck_assert_int_eq(step(RELEASE, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_FINE);
}
END_TEST

START_TEST(a_consumed_checkout_makes_room_for_the_next)
{
	carts_set("c", 1, 1);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	carts_set("c", 1, 1);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_FINE);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkouts WHERE state = 'open'"),
			 1);
}
END_TEST

static int insert_open(struct db_conn *conn, void *argument)
{
	int64_t r = db_run(conn,
			   "INSERT INTO checkouts (cart_id, order_id, state, created_at)"
			   " VALUES ('c', $1, 'open', 1)",
			   DB_VALUES(db_text(argument)));

	return r < 0 ? (int)r : 0;
}

START_TEST(the_schema_itself_allows_one_open_checkout)
{
	ck_assert_int_eq(db_transaction(db, insert_open, "o1"), 0);
	ck_assert_int_eq(db_transaction(db, insert_open, "o2"), -EEXIST);
}
END_TEST

START_TEST(consuming_takes_what_the_snapshot_held_once)
{
	struct cart cart;

	carts_set("c", 1, 2); /* stays as it is */
	carts_set("c", 2, 2); /* is increased */
	carts_set("c", 3, 5); /* is decreased */
	carts_set("c", 4, 1); /* is removed */
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_uint_eq(call.snapshot.line_count, 4);
	carts_set("c", 2, 6);
	carts_set("c", 3, 4);
	carts_set("c", 4, 0);
	carts_set("c", 5, 3); /* is added */

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
		ck_assert_int_eq(carts_load("c", &cart), 0);
		ck_assert_uint_eq(cart.line_count, 2);
		ck_assert_str_eq(cart.lines[0].product_id, carts_product(2));
		ck_assert_int_eq(cart.lines[0].quantity, 4);
		ck_assert_str_eq(cart.lines[1].product_id, carts_product(5));
		ck_assert_int_eq(cart.lines[1].quantity, 3);
		ck_assert_str_eq(cart.last_order_id, "o1");
		ck_assert_int_eq(cart.version, 10);
		cart_release(&cart);
	}
}
END_TEST

START_TEST(an_order_that_empties_the_cart_is_told)
{
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_EMPTY);
	ck_assert_str_eq(call.other_id, "o1");

	/* Emptied by its user since: the order no longer explains why it is empty. */
	carts_set("c", 1, 1);
	carts_set("c", 1, 0);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_EMPTY);
	ck_assert_str_eq(call.other_id, "");
}
END_TEST

START_TEST(released_is_released)
{
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(RELEASE, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(RELEASE, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_RELEASED);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_RELEASED);
	ck_assert_int_eq(carts_quantity("c", 1), 2);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkout_lines"), 0);
}
END_TEST

START_TEST(a_tombstone_stops_a_late_open)
{
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(RELEASE, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_RELEASED);
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_FINE);
}
END_TEST

START_TEST(a_cart_that_never_was_leaves_no_trace)
{
	ck_assert_int_eq(run_at("unknown", BEGIN, "o1"), CHECKOUT_NO_CART);
	ck_assert_int_eq(run_at("unknown", RELEASE, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(run_at("unknown", BEGIN, "o1"), CHECKOUT_NO_CART);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkouts"), 0);
}
END_TEST

static int give_to(struct db_conn *conn, void *user_id)
{
	return (int)db_run(conn, "UPDATE carts SET user_id = $1", DB_VALUES(db_text(user_id))) - 1;
}

START_TEST(a_strangers_cart_stays_a_strangers)
{
	static char *const strangers[] = {"eve", "zoë", "" /* a guest */, "v " /* soon "v" */};

	carts_set("c", 1, 2);
	call.user_id = "u";
	ck_assert_int_eq(db_transaction(db, give_to, strangers[_i]), 0);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_NO_CART);
}
END_TEST

START_TEST(a_stranger_opens_nothing)
{
	carts_set("c", 1, 2);
	call.user_id = "stranger";
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_NO_CART);
	ck_assert_str_eq(call.snapshot.user_id, "");
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkouts"), 0);
	call.user_id = "u";
	ck_assert_int_eq(step(BEGIN, "o2"), CHECKOUT_FINE);
	call.user_id = "stranger";
	ck_assert_int_eq(step(BEGIN, "o3"), CHECKOUT_NO_CART);
	ck_assert_str_eq(call.other_id, "");

	/* A late release, perhaps of another version's cart: the stranger's release is
	 * remembered. */
	ck_assert_int_eq(step(RELEASE, "o3"), CHECKOUT_FINE);
	call.user_id = NULL;
	ck_assert_int_eq(step(BEGIN, "o3"), CHECKOUT_RELEASED);
}
END_TEST

/* Its user_id is older than the normal form. */
START_TEST(a_strangers_cart_may_become_the_users)
{
	carts_set("c", 1, 2);
	call.user_id = "u";
	ck_assert_int_eq(db_transaction(db, give_to, " u"), 0);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_HIDDEN);
	ck_assert_int_eq(db_transaction(db, give_to, "u"), 0);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
}
END_TEST

START_TEST(consumed_is_consumed)
{
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_UNKNOWN);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(RELEASE, "o1"), CHECKOUT_CONSUMED);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
}
END_TEST

START_TEST(an_expired_cart_can_still_be_consumed)
{
	struct cart cart;
	int64_t late = clock_now() + 2 * LIFETIME;

	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	call.now = late;
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(carts_load("c", &cart), 0);
	ck_assert_uint_eq(cart.line_count, 0);
	ck_assert_int_eq(cart.expires_at, late + LIFETIME);
	cart_release(&cart);
	call.now = 0;
}
END_TEST

START_TEST(an_expired_cart_cannot_be_opened)
{
	carts_set("c", 1, 2);
	call.now = clock_now() + 2 * LIFETIME;
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_HIDDEN);
	call.user_id = "stranger";
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_NO_CART);
	call.now = 0;
}
END_TEST

struct purge {
	int64_t now;
	int64_t deleted;
};

static int purge(struct db_conn *conn, void *argument)
{
	struct purge *batch = argument;

	batch->deleted = cart_checkout_purge(conn, batch->now);
	return batch->deleted < 0 ? (int)batch->deleted : 0;
}

START_TEST(only_what_finished_long_ago_is_forgotten)
{
	int64_t now = clock_now();
	struct purge batch = {.now = now + RELEASED_MEMORY - 20};

	carts_set("c", 1, 2);
	call.now = now - 50;
	ck_assert_int_eq(step(BEGIN, "consumed"), CHECKOUT_FINE);
	ck_assert_int_eq(step(CONSUME, "consumed"), CHECKOUT_FINE);
	ck_assert_int_eq(step(RELEASE, "tombstone"), CHECKOUT_FINE);
	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "open"), CHECKOUT_FINE);
	call.now = now;
	ck_assert_int_eq(step(RELEASE, "recent"), CHECKOUT_FINE);
	call.now = 0;

	ck_assert_int_eq(db_transaction(db, purge, &batch), 0);
	ck_assert_int_eq(batch.deleted, 1);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkouts"), 3);
	ck_assert_int_eq(step(BEGIN, "recent"), CHECKOUT_RELEASED);

	batch.now = now + CHECKOUT_MEMORY - 20;
	ck_assert_int_eq(db_transaction(db, purge, &batch), 0);
	ck_assert_int_eq(batch.deleted, 2);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkouts"), 1);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkout_lines"), 1);
	ck_assert_int_eq(step(BEGIN, "open"), CHECKOUT_FINE);
}
END_TEST

struct counts {
	int64_t since, open, consumed;
};

static int count(struct db_conn *conn, void *argument)
{
	struct counts *counts = argument;

	return cart_checkout_count(conn, counts->since, &counts->open, &counts->consumed);
}

START_TEST(figures_count_open_and_recently_consumed)
{
	struct counts counts = {.since = clock_now() - 1};

	carts_set("c", 1, 2);
	ck_assert_int_eq(step(BEGIN, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(db_read(db, count, &counts), 0);
	ck_assert_int_eq(counts.open, 1);
	ck_assert_int_eq(counts.consumed, 0);
	ck_assert_int_eq(step(CONSUME, "o1"), CHECKOUT_FINE);
	ck_assert_int_eq(step(RELEASE, "o2"), CHECKOUT_FINE);
	ck_assert_int_eq(db_read(db, count, &counts), 0);
	ck_assert_int_eq(counts.open, 0);
	ck_assert_int_eq(counts.consumed, 1);
	counts.since = clock_now() + CLOCK_DAY;
	ck_assert_int_eq(db_read(db, count, &counts), 0);
	ck_assert_int_eq(counts.consumed, 0);
}
END_TEST

struct buyer {
	pthread_t thread;
	struct carts_checkout call;
	char order_id[CART_ID_SIZE];
	int result;
};

static void *open_one(void *argument)
{
	struct buyer *buyer = argument;

	buyer->result = db_transaction(db, carts_run_checkout, &buyer->call);
	return NULL;
}

/* Eight first calls at once, of this many orders; returns how many began. The others were
 * refused. */
static int open_at_once(int orders)
{
	struct buyer *buyers = calloc(8, sizeof(*buyers));
	int opened = 0;
	int refused = 0;

	ck_assert_ptr_nonnull(buyers);
	carts_set("c", 1, 2);
	for (int i = 0; i < 8; i++) {
		struct buyer *buyer = &buyers[i];

		snprintf(buyer->order_id, sizeof(buyer->order_id), "o%d", i % orders);
		buyer->call.step = BEGIN;
		buyer->call.cart_id = "c";
		buyer->call.order_id = buyer->order_id;
		ck_assert_int_eq(pthread_create(&buyer->thread, NULL, open_one, buyer), 0);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(buyers[i].thread, NULL);
		opened += buyers[i].result == CHECKOUT_FINE;
		refused += buyers[i].result == CHECKOUT_OTHER_OPEN;
		if (buyers[i].result == CHECKOUT_FINE)
			ck_assert_int_eq(buyers[i].call.snapshot.lines[0].quantity, 2);
		cart_release(&buyers[i].call.snapshot);
	}
	free(buyers);
	ck_assert_int_eq(opened + refused, 8);
	return opened;
}

START_TEST(of_many_orders_at_once_one_opens)
{
	ck_assert_int_eq(open_at_once(8), 1);
}
END_TEST

START_TEST(an_order_opens_once_however_often_at_once)
{
	ck_assert_int_eq(open_at_once(1), 8);
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM checkout_lines"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cart_checkout");
	TCase *tcase = tcase_create("cart_checkout");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_snapshot_stays_the_same);
	tcase_add_test(tcase, an_open_that_fails_says_why);
	tcase_add_test(tcase, a_consumed_checkout_makes_room_for_the_next);
	tcase_add_test(tcase, the_schema_itself_allows_one_open_checkout);
	tcase_add_test(tcase, consuming_takes_what_the_snapshot_held_once);
	tcase_add_test(tcase, an_order_that_empties_the_cart_is_told);
	tcase_add_test(tcase, released_is_released);
	tcase_add_test(tcase, a_tombstone_stops_a_late_open);
	tcase_add_test(tcase, a_cart_that_never_was_leaves_no_trace);
	tcase_add_loop_test(tcase, a_strangers_cart_stays_a_strangers, 0, 4);
	tcase_add_test(tcase, a_stranger_opens_nothing);
	tcase_add_test(tcase, a_strangers_cart_may_become_the_users);
	tcase_add_test(tcase, consumed_is_consumed);
	tcase_add_test(tcase, an_expired_cart_can_still_be_consumed);
	tcase_add_test(tcase, an_expired_cart_cannot_be_opened);
	tcase_add_test(tcase, only_what_finished_long_ago_is_forgotten);
	tcase_add_test(tcase, figures_count_open_and_recently_consumed);
	tcase_add_test(tcase, of_many_orders_at_once_one_opens);
	tcase_add_test(tcase, an_order_opens_once_however_often_at_once);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
