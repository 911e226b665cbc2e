#include <pthread.h>

#include "product/reservation_store.h"
#include "products.h"

#define RACERS 16

struct hold {
	const char *order_id;
	struct product_line lines[4];
	size_t count;
	enum product_hold outcome;
};

static int run_hold(struct db_conn *conn, void *argument)
{
	struct hold *hold = argument;
	struct product_line lines[4];
	memcpy(lines, hold->lines, sizeof(lines));
	size_t count = product_lines_merge(lines, hold->count);
	int r = product_reservation_hold(conn, hold->order_id, lines, count, NULL, clock_now(),
					 &hold->outcome);
	product_lines_release(lines, count);
	if (r < 0)
		return r;
	memcpy(hold->lines, lines, sizeof(lines));
	hold->count = count;
	return hold->outcome == HOLD_SHORT || hold->outcome == HOLD_GONE ? -ECANCELED : 0;
}

static enum product_hold hold_one(const char *order_id, const char *product_id, int64_t quantity)
{
	struct hold hold = {
		.order_id = order_id, .lines = {{product_id, quantity, 0, 0}}, .count = 1};
	int r = db_transaction(products_db, run_hold, &hold);
	ck_assert(r == 0 || r == -ECANCELED);
	return hold.outcome;
}

struct step {
	const char *order_id;
	enum product_reservation_state before;
};

static int run_ship(struct db_conn *conn, void *argument)
{
	struct step *step = argument;
	return product_reservation_ship(conn, step->order_id, NULL, clock_now(), &step->before);
}

static int run_release(struct db_conn *conn, void *argument)
{
	struct step *step = argument;
	return product_reservation_release(conn, step->order_id, NULL, clock_now(), &step->before);
}

static enum product_reservation_state ship(const char *order_id)
{
	struct step step = {.order_id = order_id};
	ck_assert_int_eq(db_transaction(products_db, run_ship, &step), 0);
	return step.before;
}

static enum product_reservation_state release(const char *order_id)
{
	struct step step = {.order_id = order_id};
	ck_assert_int_eq(db_transaction(products_db, run_release, &step), 0);
	return step.before;
}

static void check_stock(int64_t inventory, int64_t reserved, int64_t shipped)
{
	ck_assert_int_eq(store_number(products_db, "SELECT inventory FROM products"), inventory);
	ck_assert_int_eq(store_number(products_db, "SELECT reserved FROM products"), reserved);
	ck_assert_int_eq(store_number(products_db, "SELECT shipped FROM products"), shipped);
	products_check_ledger();
}

static char mug[UUID_TEXT_SIZE];

static void open_with_a_mug(void)
{
	products_open();
	products_add((struct product_input){.name = "Mug", .price = 1250, .inventory = 10}, NULL,
		     mug);
}

START_TEST(lines_are_merged_and_sorted)
{
	struct product_line lines[] = {
		{.product_id = "b", .quantity = 1},
		{.product_id = "a", .quantity = 2},
		{.product_id = "b", .quantity = 3},
		{.product_id = "a", .quantity = 4},
	};
	ck_assert_uint_eq(product_lines_merge(lines, 4), 2);
	ck_assert_str_eq(lines[0].product_id, "a");
	ck_assert_int_eq(lines[0].quantity, 6);
	ck_assert_str_eq(lines[1].product_id, "b");
	ck_assert_int_eq(lines[1].quantity, 4);
	ck_assert_uint_eq(product_lines_merge(lines, 0), 0);
}
END_TEST

START_TEST(held_shipped)
{
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	check_stock(7, 3, 0);
	ck_assert_int_eq(ship("o"), RESERVATION_HELD);
	check_stock(7, 0, 3);
	ck_assert_int_eq(ship("o"), RESERVATION_SHIPPED);
	ck_assert_int_eq(release("o"), RESERVATION_SHIPPED);
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_SHIPPED);
	check_stock(7, 0, 3);
}
END_TEST

START_TEST(held_released)
{
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	ck_assert_int_eq(release("o"), RESERVATION_HELD);
	check_stock(10, 0, 0);
	ck_assert_int_eq(release("o"), RESERVATION_RELEASED);
	ck_assert_int_eq(ship("o"), RESERVATION_RELEASED);
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_RELEASED);
	check_stock(10, 0, 0);
}
END_TEST

START_TEST(sales_write_no_index_of_the_products)
{
	struct hold hold = {.order_id = "o", .lines = {{mug, 3, 0, 0}}, .count = 1};
	struct step step = {.order_id = "o"};
	if (!store_is_postgres())
		return;
	store_update_heap_only(products_db, "products", run_hold, &hold);
	store_update_heap_only(products_db, "products", run_ship, &step);
	check_stock(7, 0, 3);
}
END_TEST

