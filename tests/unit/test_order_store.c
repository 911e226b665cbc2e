/* order/order_store.h and the sweeper's transaction, on a database. */
#include "orders.h"

#include "base/clock.h"
#include "order/sweeper.h"
#include "unit.h"

static int sweep_function(struct db_conn *conn, struct step *step)
{
	return order_sweep_leases(conn, step->at);
}

static int sweep(int64_t now)
{
	struct step step = {.function = sweep_function, .at = now};

	return step_run(&step);
}

static int purge_function(struct db_conn *conn, struct step *step)
{
	return (int)order_store_purge_rejected(conn, step->at, 10);
}

static int purge(int64_t before)
{
	struct step step = {.function = purge_function, .at = before};

	return step_run(&step);
}

/* ---- the saga ------------------------------------------------------------------------------- */

START_TEST(an_order_being_placed_is_hidden)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders"), 1);
}
END_TEST

START_TEST(a_placed_order_comes_back_whole)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(place_at("a", "u", NOW + 5), 1);
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_str_eq(order.id, "a");
	ck_assert_str_eq(order.user_id, "u");
	ck_assert_str_eq(order.cart_id, "cart-of-a");
	ck_assert_str_eq(order.currency.code, "USD");
	ck_assert_ptr_null(order.tracking_number);
	ck_assert_int_eq(order.status, ORDER_PENDING);
	ck_assert_int_eq(order.version, 1);
	ck_assert_int_eq(order.total_amount, 2599);
	ck_assert_int_eq(order.created_at, NOW + 5);
	ck_assert_uint_eq(order.line_count, 2);
	ck_assert_str_eq(order.lines[0].product_id, "p2");
	ck_assert_str_eq(order.lines[0].name, "Mug");
	ck_assert_int_eq(order.lines[0].price, 1250);
	ck_assert_int_eq(order.lines[0].quantity, 2);
	ck_assert_int_eq(order.lines[0].line_total, 2500);
	ck_assert_str_eq(order.lines[1].product_id, "p1");
	ck_assert_uint_eq(order.event_count, 1);
	ck_assert_int_eq(order.history[0].status, ORDER_PENDING);
	ck_assert_int_eq(order.history[0].at, NOW + 5);
	order_release(&order);
}
END_TEST

START_TEST(a_rejected_order_is_never_placed)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(reject("a", NOW), 1);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_lines"), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_history"), 0);
}
END_TEST

START_TEST(a_placed_order_is_never_rejected)
{
	struct order order;

	begin_leased("a", "u", NOW);
	ck_assert_int_eq(place("a"), 1);
	ck_assert_int_eq(reject("a", NOW), 0);
	ck_assert_int_eq(sweep(NOW + 1), 0);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_uint_eq(order.line_count, 2);
	order_release(&order);
}
END_TEST

START_TEST(an_order_is_not_placed_after_its_lease)
{
	struct order order;

	begin_leased("a", "u", NOW - 1);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_lines"), 0);
	ck_assert_int_eq(sweep(NOW), 1);
}
END_TEST

START_TEST(unknown_orders_cannot_be_placed_or_rejected)
{
	ck_assert_int_eq(place("nobody"), 0);
	ck_assert_int_eq(reject("nobody", NOW), 0);
}
END_TEST

/* ---- the sweeper ---------------------------------------------------------------------------- */

START_TEST(only_leases_that_ran_out_are_swept)
{
	begin_leased("late", "u", NOW - 1);
	begin_leased("due", "u", NOW);
	begin_leased("busy", "u", NOW + 1);
	ck_assert_int_eq(sweep(NOW), 1);
	ck_assert_int_eq(sweep(NOW), 0);
	ck_assert_int_eq(place("late"), 0);
	ck_assert_int_eq(place("due"), 1);
	ck_assert_int_eq(place("busy"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"
					  " WHERE order_id = 'late' AND cart_id = 'cart-of-late'"
					  " AND kind IN ('release_cart', 'release_stock')"),
			 2);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 2);
}
END_TEST

