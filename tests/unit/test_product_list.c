#include "listings.h"
#include "product/reservation_store.h"

#define PRODUCTS 60

static const char *const sorts[] = {NULL,    "created_at", "-created_at", "name",       "-name",
				    "price", "-price",     "updated_at",  "-updated_at"};

/* Prices and names repeat, so that pages end between equal ones. */
static void add_numbered(int number)
{
	char name[32];
	snprintf(name, sizeof(name), "name %02d", number % 7);
	products_add((struct product_input){.name = name,
					    .price = 100 * (number % 5),
					    .inventory = number % 3,
					    .category = number % 2 ? "odd" : "even",
					    .low_stock_threshold = number % 4 ? 1 : 0},
		     number % 3 ? "[\"t\"]" : NULL, NULL);
}

static void open_with_products(void)
{
	products_open();
	for (int i = 0; i < PRODUCTS; i++)
		add_numbered(i);
}

/* Marks what a page shows; nothing may be shown twice. */
static int mark(struct db_conn *conn, void *argument)
{
	struct listing_page *page = argument;
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	const struct product_order *order = product_order_find(page->sort, page->filter.q);
	struct product_position after = {listing_key(page->first, order->first_is_text),
					 listing_key(page->second, order->second_is_text)};
	ck_assert_int_eq(product_listing_init(conn, &page->filter, order, page->top, &listing), 0);
	page->top = listing.top;
	ck_assert_int_eq(product_listing_page(conn, &listing, page->moved ? &after : NULL, NULL,
					      page->limit, &rows),
			 0);
	page->count = 0;
	while (db_next(rows) == 1) {
		page->count++;
		page->moved = true;
		listing_keep(rows, order->first_column, order->first_is_text, page->first);
		listing_keep(rows, order->second_column, order->second_is_text, page->second);
		ck_assert_int_eq(db_run(conn, "INSERT INTO shown (id) VALUES ($1)",
					DB_VALUES(db_text(db_column_text(rows, PRODUCT_ID, NULL)))),
				 1);
	}
	return 0;
}

static int make_shown(struct db_conn *conn, void *argument UNUSED)
{
	ck_assert_int_ge(db_run(conn, "CREATE TABLE shown (id TEXT PRIMARY KEY)", DB_NO_VALUES), 0);
	return db_run(conn, "CREATE TABLE first AS SELECT id FROM products", DB_NO_VALUES) < 0;
}

START_TEST(pages_are_complete_under_inserts)
{
	struct listing_page page = {.filter = {ANY}, .sort = sorts[_i], .limit = 7};
	int added = 0;
	ck_assert_int_eq(db_transaction(products_db, make_shown, NULL), 0);
	do {
		ck_assert_int_eq(db_transaction(products_db, mark, &page), 0);
		if (added < 20) {
			add_numbered(added++);
			add_numbered(added++);
		}
	} while (page.count > 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM first"), PRODUCTS);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM first"
						   " WHERE id NOT IN (SELECT id FROM shown)"),
			 0);
}
END_TEST

START_TEST(pages_are_in_order)
{
	struct listing_page page = {.filter = {ANY}, .sort = sorts[_i], .limit = 100};
	listing_next(&page);
	ck_assert_uint_eq(page.count, PRODUCTS);
	ck_assert_int_eq(page.total, PRODUCTS);
	if (!sorts[_i] || !strstr(sorts[_i], "name"))
		return;
	for (size_t i = 1; i < page.count; i++) {
		int order = strcmp(page.names[i - 1], page.names[i]);
		ck_assert(sorts[_i][0] == '-' ? order >= 0 : order <= 0);
	}
}
END_TEST

static const int64_t past = 0;
static const int64_t future = INT64_MAX - 1;

