#include "products.h"

struct change {
	const char *id;
	struct product_input input;
	const char *tags;
	int64_t stale; /* how many versions behind */
};

static int replace(struct db_conn *conn, void *argument)
{
	struct change *change = argument;
	struct product_current current CLEANUP(product_current_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *after CLEANUP(db_rows_close_p) = NULL;
	struct json *tags CLEANUP(json_free_p) = NULL;
	struct json_error error;
	int r = product_find(conn, change->id, &rows);
	if (r < 0)
		return r;
	ck_assert_int_eq(product_current_read(rows, &current), 0);
	current.version -= change->stale;
	if (change->tags)
		ck_assert_int_eq(json_parse(change->tags, strlen(change->tags), JSON_DEPTH_MAX,
					    &tags, &error),
				 0);
	struct product_input input = change->input;
	input.description = "";
	input.low_stock_threshold = -1;
	input.tags = tags;
	r = product_replace(conn, change->id, &current, &input, "set", clock_now(), &after);
	if (r == 0)
		ck_assert_int_eq(db_column_int(after, PRODUCT_VERSION), current.version + 1);
	return r;
}

static int delete (struct db_conn *conn, void *id)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = product_find(conn, id, &rows);
	if (r == 0)
		r = product_current_read(rows, &current);
	if (r == 0)
		r = product_delete(conn, id, &current, clock_now());
	return r;
}

struct adjustment {
	const char *id;
	int64_t delta;
	int64_t available;
};

static int adjust(struct db_conn *conn, void *argument)
{
	struct adjustment *adjustment = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	return product_stock_adjust(conn, adjustment->id, adjustment->delta, "counted", "clerk",
				    clock_now(), &rows, &adjustment->available);
}

START_TEST(a_product_is_stored_as_given)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug",
					    .price = 1250,
					    .inventory = 7,
					    .sku = "MUG",
					    .category = "kitchen"},
		     "[\"blue\",\"mug\"]", id);
	ck_assert_int_eq(store_number(products_db,
				      "SELECT count(*) FROM products WHERE name = 'Mug'"
				      " AND price = 1250 AND inventory = 7 AND"
				      " sku = 'MUG' AND version = 1 AND"
				      " low_stock_threshold IS NULL"),
			 1);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 2);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM stock_movements WHERE"
						   " reason = 'opening' AND delta = 7"),
			 1);
	products_check_ledger();
}
END_TEST

START_TEST(no_opening_stock_is_no_movement)
{
	products_add((struct product_input){.name = "Mug"}, NULL, NULL);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM stock_movements"), 0);
}
END_TEST

START_TEST(a_sku_belongs_to_one_live_product)
{
	char first[UUID_TEXT_SIZE];
	char second[UUID_TEXT_SIZE];
	struct product_input mug = {.name = "Mug", .sku = "MUG"};
	products_add(mug, NULL, first);
	ck_assert_int_eq(products_try(mug, NULL, NULL), -EEXIST);
	products_add((struct product_input){.name = "Cup", .sku = "CUP"}, NULL, second);
	struct change change = {.id = second, .input = mug};
	ck_assert_int_eq(db_transaction(products_db, replace, &change), -EEXIST);
	ck_assert_int_eq(db_transaction(products_db, delete, first), 0);
	ck_assert_int_eq(db_transaction(products_db, replace, &change), 0);
	ck_assert_int_eq(products_try(mug, NULL, NULL), -EEXIST);
}
END_TEST

START_TEST(replacing_moves_stock_and_tags)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug", .inventory = 7}, "[\"a\",\"b\"]", id);
	struct change change = {
		.id = id, .input = {.name = "Cup", .inventory = 3}, .tags = "[\"b\",\"c\"]"};
	ck_assert_int_eq(db_transaction(products_db, replace, &change), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM stock_movements WHERE"
						   " reason = 'set' AND delta = -4"),
			 1);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"
						   " WHERE tag IN ('b', 'c')"),
			 2);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 2);
	change.tags = NULL;
	ck_assert_int_eq(db_transaction(products_db, replace, &change), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM stock_movements"), 2);
	products_check_ledger();
}
END_TEST