START_TEST(a_replay_holds_nothing_more)
{
	struct hold twice = {
		.order_id = "o", .lines = {{mug, 1, 0, 0}, {mug, 2, 0, 0}}, .count = 2};
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_REPLAYED);
	ck_assert_int_eq(db_transaction(products_db, run_hold, &twice), 0);
	ck_assert_int_eq(twice.outcome, HOLD_REPLAYED);
	ck_assert_int_eq(hold_one("o", mug, 4), HOLD_MISMATCH);
	check_stock(7, 3, 0);
}
END_TEST

START_TEST(more_or_fewer_lines_are_a_mismatch)
{
	char cup[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Cup", .inventory = 10}, NULL, cup);
	struct hold both = {.order_id = "o", .lines = {{mug, 3, 0, 0}, {cup, 1, 0, 0}}, .count = 2};
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	ck_assert_int_eq(db_transaction(products_db, run_hold, &both), 0);
	ck_assert_int_eq(both.outcome, HOLD_MISMATCH);
	both.order_id = "p";
	ck_assert_int_eq(db_transaction(products_db, run_hold, &both), 0);
	ck_assert_int_eq(both.outcome, HOLD_DONE);
	ck_assert_int_eq(hold_one("p", mug, 3), HOLD_MISMATCH);
}
END_TEST

START_TEST(a_tombstone_refuses_the_late_hold)
{
	ck_assert_int_eq(ship("o"), RESERVATION_UNKNOWN);
	ck_assert_int_eq(release("o"), RESERVATION_UNKNOWN);
	ck_assert_int_eq(release("o"), RESERVATION_RELEASED);
	ck_assert_int_eq(hold_one("o", mug, 1), HOLD_RELEASED);
	check_stock(10, 0, 0);
}
END_TEST

static int purge_tombstones(struct db_conn *conn, void *purged)
{
	*(int64_t *)purged = product_tombstones_purge(conn, clock_now() - TOMBSTONE_MEMORY, 100);
	return 0;
}

START_TEST(old_tombstones_are_forgotten)
{
	int64_t purged;
	hold_one("cancelled", mug, 1);
	hold_one("held", mug, 1);
	release("cancelled");
	release("old");
	ck_assert_int_eq(db_transaction(products_db, store_run,
					"UPDATE reservations SET created_at = 1, updated_at = 1"),
			 0);
	release("recent");
	ck_assert_int_eq(db_transaction(products_db, purge_tombstones, &purged), 0);
	ck_assert_int_eq(purged, 1);
	ck_assert_int_eq(release("old"), RESERVATION_UNKNOWN);
	ck_assert_int_eq(release("recent"), RESERVATION_RELEASED);
	ck_assert_int_eq(hold_one("cancelled", mug, 1), HOLD_RELEASED);
	check_stock(9, 1, 0);
}
END_TEST

START_TEST(all_lines_or_none)
{
	char cup[UUID_TEXT_SIZE];
	char jar[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Cup", .inventory = 1}, NULL, cup);
	products_add((struct product_input){.name = "Jar", .inventory = 2}, NULL, jar);
	struct hold hold = {.order_id = "o",
			    .lines = {{jar, 5, 0, 0}, {mug, 1, 0, 0}, {cup, 3, 0, 0}},
			    .count = 3};
	ck_assert_int_eq(db_transaction(products_db, run_hold, &hold), -ECANCELED);
	ck_assert_int_eq(hold.outcome, HOLD_SHORT);
	products_check_ledger();
	ck_assert_int_eq(store_number(products_db, "SELECT sum(inventory) FROM products"), 13);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM reservations"), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM reservation_items"), 0);
}
END_TEST

static int check_lines(struct db_conn *conn, void *argument)
{
	const char *const *ids = argument;
	struct product_line lines[] = {{.product_id = ids[0], .quantity = 5},
				       {.product_id = mug, .quantity = 1},
				       {.product_id = "nothing", .quantity = 2}};
	size_t count = product_lines_merge(lines, ARRAY_SIZE(lines));
	enum product_hold outcome;
	ck_assert_int_eq(product_reservation_hold(conn, "o", lines, count, NULL, 1, &outcome), 0);
	product_lines_release(lines, count);
	ck_assert_int_eq(outcome, HOLD_GONE);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(lines[i].product_id, ids[0]) == 0) {
			ck_assert_int_eq(lines[i].state, LINE_SHORT);
			ck_assert_int_eq(lines[i].available, 2);
		} else {
			ck_assert_int_eq(lines[i].state, strcmp(lines[i].product_id, mug) == 0
								 ? LINE_HELD
								 : LINE_GONE);
		}
	}
	return -ECANCELED;
}

START_TEST(every_failing_line_is_told)
{
	char jar[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Jar", .inventory = 2}, NULL, jar);
	const char *ids[] = {jar};
	ck_assert_int_eq(db_transaction(products_db, check_lines, ids), -ECANCELED);
}
END_TEST

static int hide(struct db_conn *conn, void *id)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	ck_assert_int_eq(product_find(conn, id, &rows), 0);
	ck_assert_int_eq(product_current_read(rows, &current), 0);
	return product_delete(conn, id, &current, clock_now());
}