START_TEST(a_lease_is_over_when_the_clock_was_set_back)
{
	begin_leased("ahead", "u", NOW + 3600 * CLOCK_SECOND);
	begin_leased("busy", "u", NOW + 6 * CLOCK_SECOND);
	ck_assert_int_eq(sweep(NOW), 1);
	ck_assert_int_eq(place("ahead"), 0);
	ck_assert_int_eq(place("busy"), 1);
}
END_TEST

static int insert_key(struct db_conn *conn, struct step *step)
{
	return (int)db_run(conn,
			   "INSERT INTO idempotency_keys VALUES"
			   " ('createOrder', $1, 'f', $2, $3, '', '', '', 1, NULL)",
			   DB_VALUES(db_text(step->text), db_text(step->text), db_int(step->at)));
}

static void add_key(const char *order_id, int status)
{
	struct step step = {.function = insert_key, .text = order_id, .at = status};

	ck_assert_int_eq(step_run(&step), 1);
}

START_TEST(sweeping_forgets_the_key_of_the_abandoned_request)
{
	begin_leased("late", "u", NOW - 1);
	begin_leased("busy", "u", NOW + 1);
	add_key("late", 0);
	add_key("busy", 0);
	ck_assert_int_eq(sweep(NOW), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM idempotency_keys"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM idempotency_keys"
					  " WHERE key = 'busy'"),
			 1);
}
END_TEST

static int64_t time_of_sweeping(char prefix)
{
	char id[UUID_TEXT_SIZE];

	for (int i = 0; i < 32; i++) {
		snprintf(id, sizeof(id), "%c%d", prefix, i);
		begin_leased(id, "u", NOW - 1);
		add_key(id, 0);
	}

	int64_t start = clock_monotonic();

	ck_assert_int_eq(sweep(NOW), 32);
	return clock_monotonic() - start;
}

/* Of several: whatever else the machine does makes the others long. */
static int64_t shortest_time_of_sweeping(const char *prefixes)
{
	int64_t shortest = INT64_MAX;

	for (; *prefixes; prefixes++) {
		int64_t taken = time_of_sweeping(*prefixes);

		shortest = taken < shortest ? taken : shortest;
	}
	return shortest;
}

/* Many orders end without an answer when a sibling is away, and a day has many answers. */
START_TEST(forgetting_keys_does_not_look_through_the_answered_ones)
{
	int64_t few = shortest_time_of_sweeping("abcde");

	ck_assert_int_eq(
		db_transaction(db, store_run,
			       "INSERT INTO idempotency_keys"
			       " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
			       "  SELECT i + 1 FROM n WHERE i < 30000)"
			       " SELECT 'createOrder', 'k' || i, 'f', 'o' || i, 201, '', '',"
			       " '', 1, NULL FROM n"),
		0);
	ck_assert_int_lt(shortest_time_of_sweeping("fghij"), 10 * few + CLOCK_SECOND / 10);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM idempotency_keys"), 30000);
}
END_TEST

START_TEST(a_long_queue_is_swept_in_batches)
{
	char id[UUID_TEXT_SIZE];
	int swept = 0;
	int batch;

	for (int i = 0; i < 70; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		begin_leased(id, "u", NOW - 1 - i);
	}
	while ((batch = sweep(NOW)) > 0) {
		ck_assert_int_le(batch, 32);
		swept += batch;
	}
	ck_assert_int_eq(swept, 70);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 140);
}
END_TEST