static const struct {
	struct product_filter filter;
	const char *sort;
	int64_t total;
	const char *index; /* what the plan must use */
	bool sorts;        /* whether it may sort */
} filters[] = {
	{{ANY}, NULL, 60, "INDEX products_created_at", false},
	{{ANY}, "created_at", 60, "INDEX products_created_at", false},
	{{ANY}, "name", 60, "INDEX products_name", false},
	{{ANY}, "-name", 60, "INDEX products_name", false},
	{{ANY}, "price", 60, "INDEX products_price", false},
	{{ANY}, "-price", 60, "INDEX products_price", false},
	{{.category = "odd", ANY}, NULL, 30, "INDEX products_category_created_at", false},
	{{.category = "odd", ANY}, "-price", 30, "INDEX products_category_price", false},
	{{.category = "odd", ANY}, "name", 30, "INDEX products_category_name", false},
	{{.category = "none", ANY}, NULL, 0, "INDEX products_category_created_at", false},
	{{.tag = "t", ANY}, NULL, 40, "SEARCH product_tags USING PRIMARY KEY (tag=", false},
	{{.tag = "t", ANY}, "price", 40, "SEARCH product_tags USING PRIMARY KEY (tag=", true},
	{{.tag = "t", .category = "even", ANY}, "created_at", 20, "SEARCH product_tags", false},
	{{.tag = "none", ANY}, NULL, 0, "SEARCH product_tags", false},
	{{.sku = "none", ANY}, NULL, 0, "INDEX products_sku", true},
	{{.ids = "[\"none\"]", ANY}, NULL, 0, "(id=?)", true},
	{{.min_price = 100, .max_price = 200, .in_stock = -1, .low_stock = -1},
	 NULL,
	 24,
	 "INDEX products_created_at",
	 false},
	{{.min_price = 100, .max_price = 200, .in_stock = -1, .low_stock = -1},
	 "price",
	 24,
	 "INDEX products_price (price>",
	 false},
	{{.min_price = 401, .max_price = -1, .in_stock = -1, .low_stock = -1},
	 "price",
	 0,
	 "INDEX products_price (price>",
	 false},
	{{.min_price = -1, .max_price = -1, .in_stock = 1, .low_stock = -1},
	 NULL,
	 40,
	 "INDEX products_created_at",
	 false},
	{{.min_price = -1, .max_price = -1, .in_stock = 0, .low_stock = -1},
	 "name",
	 20,
	 "INDEX products_name",
	 false},
	{{.min_price = -1, .max_price = -1, .in_stock = 0, .low_stock = -1},
	 "created_at",
	 20,
	 "INDEX products_out_of_stock",
	 false},
	{{.min_price = -1, .max_price = -1, .in_stock = -1, .low_stock = 1},
	 NULL,
	 30,
	 "INDEX products_low_stock",
	 false},
	{{ANY}, "updated_at", 60, "INDEX products_changes", false},
	{{ANY}, "-updated_at", 60, "INDEX products_changes", false},
	{{.updated_after = &past, ANY},
	 "updated_at",
	 60,
	 "products_changes (<expr>=? AND updated_at>",
	 false},
	{{.updated_after = &future, ANY}, "-updated_at", 0, "INDEX products_changes", false},
	{{.updated_after = &past, ANY}, "name", 60, "INDEX products_name", false},
	{{.updated_after = &past, .category = "odd", ANY},
	 "updated_at",
	 30,
	 "INDEX products_changes",
	 false},
	{{.deleted = true, ANY}, "updated_at", 0, "INDEX products_changes", false},
	{{.deleted = true, .sku = "none", ANY}, "updated_at", 0, "INDEX products_changes", false},
	{{.sku = "none", ANY}, "updated_at", 0, "INDEX products_sku", true},
	{{.ids = "[\"none\"]", ANY}, "updated_at", 0, "(id=?)", true},
	{{.created_after = &past, ANY}, NULL, 60, "INDEX products_created_at (created_at>", false},
	{{.created_before = &past, ANY}, NULL, 0, "INDEX products_created_at (created_at<", false},
	{{.created_after = &past, .tag = "t", ANY},
	 NULL,
	 40,
	 "(tag=? AND product_created_at>",
	 false},
	{{.created_after = &past, .category = "odd", ANY},
	 NULL,
	 30,
	 "products_category_created_at (category=? AND created_at>",
	 false},
	{{.created_after = &past, .created_before = &future, ANY},
	 "price",
	 60,
	 "INDEX products_price",
	 false},
	{{.min_price = -1, .max_price = -1, .in_stock = -1, .low_stock = 0},
	 NULL,
	 30,
	 "INDEX products_created_at",
	 false},
};

