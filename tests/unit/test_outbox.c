/* order/outbox_store.h, on a database. */
#include "orders.h"

#include <pthread.h>

#include "unit.h"

struct relay {
	enum order_effect_target target;
	int64_t now;
	int64_t lease_until;
	size_t batch;
	struct order_effect effects[128];
	size_t total;
	int count;
};

static int claim_function(struct db_conn *conn, void *argument)
{
	struct relay *relay = argument;

	relay->count = order_outbox_claim(conn, relay->target, relay->now, relay->lease_until,
					  relay->effects + relay->total, relay->batch);
	return relay->count < 0 ? relay->count : 0;
}

static int claim(struct relay *relay)
{
	ck_assert_int_eq(db_transaction(db, claim_function, relay), 0);
	relay->total += (size_t)relay->count;
	return relay->count;
}

static int done_function(struct db_conn *conn, void *effect)
{
	return order_outbox_done(conn, effect);
}

static int retry_function(struct db_conn *conn, void *effect)
{
	return order_outbox_retry(conn, effect, NOW + 500);
}

static void *claim_all(void *relay)
{
	while (claim(relay) > 0)
		;
	return NULL;
}

START_TEST(two_relays_share_the_effects)
{
	struct relay relays[2];
	pthread_t threads[2];
	bool seen[60] = {0};
	char id[UUID_TEXT_SIZE];

	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "%d", i);
		add_effect(id, ORDER_CONSUME_CART, NOW);
	}
	for (int i = 0; i < 2; i++) {
		relays[i] = (struct relay){.target = ORDER_TARGET_CART,
					   .now = NOW,
					   .lease_until = NOW + 100,
					   .batch = 7};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, claim_all, &relays[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(relays[0].total + relays[1].total, 60);
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < relays[i].total; k++) {
			long number = strtol(relays[i].effects[k].order_id, NULL, 10);

			ck_assert(!seen[number]);
			seen[number] = true;
		}
	}
}
END_TEST

START_TEST(a_lease_holds_until_it_runs_out)
{
	struct relay first = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay second = first;
	struct relay third = first;

	add_effect("a", ORDER_CONSUME_CART, NOW);
	ck_assert_int_eq(claim(&first), 1);
	ck_assert_int_eq(first.effects[0].kind, ORDER_CONSUME_CART);
	ck_assert_str_eq(first.effects[0].order_id, "a");
	ck_assert_str_eq(first.effects[0].cart_id, "cart-of-a");
	ck_assert_uint_eq(first.effects[0].attempts, 0);
	second.now = NOW + 99;
	ck_assert_int_eq(claim(&second), 0);
	third.now = NOW + 100;
	third.lease_until = NOW + 200;
	ck_assert_int_eq(claim(&third), 1);
}
END_TEST

START_TEST(an_effect_leased_to_its_request_is_not_due)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};

	add_effect("a", ORDER_CONSUME_CART, NOW + 1);
	ck_assert_int_eq(claim(&relay), 0);
	relay.now = NOW + 1;
	ck_assert_int_eq(claim(&relay), 1);
}
END_TEST

START_TEST(each_sibling_has_effects_of_its_own)
{
	struct relay cart = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay product = cart;

	product.target = ORDER_TARGET_PRODUCT;
	add_effect("a", ORDER_RELEASE_CART, NOW);
	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("b", ORDER_SHIP_STOCK, NOW);
	ck_assert_int_eq(claim(&cart), 1);
	ck_assert_int_eq(cart.effects[0].kind, ORDER_RELEASE_CART);
	ck_assert_int_eq(claim(&product), 2);
}
END_TEST

START_TEST(a_failed_effect_waits_and_counts)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 600, .batch = 5};

	add_effect("a", ORDER_CONSUME_CART, NOW);
	claim(&relay);
	ck_assert_int_eq(db_transaction(db, retry_function, &relay.effects[0]), 0);
	relay.total = 0;
	relay.now = NOW + 499;
	ck_assert_int_eq(claim(&relay), 0);
	relay.now = NOW + 500;
	ck_assert_int_eq(claim(&relay), 1);
	ck_assert_uint_eq(relay.effects[0].attempts, 1);
}
END_TEST

static int release_function(struct db_conn *conn, void *session)
{
	return order_outbox_recall_held(conn, *(int64_t *)session, NOW + 10);
}