START_TEST(rejected_orders_go_once_nothing_waits_for_them)
{
	begin_leased("old", "u", NOW + 10);
	begin_leased("waiting", "u", NOW + 10);
	begin_leased("new", "u", NOW + 10);
	begin_leased("placed", "u", NOW + 10);
	ck_assert_int_eq(reject("old", NOW), 1);
	ck_assert_int_eq(reject("waiting", NOW), 1);
	ck_assert_int_eq(reject("new", NOW + 50), 1);
	ck_assert_int_eq(place("placed"), 1);
	add_effect("waiting", ORDER_RELEASE_CART, NOW);
	ck_assert_int_eq(purge(NOW + 50), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders WHERE id = 'old'"), 0);
	ck_assert_int_eq(db_transaction(db, store_run, "DELETE FROM order_effects"), 0);
	ck_assert_int_eq(purge(NOW + 50), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders"), 2);
}
END_TEST

/* ---- status --------------------------------------------------------------------------------- */

START_TEST(a_change_is_kept_with_its_reason)
{
	struct order order;
	struct order stored;

	begin_leased("a", "u", NOW + 10);
	place("a");
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_int_eq(set_status(&order, ORDER_SHIPPED, "1Z", NOW + 1), 1);
	ck_assert_int_eq(set_status(&order, ORDER_DELIVERED, NULL, NOW + 2), 1);
	ck_assert_int_eq(find("a", &stored), 0);
	ck_assert_int_eq(stored.status, ORDER_DELIVERED);
	ck_assert_str_eq(stored.tracking_number, "1Z");
	ck_assert_int_eq(stored.version, 3);
	ck_assert_int_eq(stored.updated_at, NOW + 2);
	ck_assert_uint_eq(stored.event_count, 3);
	ck_assert_int_eq(stored.history[1].status, ORDER_SHIPPED);
	ck_assert_str_eq(stored.history[1].reason, "why");
	ck_assert_str_eq(stored.history[1].actor, "clerk");
	ck_assert_ptr_null(stored.history[0].actor);
	ck_assert_int_eq(stored.history[2].at, NOW + 2);
	ck_assert_int_eq(order.version, stored.version);
	order_release(&order);
	order_release(&stored);
}
END_TEST

START_TEST(of_two_changes_of_one_version_one_is_kept)
{
	struct order first;
	struct order second;

	begin_leased("a", "u", NOW + 10);
	place("a");
	ck_assert_int_eq(find("a", &first), 0);
	ck_assert_int_eq(find("a", &second), 0);
	ck_assert_int_eq(set_status(&first, ORDER_CANCELLED, NULL, NOW + 1), 1);
	ck_assert_int_eq(set_status(&second, ORDER_SHIPPED, "1Z", NOW + 1), 0);
	ck_assert_int_eq(second.status, ORDER_PENDING);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_history"), 2);
	order_release(&first);
	order_release(&second);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("order_store");

	tcase_add_checked_fixture(tcase, orders_open, orders_close);
	tcase_add_test(tcase, an_order_being_placed_is_hidden);
	tcase_add_test(tcase, a_placed_order_comes_back_whole);
	tcase_add_test(tcase, a_rejected_order_is_never_placed);
	tcase_add_test(tcase, a_placed_order_is_never_rejected);
	tcase_add_test(tcase, an_order_is_not_placed_after_its_lease);
	tcase_add_test(tcase, unknown_orders_cannot_be_placed_or_rejected);
	tcase_add_test(tcase, only_leases_that_ran_out_are_swept);
	tcase_add_test(tcase, a_lease_is_over_when_the_clock_was_set_back);
	tcase_add_test(tcase, sweeping_forgets_the_key_of_the_abandoned_request);
	tcase_add_test(tcase, forgetting_keys_does_not_look_through_the_answered_ones);
	tcase_add_test(tcase, a_long_queue_is_swept_in_batches);
	tcase_add_test(tcase, rejected_orders_go_once_nothing_waits_for_them);
	tcase_add_test(tcase, a_change_is_kept_with_its_reason);
	tcase_add_test(tcase, of_two_changes_of_one_version_one_is_kept);
	return unit_run(tcase, "order_store");
}
