/* Products stored before texts had a normal form. */
#include "listings.h"

static int run(struct db_conn *conn, void *sql)
{
	int64_t r = db_run(conn, sql, DB_NO_VALUES);

	return r < 0 ? (int)r : 0;
}

static void execute(const char *sql)
{
	ck_assert_int_eq(db_transaction(products_db, run, (void *)(uintptr_t)sql), 0);
}

/* values: sku, name, category, tags, description. */
#define ADD(id, values)                                                                            \
	execute("INSERT INTO products (id, sku, name, category, tags, description, price,"         \
		" inventory, created_at, updated_at) VALUES ('" id "', " values ", 1, 0, 5, 5)")

static void catch_up(void)
{
	int passes = 0;
	int r;

	execute("DELETE FROM product_words_older");
	execute("INSERT INTO product_words_older SELECT max(seq) FROM products");
	while ((r = db_transaction(products_db, word_index_catch_up_some, NULL)) > 0)
		ck_assert_int_lt(++passes, 10);
	ck_assert_int_eq(r, 0);
}

static void expect(const char *sql)
{
	ck_assert_msg(store_number(products_db, sql) == 1, "%s", sql);
}

START_TEST(texts_are_brought_into_the_normal_form)
{
	ADD("a", "' A1 ', ' Cafe\u0301\x1b[31m ', 'x\ty', '[\" o \",\"o\",\"\u200b\",\"p\"]',"
		 " ' one\x01\ntwo '");
	execute("INSERT INTO product_tags VALUES (' o ', 5, 'a'), ('o', 5, 'a'),"
		" ('\u200b', 5, 'a'), ('p', 5, 'a')");
	catch_up();
	expect("SELECT count(*) FROM products WHERE sku = 'A1' AND name = 'Caf\u00e9 [31m'"
	       " AND category = 'x y' AND tags = '[\"o\",\"p\"]' AND description = 'one \ntwo'"
	       " AND version = 2 AND updated_at > 5");
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 2);
	expect("SELECT count(*) FROM product_tags WHERE tag = 'o'");
	catch_up();
	expect("SELECT count(*) FROM products WHERE version = 2");
}
END_TEST

START_TEST(normal_texts_stay)
{
	ADD("a", "'A1', 'Caf\u00e9', NULL, '[\"o\"]', 'one\n\ttwo'");
	catch_up();
	expect("SELECT count(*) FROM products WHERE version = 1 AND updated_at = 5");
}
END_TEST

START_TEST(what_shows_nothing_goes)
{
	ADD("the-id", "' ', '\u200b', '\t', '[]', ' '");
	catch_up();
	expect("SELECT count(*) FROM products WHERE sku IS NULL AND name = 'the-id'"
	       " AND category IS NULL AND description = ''");
}
END_TEST

START_TEST(a_text_that_grows_is_cut)
{
	/* U+0958 is two characters in Normalization Form C. */
	ADD("a", "'\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958"
		 "\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958"
		 "\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958', 'x', NULL, '[]', ''");
	catch_up();
	expect("SELECT count(*) FROM products WHERE length(sku) = 64 AND version = 2");
}
END_TEST

START_TEST(a_sku_that_is_anothers_gets_the_end_of_the_id)
{
	ADD("id-aaaaaaaaaaaa", "'A1', 'first', NULL, '[]', ''");
	ADD("id-bbbbbbbbbbbb", "' A1', 'second', NULL, '[]', ''");
	ADD("id-cccccccccccc", "'A1 ', 'third', NULL, '[]', ''");
	ADD("id-dddddddddddd", "'A1-cccccccccccc', 'fourth', NULL, '[]', ''");
	catch_up();
	expect("SELECT count(*) FROM products WHERE sku = 'A1' AND name = 'first'");
	expect("SELECT count(*) FROM products WHERE sku = 'A1-bbbbbbbbbbbb'");
	expect("SELECT count(*) FROM products WHERE sku IS NULL AND name = 'third'");
}
END_TEST

/* It may be restored; and a live product may have its sku. */
START_TEST(a_deleted_product_is_no_exception)
{
	ADD("a", "'A1', 'live', NULL, '[]', ''");
	ADD("b", "' A1 ', ' gone ', NULL, '[\" o\"]', ''");
	execute("UPDATE products SET deleted_at = 9 WHERE id = 'b'");
	catch_up();
	expect("SELECT count(*) FROM products WHERE sku = 'A1' AND name = 'gone'"
	       " AND tags = '[\"o\"]' AND deleted_at = 9");
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_tags"), 0);
}
END_TEST