START_TEST(a_stale_change_is_refused)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug"}, NULL, id);
	struct change change = {.id = id, .input = {.name = "Cup"}, .stale = 1};
	ck_assert_int_eq(db_transaction(products_db, replace, &change), -EAGAIN);
	ck_assert_int_eq(store_number(products_db, "SELECT version FROM products"), 1);
}
END_TEST

START_TEST(a_deleted_product_is_gone)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug", .inventory = 7}, "[\"a\"]", id);
	ck_assert_int_eq(db_transaction(products_db, delete, id), 0);
	ck_assert_int_eq(db_transaction(products_db, delete, id), -ENOENT);
	struct change change = {.id = id, .input = {.name = "Cup"}};
	ck_assert_int_eq(db_transaction(products_db, replace, &change), -ENOENT);
	struct adjustment adjustment = {.id = id, .delta = 1};
	ck_assert_int_eq(db_transaction(products_db, adjust, &adjustment), -ENOENT);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT version FROM products"), 2);
	products_check_ledger();
}
END_TEST

static int restore(struct db_conn *conn, void *id)
{
	struct product_current current CLEANUP(product_current_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *after CLEANUP(db_rows_close_p) = NULL;
	int r = product_find_any_to_change(conn, id, &rows);
	if (r == 0)
		r = product_current_read(rows, &current);
	if (r == 0)
		r = product_restore(conn, id, &current, clock_now(), &after);
	if (r == 0)
		ck_assert(db_column_is_null(after, PRODUCT_DELETED_AT));
	return r;
}

START_TEST(a_deleted_product_comes_back)
{
	char id[UUID_TEXT_SIZE];
	struct product_input mug = {.name = "Mug", .inventory = 7, .sku = "MUG"};
	products_add(mug, "[\"a\",\"b\"]", id);
	ck_assert_int_eq(db_transaction(products_db, restore, id), -EAGAIN);
	ck_assert_int_eq(db_transaction(products_db, restore, "other"), -ENOENT);
	ck_assert_int_eq(db_transaction(products_db, delete, id), 0);
	ck_assert_int_eq(db_transaction(products_db, restore, id), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 2);
	ck_assert_int_eq(store_number(products_db, "SELECT version FROM products"), 3);
	ck_assert_int_eq(db_transaction(products_db, delete, id), 0);
	products_add(mug, NULL, NULL);
	ck_assert_int_eq(db_transaction(products_db, restore, id), -EEXIST);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 0);
	products_check_ledger();
}
END_TEST

static const struct {
	int64_t before;
	int64_t delta;
	int result;
} adjustments[] = {
	{7, -7, 0},
	{7, -8, -ERANGE},
	{0, -1, -ERANGE},
	{0, PRODUCT_STOCK_MAX, 0},
	{1, PRODUCT_STOCK_MAX, -ERANGE},
	{PRODUCT_STOCK_MAX, 1, -ERANGE},
	{PRODUCT_STOCK_MAX, -PRODUCT_STOCK_MAX, 0},
};

START_TEST(stock_stays_in_its_limits)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug", .inventory = adjustments[_i].before},
		     NULL, id);
	struct adjustment adjustment = {.id = id, .delta = adjustments[_i].delta};
	ck_assert_int_eq(db_transaction(products_db, adjust, &adjustment), adjustments[_i].result);
	int64_t expected = adjustments[_i].before;
	if (adjustments[_i].result == 0)
		expected += adjustments[_i].delta;
	else
		ck_assert_int_eq(adjustment.available, adjustments[_i].before);
	ck_assert_int_eq(store_number(products_db, "SELECT inventory FROM products"), expected);
	products_check_ledger();
}
END_TEST