START_TEST(filters_count_and_use_their_index)
{
	struct listing_page page = {
		.filter = filters[_i].filter, .sort = filters[_i].sort, .limit = 9};
	size_t seen = 0;
	do {
		listing_next(&page);
		ck_assert_int_eq(page.total, filters[_i].total);
		seen += page.count;
		/* PostgreSQL would rather read such a small table than an index. */
		if (store_is_postgres())
			continue;
		ck_assert_msg(strstr(page.plan, filters[_i].index), "row %d:\n%s", _i, page.plan);
		ck_assert_msg(filters[_i].sorts || !strstr(page.plan, "TEMP B-TREE"), "row %d:\n%s",
			      _i, page.plan);
	} while (page.count > 0);
	ck_assert_int_eq((int64_t)seen, filters[_i].total);
}
END_TEST

struct touched {
	char first[UUID_TEXT_SIZE];
	char second[UUID_TEXT_SIZE];
	int64_t at; /* of the older change */
};

static int touch(struct db_conn *conn, void *argument)
{
	struct touched *touched = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_rows *after CLEANUP(db_rows_close_p) = NULL;
	struct product_current current CLEANUP(product_current_release) = {0};
	struct product_line line = {.product_id = touched->first, .quantity = 1};
	enum product_hold outcome;

	touched->at = clock_now() + CLOCK_SECOND;
	ck_assert_int_eq(
		product_reservation_hold(conn, "order", &line, 1, NULL, touched->at, &outcome), 0);
	product_lines_release(&line, 1);
	ck_assert_int_eq(outcome, HOLD_DONE);
	ck_assert_int_eq(product_find(conn, touched->second, &rows), 0);
	ck_assert_int_eq(product_current_read(rows, &current), 0);
	ck_assert_int_eq(product_delete(conn, touched->second, &current, touched->at + 1), 0);
	return 0;
}

/* A sale, a deletion: each is a change, and what was deleted is told apart. */
START_TEST(changes_are_found)
{
	struct touched touched;
	struct listing_page page = {
		.filter = {.updated_after = &touched.at, ANY}, .sort = "updated_at", .limit = 9};
	struct listing_page deleted = {
		.filter = {.deleted = true, ANY}, .sort = "updated_at", .limit = 9};

	products_add((struct product_input){.name = "first", .inventory = 3}, NULL, touched.first);
	products_add((struct product_input){.name = "second"}, NULL, touched.second);
	ck_assert_int_eq(db_transaction(products_db, touch, &touched), 0);
	listing_next(&page);
	ck_assert_uint_eq(page.count, 1);
	ck_assert_str_eq(page.names[0], "first");
	listing_next(&deleted);
	ck_assert_uint_eq(deleted.count, 1);
	ck_assert_str_eq(deleted.names[0], "second");
	touched.at++;
	page = (struct listing_page){.filter = page.filter, .sort = "-updated_at", .limit = 9};
	listing_next(&page);
	ck_assert_uint_eq(page.count, 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_changes"),
			 PRODUCTS + 2);
}
END_TEST

/* A product that changes between two pages comes at the end: again, or later than it would have. */
static const struct {
	const char *change;
	size_t seen;
} meanwhile[] = {
	{"UPDATE products SET updated_at = updated_at + 10000000"
	 " WHERE id IN (SELECT id FROM products ORDER BY id LIMIT 9)",
	 PRODUCTS + 9},
	{"UPDATE products SET updated_at = updated_at + 10000000"
	 " WHERE id IN (SELECT id FROM products ORDER BY id DESC LIMIT 9)",
	 PRODUCTS},
};

START_TEST(changes_move_to_the_end)
{
	struct listing_page page = {.filter = {ANY}, .sort = "updated_at", .limit = 25};
	size_t seen = 0;

	do {
		listing_next(&page);
		if (seen == 0)
			ck_assert_int_eq(db_transaction(products_db, store_run,
							(void *)meanwhile[_i].change),
					 0);
		seen += page.count;
	} while (page.count > 0);
	ck_assert_uint_eq(seen, meanwhile[_i].seen);
}
END_TEST

