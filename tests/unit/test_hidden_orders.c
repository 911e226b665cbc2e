/* Another's order is as unknown as none: order/order_store.h. */
#include "hidden.h"
#include "orders.h"

#define LOCK "SELECT 1 FROM orders WHERE id = 'hers' FOR UPDATE"

static void setup(void)
{
	orders_open();
	begin_leased("hers", "ada", NOW + 10);
	ck_assert_int_eq(place("hers"), 1);
}

static int read_it(struct db_conn *conn, const char *id, const struct owner *owner)
{
	struct order order CLEANUP(order_release) = {0};

	return order_store_find(conn, id, owner, &order);
}

static int change(struct db_conn *conn, const char *id, const struct owner *owner)
{
	struct order order CLEANUP(order_release) = {0};

	return order_store_find_to_change(conn, id, owner, &order);
}

START_TEST(anothers_order_is_as_none)
{
	other_session();
	hidden_check(db, other_db, _i ? change : read_it, "hers", LOCK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hidden_orders");
	TCase *tcase = tcase_create("hidden_orders");

	tcase_add_checked_fixture(tcase, setup, orders_close);
	tcase_add_loop_test(tcase, anothers_order_is_as_none, 0, 2);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
