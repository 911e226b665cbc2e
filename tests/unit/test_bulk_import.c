/* Chunks of imported lines: all together, one by one if one is refused, and against each other. */
#include "product/bulk_import.h"

#include <pthread.h>

#include "product/service.h"
#include "products.h"

static struct runtime runtime;
static uint64_t lacking; /* scopes */

static void set_up(void)
{
	products_open();
	ck_assert_int_eq(currency_find("USD", &runtime.currency), 0);
	runtime.contract = product_service.contract;
	contract_start(runtime.contract, runtime.currency, "1");
	runtime.db = products_db;
	lacking = 0;
}

static void tear_down(void)
{
	products_close();
}

static void add_line(struct product_import *import, const char *text)
{
	struct product_ndjson_line line = {.text = text, .length = strlen(text)};

	ck_assert_int_eq(product_import_add(import, &line), 0);
}

/* Results as "created updated error", and their errors as text. */
static void finish(struct product_import *import, int error, char *ret_statuses, size_t size)
{
	static const char member[] = "\"status\":\"";
	struct text out = TEXT_INIT(1 << 20);
	size_t length = 0;

	product_import_finish(import, error, &out);
	ret_statuses[0] = '\0';
	for (const char *at = text_string(&out); (at = strstr(at, member));) {
		at += strlen(member);
		length += (size_t)snprintf(ret_statuses + length, size - length, "%s%.*s",
					   length ? " " : "", (int)strcspn(at, "\""), at);
	}
	text_release(&out);
}

/* inside: within a transaction. */
static void import_as(bool inside, bool merge, const char *const *lines, const char *statuses)
{
	struct product_import *import CLEANUP(product_import_free_p) = NULL;
	const struct product_import_options options = {
		.merge = merge, .lacking = lacking, .actor = "clerk"};
	char told[2048];

	ck_assert_int_eq(product_import_create(&runtime, &options, &import), 0);
	for (; *lines; lines++)
		add_line(import, *lines);
	int r = inside ? db_transaction(products_db, product_import_apply, import)
		       : product_import_store(import, products_db);
	finish(import, r, told, sizeof(told));
	ck_assert_str_eq(told, statuses);
}

static void import_lines(const char *const *lines, const char *statuses)
{
	import_as(false, false, lines, statuses);
}

static int64_t count(const char *condition)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM products WHERE %s", condition);
	return store_number(products_db, sql);
}

static void check_tags(int64_t expected)
{
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), expected);
}

START_TEST(lines_create_and_replace)
{
	static const char *const first[] = {
		"{\"sku\":\"A\",\"name\":\"a\",\"price\":1,\"inventory\":5,\"tags\":[\"x\",\"y\"]}",
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1}", NULL};
	static const char *const second[] = {
		"{\"sku\":\"C\",\"name\":\"c\",\"price\":1,\"tags\":[\"z\"]}",
		"{\"sku\":\"A\",\"name\":\"a2\",\"price\":2,\"inventory\":3,\"tags\":[\"y\"]}",
		"{\"sku\":\"D\",\"name\":\"d\"}",
		"{\"sku\":\"B\",\"name\":\"b2\",\"price\":1,\"inventory\":7}", NULL};

	import_lines(first, "created created");
	import_lines(second, "created updated error updated");
	ck_assert_int_eq(count("name IN ('a2', 'b2') AND version = 2"), 2);
	ck_assert_int_eq(count("sku = 'A' AND inventory = 3 AND price = 200"), 1);
	ck_assert_int_eq(count("1 = 1"), 3);
	check_tags(2);
	products_check_ledger();
}
END_TEST

START_TEST(stock_is_for_who_has_its_scope)
{
	static const char *const whole[] = {
		"{\"sku\":\"A\",\"name\":\"a\",\"price\":1,\"inventory\":5}",
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1}", NULL};
	/* Sent, set to its default, left as it is, and of a new product. */
	static const char *const again[] = {
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1,\"inventory\":0}",
		"{\"sku\":\"A\",\"name\":\"a2\",\"price\":1}",
		"{\"sku\":\"B\",\"name\":\"b2\",\"price\":1}",
		"{\"sku\":\"C\",\"name\":\"c\",\"price\":1}", NULL};
	static const char *const parts[] = {"{\"sku\":\"A\",\"name\":\"a3\"}",
					    "{\"sku\":\"B\",\"inventory\":null}", NULL};

	import_lines(whole, "created created");
	lacking = contract_scope(runtime.contract, "stock:write");
	import_lines(again, "error error updated created");
	import_as(false, true, parts, "updated error");
	ck_assert_int_eq(count("sku = 'A' AND inventory = 5 AND name = 'a3'"), 1);
	lacking = ~lacking;
	import_lines(again, "updated updated updated updated");
	ck_assert_int_eq(count("sku = 'A' AND inventory = 0"), 1);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM stock_movements"
						   " WHERE actor = 'clerk'"),
			 2);
	products_check_ledger();
}
END_TEST

START_TEST(merging_keeps_what_is_absent)
{
	static const char *const whole[] = {
		"{\"sku\":\"A\",\"name\":\"a\",\"price\":1,\"inventory\":5,\"tags\":[\"x\",\"y\"]}",
		NULL};
	static const char *const parts[] = {
		"{\"sku\":\"A\",\"price\":2}",
		"{\"sku\":\"B\",\"price\":2}",
		"{\"sku\":\"A\",\"tags\":[\"y\"],\"low_stock_threshold\":9}",
		"{\"sku\":\"B\",\"price\":3,\"name\":\"b\"}",
		"{\"sku\":\"A\",\"low_stock_threshold\":null}",
		NULL};

	import_as(false, true, whole, "created");
	import_as(false, true, parts, "updated error updated created updated");
	ck_assert_int_eq(count("sku = 'A' AND name = 'a' AND price = 200 AND inventory = 5"
			       " AND low_stock_threshold IS NULL AND version = 4"),
			 1);
	ck_assert_int_eq(count("sku = 'B' AND price = 300 AND inventory = 0"), 1);
	check_tags(1);
	products_check_ledger();
}
END_TEST