START_TEST(a_dead_holders_leases_are_due)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	int64_t dead = other_session();

	add_effect("own", ORDER_CONSUME_CART, NOW + 100);
	in_other_session(add_effect("claimed", ORDER_RELEASE_CART, NOW));
	in_other_session(add_effect("added", ORDER_RELEASE_CART, NOW + 100));
	in_other_session(ck_assert_int_eq(claim(&relay), 1));
	ck_assert_str_eq(relay.effects[0].order_id, "claimed");
	add_effect("failed", ORDER_RELEASE_CART, NOW);
	relay.total = 0;
	in_other_session(ck_assert_int_eq(claim(&relay), 1));
	ck_assert_int_eq(db_transaction(db, retry_function, &relay.effects[0]), 0);

	ck_assert_int_eq(db_transaction(db, release_function, &dead), 0);
	relay.total = 0;
	relay.now = NOW + 10;
	ck_assert_int_eq(claim(&relay), 2);
	ck_assert_int_eq(store_number(db,
				      "SELECT count(*) FROM order_effects WHERE order_id = 'own'"
				      " AND next_attempt_at = 1769853960000100"),
			 1);
	ck_assert_int_eq(store_number(db, "SELECT next_attempt_at FROM order_effects"
					  " WHERE order_id = 'failed'"),
			 NOW + 500);
}
END_TEST

START_TEST(a_holder_that_lost_its_lease_changes_nothing)
{
	struct relay slow = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay next = slow;

	add_effect("a", ORDER_CONSUME_CART, NOW);
	claim(&slow);
	next.now = NOW + 100;
	next.lease_until = NOW + 200;
	claim(&next);
	ck_assert_int_eq(db_transaction(db, retry_function, &slow.effects[0]), 0);
	ck_assert_int_eq(store_number(db, "SELECT attempts FROM order_effects"), 0);
	ck_assert_int_eq(store_number(db, "SELECT next_attempt_at FROM order_effects"), NOW + 200);
	/* that it is done is true whoever says it */
	ck_assert_int_eq(db_transaction(db, done_function, &slow.effects[0]), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 0);
}
END_TEST

START_TEST(an_effect_is_queued_once)
{
	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("a", ORDER_RELEASE_STOCK, NOW + 7);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 1);
	ck_assert_int_eq(store_number(db, "SELECT next_attempt_at FROM order_effects"), NOW);
}
END_TEST

struct of {
	const char *order_id;
	struct order_effects effects;
};

static int of_function(struct db_conn *conn, void *argument)
{
	struct of *of = argument;

	return order_outbox_of(conn, of->order_id, &of->effects);
}

START_TEST(what_waits_of_an_order_is_told_whoever_has_it)
{
	struct of of = {.order_id = "a"};

	add_effect("a", ORDER_RELEASE_STOCK, NOW + 100);
	add_effect("b", ORDER_SHIP_STOCK, NOW);
	ck_assert_int_eq(db_read(db, of_function, &of), 0);
	ck_assert_uint_eq(of.effects.count, 1);
	ck_assert_str_eq(of.effects.list[0].order_id, "a");
	ck_assert_str_eq(of.effects.list[0].cart_id, "cart-of-a");
	ck_assert_int_eq(of.effects.list[0].kind, ORDER_RELEASE_STOCK);
	ck_assert_int_eq(of.effects.list[0].leased_until, NOW + 100);
	add_effect("a", ORDER_RELEASE_CART, NOW);
	ck_assert_int_eq(db_read(db, of_function, &of), 0);
	ck_assert_uint_eq(of.effects.count, 2);
	of.order_id = "c";
	ck_assert_int_eq(db_read(db, of_function, &of), 0);
	ck_assert_uint_eq(of.effects.count, 0);
}
END_TEST

static int measure_function(struct db_conn *conn, void *figures)
{
	return order_outbox_measure(conn, figures);
}

START_TEST(the_outbox_is_measured)
{
	struct order_outbox_figures figures[ORDER_TARGET_COUNT];

	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("b", ORDER_SHIP_STOCK, NOW);
	ck_assert_int_eq(db_read(db, measure_function, figures), 0);
	ck_assert_int_eq(figures[ORDER_TARGET_CART].depth, 0);
	ck_assert_int_eq(figures[ORDER_TARGET_PRODUCT].depth, 2);
	ck_assert_int_eq(figures[ORDER_TARGET_PRODUCT].oldest_at, NOW);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("outbox");

	tcase_add_checked_fixture(tcase, orders_open, orders_close);
	tcase_add_test(tcase, two_relays_share_the_effects);
	tcase_add_test(tcase, a_lease_holds_until_it_runs_out);
	tcase_add_test(tcase, an_effect_leased_to_its_request_is_not_due);
	tcase_add_test(tcase, each_sibling_has_effects_of_its_own);
	tcase_add_test(tcase, a_failed_effect_waits_and_counts);
	tcase_add_test(tcase, a_dead_holders_leases_are_due);
	tcase_add_test(tcase, a_holder_that_lost_its_lease_changes_nothing);
	tcase_add_test(tcase, an_effect_is_queued_once);
	tcase_add_test(tcase, what_waits_of_an_order_is_told_whoever_has_it);
	tcase_add_test(tcase, the_outbox_is_measured);
	return unit_run(tcase, "outbox");
}