/* Sorted, and in the order of a walk. */
static const struct {
	struct product_filter filter;
	const char *sort;
	enum product_source source;
	const char *index;
} few[] = {
	{{.min_price = 100, .max_price = 200, .in_stock = -1, .low_stock = -1},
	 "-name",
	 PRODUCTS_BY_PRICE,
	 "INDEX products_price (price>"},
	{{.category = "odd", .min_price = -1, .max_price = 200, .in_stock = 1, .low_stock = -1},
	 "name",
	 PRODUCTS_BY_PRICE,
	 "INDEX products_category_price (category=? AND price<"},
	{{.min_price = -1, .max_price = -1, .in_stock = 0, .low_stock = -1},
	 "-price",
	 PRODUCTS_OUT_OF_STOCK,
	 "INDEX products_out_of_stock"},
	{{.category = "odd", .min_price = -1, .max_price = -1, .in_stock = -1, .low_stock = 1},
	 NULL,
	 PRODUCTS_LOW_ON_STOCK,
	 "INDEX products_low_stock"},
	{{.tag = "t", ANY},
	 "price",
	 PRODUCTS_BY_TAG,
	 "SEARCH product_tags USING PRIMARY KEY (tag="},
	{{.tag = "t", .category = "even", ANY},
	 NULL,
	 PRODUCTS_BY_TAG,
	 "SEARCH product_tags USING PRIMARY KEY (tag="},
};

START_TEST(few_products_are_sorted)
{
	struct listing_page sorted = {.filter = few[_i].filter, .sort = few[_i].sort, .limit = 7};
	struct listing_page walked = sorted;
	sorted.source = few[_i].source;
	do {
		listing_next(&sorted);
		listing_next(&walked);
		ck_assert_int_gt(sorted.total, 0);
		ck_assert_int_eq(sorted.total, walked.total);
		ck_assert_uint_eq(sorted.count, walked.count);
		for (size_t i = 0; i < sorted.count; i++)
			ck_assert_str_eq(sorted.names[i], walked.names[i]);
		if (!store_is_postgres())
			ck_assert_msg(strstr(sorted.plan, few[_i].index), "row %d:\n%s", _i,
				      sorted.plan);
	} while (sorted.count > 0);
}
END_TEST

/* For a tag that all products have, only the walked rows may be read; PostgreSQL would read all
 * rows, to join them. */
START_TEST(a_walk_looks_tags_up)
{
	struct listing_page walked = {.filter = {.tag = "t", ANY}, .sort = "price", .limit = 7};
	if (!store_is_postgres())
		return;
	listing_next(&walked);
	ck_assert_msg(strstr(walked.plan, "SubPlan"), "%s", walked.plan);
}
END_TEST

START_TEST(unknown_orders)
{
	ck_assert_ptr_null(product_order_find("", false));
	ck_assert_ptr_null(product_order_find("stock", false));
	ck_assert_ptr_null(product_order_find("-", true));
	ck_assert_ptr_eq(product_order_find(NULL, false), product_order_find("-created_at", true));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("product list");
	TCase *tcase = tcase_create("product list");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, open_with_products, products_close);
	tcase_add_loop_test(tcase, pages_are_complete_under_inserts, 0, ARRAY_SIZE(sorts));
	tcase_add_loop_test(tcase, pages_are_in_order, 0, ARRAY_SIZE(sorts));
	tcase_add_loop_test(tcase, filters_count_and_use_their_index, 0, ARRAY_SIZE(filters));
	tcase_add_test(tcase, changes_are_found);
	tcase_add_loop_test(tcase, changes_move_to_the_end, 0, ARRAY_SIZE(meanwhile));
	tcase_add_loop_test(tcase, few_products_are_sorted, 0, ARRAY_SIZE(few));
	tcase_add_test(tcase, a_walk_looks_tags_up);
	tcase_add_test(tcase, unknown_orders);
	return store_main(suite);
}