START_TEST(a_sku_may_come_again)
{
	static const char *const lines[] = {
		"{\"sku\":\"A\",\"name\":\"a1\",\"price\":1,\"inventory\":5,\"tags\":[\"x\"]}",
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1}",
		"{\"sku\":\"A\",\"name\":\"a2\",\"price\":1,\"inventory\":2,\"tags\":[\"y\"]}",
		"{\"sku\":\"A\",\"name\":\"a3\",\"price\":1,\"inventory\":9}", NULL};

	import_lines(lines, "created created updated updated");
	import_lines(lines, "updated updated updated updated");
	ck_assert_int_eq(count("sku = 'A' AND name = 'a3' AND version = 6"), 1);
	ck_assert_int_eq(count("1 = 1"), 2);
	check_tags(0);
	products_check_ledger();
}
END_TEST

START_TEST(listings_keep_the_order_of_lines)
{
	static const char *const lines[] = {"{\"sku\":\"B\",\"name\":\"1\",\"price\":1}",
					    "{\"sku\":\"C\",\"name\":\"2\",\"price\":1}",
					    "{\"sku\":\"A\",\"name\":\"3\",\"price\":1}", NULL};

	import_lines(lines, "created created created");
	ck_assert_int_eq(store_number(products_db,
				      "SELECT count(*) FROM products AS a JOIN products"
				      " AS b ON a.name < b.name AND a.id < b.id AND a.seq < b.seq"),
			 3);
}
END_TEST

static void execute(const char *sql)
{
	ck_assert_int_eq(db_transaction(products_db, store_run, (void *)(uintptr_t)sql), 0);
}

START_TEST(a_deleted_product_is_made_anew)
{
	static const char *const lines[] = {"{\"sku\":\"A\",\"name\":\"a\",\"price\":1}", NULL};

	import_lines(lines, "created");
	execute("UPDATE products SET deleted_at = 1");
	import_lines(lines, "created");
	ck_assert_int_eq(count("sku = 'A'"), 2);
}
END_TEST

/* The store has a rule that the contract does not have. */
START_TEST(a_refused_line_spoils_no_other)
{
	static const char *const first[] = {"{\"sku\":\"A\",\"name\":\"a\",\"price\":1}", NULL};
	static const char *const second[] = {
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1,\"inventory\":1,\"tags\":[\"x\"]}",
		"{\"sku\":\"C\",\"name\":\"a\",\"price\":1,\"inventory\":1,\"tags\":[\"x\"]}",
		"{\"sku\":\"A\",\"name\":\"a\",\"price\":3}",
		"{\"sku\":\"D\",\"name\":\"b\",\"price\":1}",
		"{\"sku\":\"B\",\"name\":\"b\",\"price\":1,\"inventory\":2,\"tags\":[\"x\"]}",
		"{\"sku\":\"E\",\"name\":\"e\",\"price\":1}",
		NULL};

	execute("CREATE UNIQUE INDEX one_name ON products (name)");
	import_lines(first, "created");
	import_as(_i, false, second, "created error updated error updated created");
	ck_assert_int_eq(count("1 = 1"), 3);
	ck_assert_int_eq(count("sku = 'B' AND version = 2 AND inventory = 2"), 1);
	check_tags(1);
	products_check_ledger();
}
END_TEST

#define RACERS 4

static void *race(void *argument)
{
	struct product_import *import = NULL;
	char text[128];

	ck_assert_int_eq(
		product_import_create(&runtime, &(struct product_import_options){0}, &import), 0);
	for (int round = 0; round < 5; round++) {
		while (!product_import_is_full(import)) {
			snprintf(text, sizeof(text),
				 "{\"sku\":\"%d\",\"name\":\"n\",\"price\":1,\"inventory\":%d}",
				 rand_r(argument) % 400, rand_r(argument) % 9);
			add_line(import, text);
		}
		int r = product_import_store(import, products_db);
		char told[4096];
		finish(import, r, told, sizeof(told));
		ck_assert_ptr_null(strstr(told, "error"));
	}
	product_import_free(import);
	return NULL;
}

START_TEST(imports_meet)
{
	pthread_t threads[RACERS];
	unsigned seeds[RACERS] = {1, 2, 3, 4};

	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &seeds[i]), 0);
	for (int i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) - count(DISTINCT sku)"
						   " FROM products"),
			 0);
	ck_assert_int_eq(store_number(products_db, "SELECT sum(version) FROM products"),
			 RACERS * 5 * BULK_CHUNK_LINES);
	products_check_ledger();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bulk import");
	TCase *tcase = tcase_create("chunks");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, lines_create_and_replace);
	tcase_add_test(tcase, stock_is_for_who_has_its_scope);
	tcase_add_test(tcase, merging_keeps_what_is_absent);
	tcase_add_test(tcase, a_sku_may_come_again);
	tcase_add_test(tcase, listings_keep_the_order_of_lines);
	tcase_add_test(tcase, a_deleted_product_is_made_anew);
	tcase_add_loop_test(tcase, a_refused_line_spoils_no_other, false, true + 1);
	tcase_add_test(tcase, imports_meet);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