static int64_t found(const char *q)
{
	struct listing_page page = {.filter = {.q = q, ANY}, .limit = 100};

	listing_next(&page);
	return (int64_t)page.count;
}

/* Tags damaged by hand or by a bad disk; the next row conflicts when it changes. */
START_TEST(a_damaged_row_stops_no_other)
{
	static const char *const damaged[] = {"[\"o\"", "{\"a\":1}", "[\"o\",1]", "7", "null", ""};
	char sql[512];

	ADD("a", "'A1', ' first ', NULL, '[]', ''");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO products (id, name, tags, description, price, inventory,"
			 " created_at, updated_at) VALUES ('b%zu', ' mug ', '%s', '', 1, 0, 5, 5)",
			 i, damaged[i]);
		execute(sql);
	}
	ADD("c", "'C1', 'x', NULL, '[\" o\"]', ''");
	execute("INSERT INTO product_tags VALUES ('o', 5, 'c')");
	ADD("d", "'D1', ' last ', NULL, '[]', ''");
	catch_up();
	expect("SELECT count(*) FROM products WHERE name = 'first'");
	expect("SELECT count(*) FROM products WHERE name = 'last'");
	expect("SELECT count(*) FROM products WHERE id = 'c' AND version = 1");
	ck_assert_int_eq(found("mug"), ARRAY_SIZE(damaged));
	ck_assert_int_eq(found("last"), 1);
}
END_TEST

/* PostgreSQL takes none. */
START_TEST(bytes_that_are_no_text_are_replaced)
{
	if (store_is_postgres())
		return;
	ADD("a", "'\xff\xfe', 'M\xcc', '\xed\xa0\x80', '[]', '\xc3\xa9\xc3'");
	catch_up();
	expect("SELECT count(*) FROM products WHERE sku = '\ufffd\ufffd' AND name = 'M\ufffd'"
	       " AND description = '\u00e9\ufffd' AND version = 2");
}
END_TEST

/* Far longer than the contract permits. */
START_TEST(a_text_too_long_for_the_index_stops_no_other)
{
	struct text sql CLEANUP(text_release) = TEXT_INIT(2u << 20);

	text_append_string(&sql, "UPDATE products SET description = '");
	for (int i = 0; i < 100000; i++)
		text_printf(&sql, " word%d", i);
	text_append_string(&sql, "' WHERE id = 'b'");
	ADD("a", "'A1', ' first ', NULL, '[]', ''");
	ADD("b", "'B1', 'long', NULL, '[]', ''");
	ADD("c", "'C1', ' last ', NULL, '[]', ''");
	execute(text_string(&sql));
	catch_up();
	ck_assert_int_eq(found("first"), 1);
	ck_assert_int_eq(found("last"), 1);
}
END_TEST

/* Its pass had ended before invisible characters were trimmed. */
START_TEST(a_database_of_a_rule_before_is_walked_again)
{
	store_prepare();
	struct db_options options = store_options();
	options.migrations = product_migrations;
	options.migration_count = 11;
	options.before_commit = word_index_update;
	products_db = store_open_with(&options);
	ADD("a", "'\ufeffA1', 'x', NULL, '[]', ''");
	db_close(products_db);
	options.migration_count = PRODUCT_MIGRATION_COUNT;
	products_db = store_open_with(&options);
	while (db_transaction(products_db, word_index_catch_up_some, NULL) > 0)
		;
	expect("SELECT count(*) FROM products WHERE sku = 'A1'");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("old texts");
	TCase *tcase = tcase_create("old texts");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, products_open, products_close);
	tcase_add_test(tcase, texts_are_brought_into_the_normal_form);
	tcase_add_test(tcase, normal_texts_stay);
	tcase_add_test(tcase, what_shows_nothing_goes);
	tcase_add_test(tcase, a_text_that_grows_is_cut);
	tcase_add_test(tcase, a_sku_that_is_anothers_gets_the_end_of_the_id);
	tcase_add_test(tcase, a_deleted_product_is_no_exception);
	tcase_add_test(tcase, a_damaged_row_stops_no_other);
	tcase_add_test(tcase, bytes_that_are_no_text_are_replaced);
	tcase_add_test(tcase, a_text_too_long_for_the_index_stops_no_other);

	TCase *upgrade = tcase_create("upgrade");

	suite_add_tcase(suite, upgrade);
	tcase_add_checked_fixture(upgrade, NULL, products_close);
	tcase_add_test(upgrade, a_database_of_a_rule_before_is_walked_again);
	return store_main(suite);
}