static int read_movements(struct db_conn *conn, void *id)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *rest CLEANUP(db_rows_close_p) = NULL;
	char second[UUID_TEXT_SIZE];
	ck_assert_int_eq(product_movements(conn, id, NULL, 2, &rows), 0);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_int_eq(db_column_int(rows, MOVEMENT_DELTA), 3);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_int_eq(db_column_int(rows, MOVEMENT_DELTA), 2);
	snprintf(second, sizeof(second), "%s", db_column_text(rows, MOVEMENT_ID, NULL));
	ck_assert_int_eq(db_next(rows), 0);
	ck_assert_int_eq(product_movements(conn, id, second, 5, &rest), 0);
	ck_assert_int_eq(db_next(rest), 1);
	ck_assert_int_eq(db_column_int(rest, MOVEMENT_DELTA), 1);
	ck_assert_str_eq(db_column_text(rest, MOVEMENT_REASON, NULL), "opening");
	ck_assert_int_eq(db_next(rest), 0);
	return 0;
}

START_TEST(the_ledger_reads_newest_first)
{
	char id[UUID_TEXT_SIZE];
	products_add((struct product_input){.name = "Mug", .inventory = 1}, NULL, id);
	for (int64_t delta = 2; delta <= 3; delta++) {
		struct adjustment adjustment = {.id = id, .delta = delta};
		ck_assert_int_eq(db_transaction(products_db, adjust, &adjustment), 0);
	}
	ck_assert_int_eq(db_read(products_db, read_movements, id), 0);
}
END_TEST

START_TEST(input_defaults)
{
	static const char text[] = "{\"name\": \"Mug\", \"price\": 1.5e1}";
	struct json *object CLEANUP(json_free_p) = NULL;
	struct json_error error;
	struct currency currency;
	struct product_input input;
	ck_assert_int_eq(currency_find("USD", &currency), 0);
	ck_assert_int_eq(json_parse(text, strlen(text), JSON_DEPTH_MAX, &object, &error), 0);
	ck_assert_int_eq(product_input_read(object, currency, &input), 0);
	ck_assert_str_eq(input.name, "Mug");
	ck_assert_str_eq(input.description, "");
	ck_assert_int_eq(input.price, 1500);
	ck_assert_int_eq(input.inventory, 0);
	ck_assert_int_eq(input.low_stock_threshold, -1);
	ck_assert_ptr_null(input.sku);
	ck_assert_ptr_null(input.tags);
}
END_TEST

static int same_after_reading(struct db_conn *conn, void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct currency currency;
	struct json_writer writer;
	ck_assert_int_eq(currency_find("USD", &currency), 0);
	ck_assert_int_eq(product_find_sku(conn, "M\"1", &rows), 0);
	json_writer_init(&writer, argument);
	product_write_input(&writer, rows, currency, true);
	return 0;
}

START_TEST(writable_members_are_written_as_they_are_read)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(4096);
	products_add((struct product_input){.name = "Müg",
					    .description = "a\nb",
					    .price = 5,
					    .sku = "M\"1",
					    .low_stock_threshold = 3},
		     "[\"x\"]", NULL);
	ck_assert_int_eq(db_read(products_db, same_after_reading, &text), 0);
	ck_assert_str_eq(
		text_string(&text),
		"{\"name\":\"Müg\",\"description\":\"a\\nb\",\"price\":0.05,\"inventory\":0,"
		"\"sku\":\"M\\\"1\",\"tags\":[\"x\"],\"low_stock_threshold\":3}");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("product store");
	TCase *tcase = tcase_create("product store");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, products_open, products_close);
	tcase_add_test(tcase, a_product_is_stored_as_given);
	tcase_add_test(tcase, no_opening_stock_is_no_movement);
	tcase_add_test(tcase, a_sku_belongs_to_one_live_product);
	tcase_add_test(tcase, replacing_moves_stock_and_tags);
	tcase_add_test(tcase, a_stale_change_is_refused);
	tcase_add_test(tcase, a_deleted_product_is_gone);
	tcase_add_test(tcase, a_deleted_product_comes_back);
	tcase_add_loop_test(tcase, stock_stays_in_its_limits, 0, ARRAY_SIZE(adjustments));
	tcase_add_test(tcase, the_ledger_reads_newest_first);
	tcase_add_test(tcase, input_defaults);
	tcase_add_test(tcase, writable_members_are_written_as_they_are_read);
	return store_main(suite);
}