START_TEST(a_deleted_product_still_takes_its_stock_back)
{
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	ck_assert_int_eq(hold_one("p", mug, 2), HOLD_DONE);
	ck_assert_int_eq(db_transaction(products_db, hide, mug), 0);
	ck_assert_int_eq(hold_one("q", mug, 1), HOLD_GONE);
	ck_assert_int_eq(release("o"), RESERVATION_HELD);
	ck_assert_int_eq(ship("p"), RESERVATION_HELD);
	check_stock(8, 0, 2);
}
END_TEST

static int read_items(struct db_conn *conn, void *argument UNUSED)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	ck_assert_int_eq(product_reservation_items(conn, "o", &rows), 0);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_str_eq(db_column_text(rows, ITEM_PRODUCT_ID, NULL), mug);
	ck_assert_int_eq(db_column_int(rows, ITEM_QUANTITY), 3);
	ck_assert_str_eq(db_column_text(rows, ITEM_NAME, NULL), "Mug");
	ck_assert_int_eq(db_column_int(rows, ITEM_PRICE), 1250);
	ck_assert_int_eq(db_next(rows), 0);
	return 0;
}

static int rename_all(struct db_conn *conn, void *argument UNUSED)
{
	int64_t r = db_run(conn, "UPDATE products SET name = 'Cup', price = 1", DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

START_TEST(items_keep_name_and_price)
{
	ck_assert_int_eq(hold_one("o", mug, 3), HOLD_DONE);
	ck_assert_int_eq(db_transaction(products_db, rename_all, NULL), 0);
	ck_assert_int_eq(db_read(products_db, read_items, NULL), 0);
}
END_TEST

struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	char order_id[16];
	struct hold hold;
	int result;
};

static void *race_to_hold(void *argument)
{
	struct racer *racer = argument;
	racer->hold =
		(struct hold){.order_id = racer->order_id, .lines = {{mug, 1, 0, 0}}, .count = 1};
	pthread_barrier_wait(racer->start);
	racer->result = db_transaction(products_db, run_hold, &racer->hold);
	return NULL;
}

static void *race_to_release(void *argument)
{
	struct racer *racer = argument;
	struct step step = {.order_id = "o"};
	pthread_barrier_wait(racer->start);
	racer->result = db_transaction(products_db, run_release, &step);
	return NULL;
}

static void race(struct racer racers[RACERS], void *(*run)(void *))
{
	pthread_barrier_t start;
	ck_assert_int_eq(pthread_barrier_init(&start, NULL, RACERS), 0);
	for (int i = 0; i < RACERS; i++) {
		racers[i].start = &start;
		snprintf(racers[i].order_id, sizeof(racers[i].order_id), "o%d", i);
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	pthread_barrier_destroy(&start);
}

START_TEST(the_last_units_go_to_as_many_orders)
{
	struct racer racers[RACERS] = {0};
	int held = 0;
	ck_assert_int_eq(hold_one("before", mug, 7), HOLD_DONE);
	race(racers, race_to_hold);
	for (int i = 0; i < RACERS; i++) {
		held += racers[i].hold.outcome == HOLD_DONE;
		ck_assert_int_eq(racers[i].result,
				 racers[i].hold.outcome == HOLD_DONE ? 0 : -ECANCELED);
	}
	ck_assert_int_eq(held, 3);
	check_stock(0, 10, 0);
}
END_TEST

START_TEST(stock_comes_back_once)
{
	struct racer racers[RACERS] = {0};
	ck_assert_int_eq(hold_one("o", mug, 7), HOLD_DONE);
	race(racers, race_to_release);
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(racers[i].result, 0);
	check_stock(10, 0, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reservation store");
	TCase *tcase = tcase_create("reservation store");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, open_with_a_mug, products_close);
	tcase_add_test(tcase, lines_are_merged_and_sorted);
	tcase_add_test(tcase, held_shipped);
	tcase_add_test(tcase, held_released);
	tcase_add_test(tcase, sales_write_no_index_of_the_products);
	tcase_add_test(tcase, a_replay_holds_nothing_more);
	tcase_add_test(tcase, more_or_fewer_lines_are_a_mismatch);
	tcase_add_test(tcase, a_tombstone_refuses_the_late_hold);
	tcase_add_test(tcase, old_tombstones_are_forgotten);
	tcase_add_test(tcase, all_lines_or_none);
	tcase_add_test(tcase, every_failing_line_is_told);
	tcase_add_test(tcase, a_deleted_product_still_takes_its_stock_back);
	tcase_add_test(tcase, items_keep_name_and_price);
	tcase_add_test(tcase, the_last_units_go_to_as_many_orders);
	tcase_add_test(tcase, stock_comes_back_once);
	return store_main(suite);
}
