/* order/sweeper.h: orders and effects of dead processes are given up at once, and those of live
 * processes are left alone. */
#include "orders.h"

#include "order/sweeper.h"
#include "unit.h"

#define LEASED (NOW + 6 * CLOCK_SECOND)

static int count_orders(const char *saga)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM orders WHERE saga = '%s'", saga);
	return (int)store_number(db, sql);
}

static int find_holders(struct db_conn *conn, struct step *step)
{
	int64_t holders[4];
	int count = order_store_holders(conn, step->at, holders, ARRAY_SIZE(holders));

	for (int i = 0; i < count; i++)
		ck_assert_int_eq(holders[i], holders[0]);
	if (count > 0)
		step->order.created_at = holders[0];
	return count;
}

/* The session other than our own that holds something at that time; 0: none does. */
static int64_t holder_at(int64_t now)
{
	struct step step = {.function = find_holders, .at = now};

	return step_run(&step) ? step.order.created_at : 0;
}

static int sweep_function(struct db_conn *conn, struct step *step)
{
	return order_sweep_session(conn, step->at, NOW);
}

static int sweep_session(int64_t session)
{
	struct step step = {.function = sweep_function, .at = session};

	return step_run(&step);
}

static int decide_function(struct db_conn *conn, struct step *step)
{
	enum order_fate fate;
	int r = order_decide(conn, step->order.id, step->at, &fate);

	return r < 0 ? r : (int)fate;
}

static int decide_at(const char *id, int64_t now)
{
	struct step step = {.function = decide_function, .at = now};

	snprintf(step.order.id, sizeof(step.order.id), "%s", id);
	return step_run(&step);
}

START_TEST(what_others_hold_names_them)
{
	int64_t other = other_session();

	begin_leased("own", "u", LEASED);
	add_effect("own", ORDER_CONSUME_CART, LEASED);
	ck_assert_int_eq(holder_at(NOW), 0);
	in_other_session(add_effect("theirs", ORDER_SHIP_STOCK, NOW + 1));
	ck_assert_int_eq(holder_at(NOW), other);
	ck_assert_int_eq(holder_at(NOW + 1), 0); /* it is due by then */
	in_other_session(begin_leased("theirs", "u", NOW + 1));
	ck_assert_int_eq(holder_at(NOW + 1), other);
	ck_assert_int_eq(place("theirs"), 1);
	ck_assert_int_eq(holder_at(NOW + 1), 0);
}
END_TEST

START_TEST(leases_of_old_replicas_name_nobody)
{
	begin_leased("old", "u", LEASED);
	ck_assert_int_eq(db_transaction(db, store_run, "UPDATE orders SET holder = NULL"), 0);
	ck_assert_int_eq(holder_at(NOW), 0);
	ck_assert_int_eq(decide_at("old", NOW), ORDER_GOES_ON);
	ck_assert_int_eq(decide_at("old", LEASED + 1), ORDER_GIVEN_UP);
}
END_TEST

START_TEST(all_of_a_dead_process_is_swept)
{
	int64_t other = other_session();

	begin_leased("own", "u", LEASED);
	in_other_session(begin_leased("placed", "u", LEASED));
	in_other_session(ck_assert_int_eq(place("placed"), 1));
	in_other_session(add_effect("placed", ORDER_CONSUME_CART, LEASED));
	for (int i = 0; i < 40; i++) {
		char id[UUID_TEXT_SIZE];

		snprintf(id, sizeof(id), "o%d", i);
		in_other_session(begin_leased(id, "u", LEASED));
	}
	other_dies(other);
	ck_assert_int_eq(sweep_session(other), 32);
	ck_assert_int_eq(sweep_session(other), 8);
	ck_assert_int_eq(sweep_session(other), 0);
	ck_assert_int_eq(count_orders("rejected"), 40);
	ck_assert_int_eq(count_orders("placed"), 1);
	ck_assert_int_eq(place("own"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"
					  " WHERE next_attempt_at = 1769853960000000"),
			 2 * 40 + 1);
}
END_TEST

START_TEST(an_order_is_decided_by_who_has_it)
{
	int64_t other = other_session();

	in_other_session(begin_leased("alive", "u", LEASED));
	ck_assert_int_eq(decide_at("alive", NOW), ORDER_GOES_ON);
	other_dies(other);
	ck_assert_int_eq(decide_at("alive", NOW), ORDER_GIVEN_UP);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"
					  " WHERE cart_id = 'cart-of-alive'"),
			 2);
	ck_assert_int_eq(decide_at("alive", NOW), ORDER_DECIDED);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 2);
	ck_assert_int_eq(place("alive"), 0);

	begin_leased("own", "u", LEASED);
	ck_assert_int_eq(decide_at("own", NOW), ORDER_GOES_ON);
	ck_assert_int_eq(place("own"), 1);
	ck_assert_int_eq(decide_at("own", LEASED + 1), ORDER_DECIDED);
	begin_leased("late", "u", NOW - 1);
	ck_assert_int_eq(decide_at("late", NOW), ORDER_GIVEN_UP);
	begin_leased("ahead", "u", NOW + 3600 * CLOCK_SECOND);
	ck_assert_int_eq(decide_at("ahead", NOW), ORDER_GIVEN_UP);
}
END_TEST

static int decide_unknown(struct db_conn *conn, UNUSED void *argument)
{
	enum order_fate fate;

	return order_decide(conn, "nobody's", NOW, &fate);
}

START_TEST(an_unknown_order_is_not_decided)
{
	ck_assert_int_eq(db_transaction(db, decide_unknown, NULL), -ENOENT);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("abandoned");

	tcase_add_checked_fixture(tcase, orders_open, orders_close);
	tcase_add_test(tcase, what_others_hold_names_them);
	tcase_add_test(tcase, leases_of_old_replicas_name_nobody);
	tcase_add_test(tcase, all_of_a_dead_process_is_swept);
	tcase_add_test(tcase, an_order_is_decided_by_who_has_it);
	tcase_add_test(tcase, an_unknown_order_is_not_decided);
	return unit_run(tcase, "abandoned");
}
