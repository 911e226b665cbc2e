#include "product/product_search.h"

#include "listings.h"

static const struct {
	const char *q;
	const char *category;
	const char *tag;
	const char *match; /* NULL: too many words */
} matches[] = {
	{"mug", NULL, NULL, "\"mug\""},
	{"  blue\tmug\n", NULL, NULL, "\"blue\" \"mug\""},
	{"SKU-1", NULL, NULL, "\"SKU-1\""},
	{"a\"b", NULL, NULL, "\"a\"\"b\""},
	{"\" OR *", NULL, NULL, "\"OR\""},
	{"***", NULL, NULL, "\"\""},
	{"", NULL, NULL, "\"\""},
	{"***", "kitchen", "x", "\"\""},
	{"\xc3\xbc", NULL, NULL, "\"\xc3\xbc\""},
	{"\u00bf \u201d \u2192 \u2bff \u3002 \ufffd \U0001f980", "kitchen", "\u2665", "\"\""},
	{"\u00c0 \u00bd \u3005 \U00020000", NULL, NULL,
	 "\"\u00c0\" \"\u00bd\" \"\u3005\" \"\U00020000\""},
	{"mug \u2026", "\u2665", "blue", "\"mug\" tags : \"blue\""},
	{"mug", "pots & pans", NULL, "\"mug\" category : \"pots & pans\""},
	{"mug", "&", "blue", "\"mug\" tags : \"blue\""},
	{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", NULL, NULL,
	 "\"1\" \"2\" \"3\" \"4\" \"5\" \"6\" \"7\" \"8\" \"9\" \"10\" \"11\" \"12\" \"13\" \"14\""
	 " \"15\" \"16\""},
	{"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", NULL, NULL, NULL},
};

START_TEST(words_become_a_query)
{
	struct text text CLEANUP(text_release);
	text_init(&text, 1024);
	int r = product_search_match(DB_SQLITE, matches[_i].q, matches[_i].category,
				     matches[_i].tag, &text);
	ck_assert_int_eq(r, matches[_i].match ? 0 : -EINVAL);
	if (matches[_i].match)
		ck_assert_str_eq(text_string(&text), matches[_i].match);
}
END_TEST

static void open_with_products(void)
{
	products_open();
	products_add((struct product_input){.name = "Tray", .description = "goes with every mug"},
		     NULL, NULL);
	products_add((struct product_input){.name = "Holder", .category = "mug"}, NULL, NULL);
	products_add((struct product_input){.name = "Plain Mug",
					    .sku = "PLAIN-1",
					    .inventory = 1,
					    .category = "Pots & Pans"},
		     "[\"white ware\"]", NULL);
	products_add((struct product_input){.name = "Spoon", .sku = "MUG-SPOON"}, NULL, NULL);
	products_add((struct product_input){.name = "Café crème", .price = 300}, NULL, NULL);
	products_add((struct product_input){.name = "Blue mug", .price = 200}, "[\"white\"]", NULL);
}

static const struct {
	struct product_filter filter;
	const char *sort;
	const char *names; /* in order, each followed by a comma */
} searches[] = {
	{{.q = "mug", ANY}, NULL, "Spoon,Blue mug,Plain Mug,Holder,Tray,"},
	{{.q = "MUG", ANY}, "name", "Blue mug,Holder,Plain Mug,Spoon,Tray,"},
	{{.q = "mug", ANY}, "-created_at", "Blue mug,Spoon,Plain Mug,Holder,Tray,"},
	{{.q = "mug every", ANY}, NULL, "Tray,"},
	{{.q = "mug nothing", ANY}, NULL, ""},
	{{.q = "cafe", ANY}, NULL, "Café crème,"},
	{{.q = "CRÈME", ANY}, NULL, "Café crème,"},
	{{.q = "PLAIN-1", ANY}, NULL, "Plain Mug,"},
	{{.q = "mug-spoon", ANY}, NULL, "Spoon,"},
	{{.q = "spoon-mug", ANY}, NULL, ""},
	{{.q = "mug OR spoon", ANY}, NULL, ""},
	{{.q = "mu*", ANY}, NULL, ""},
	{{.q = "name:mug", ANY}, NULL, ""},
	{{.q = "\"", ANY}, NULL, ""},
	{{.q = "mug", .category = "Pots & Pans", ANY}, NULL, "Plain Mug,"},
	{{.q = "mug", .category = "pots pans", ANY}, NULL, ""},
	{{.q = "mug", .tag = "white", ANY}, NULL, "Blue mug,"},
	{{.q = "mug", .tag = "white ware", ANY}, NULL, "Plain Mug,"},
	{{.q = "mug", .min_price = 1, .max_price = -1, .in_stock = -1, .low_stock = -1},
	 NULL,
	 "Blue mug,"},
	{{.q = "mug", .min_price = -1, .max_price = -1, .in_stock = 1, .low_stock = -1},
	 NULL,
	 "Plain Mug,"},
};

START_TEST(matches_are_ranked)
{
	struct listing_page page = {
		.filter = searches[_i].filter, .sort = searches[_i].sort, .limit = 2};
	char names[256] = "";
	size_t length = 0;
	do {
		listing_next(&page);
		for (size_t i = 0; i < page.count; i++)
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s,",
						   page.names[i]);
	} while (page.count > 0);
	ck_assert_str_eq(names, searches[_i].names);
}
END_TEST

static int run(struct db_conn *conn, void *sql)
{
	int64_t r = db_run(conn, sql, DB_NO_VALUES);
	return r < 0 ? (int)r : 0;
}

static void execute(const char *sql)
{
	ck_assert_int_eq(db_transaction(products_db, run, (void *)(uintptr_t)sql), 0);
}

static int64_t total(const char *q)
{
	struct listing_page page = {.filter = {.q = q, ANY}, .limit = 100};
	listing_next(&page);
	ck_assert_int_eq((int64_t)page.count, page.total);
	return page.total;
}

START_TEST(the_index_follows_the_products)
{
	ck_assert_int_eq(total("tray"), 1);
	execute("UPDATE products SET name = 'Board', version = 2 WHERE name = 'Tray'");
	ck_assert_int_eq(total("tray"), 0);
	ck_assert_int_eq(total("board"), 1);
	execute("UPDATE products SET deleted_at = 1 WHERE name = 'Board'");
	ck_assert_int_eq(total("board"), 0);
	execute("UPDATE products SET description = 'hidden' WHERE name = 'Board'");
	ck_assert_int_eq(total("hidden"), 0);
	execute("DELETE FROM products WHERE name = 'Board'");
	execute("DELETE FROM products WHERE name = 'Holder'");
	if (!store_is_postgres())
		execute("INSERT INTO product_search (product_search) VALUES ('integrity-check')");
}
END_TEST

/* The words of texts in many scripts, as they are in the database's own collation. */
START_TEST(words_do_not_depend_on_the_collation)
{
	static const char texts[] =
		"SELECT 'Caf\u00e9 cr\u00e8me br\u00fbl\u00e9e, 100% na\u00efve' AS s"
		" UNION ALL SELECT 'stra\u00dfe; \u0130stanbul\u2019da \u2014 \u00abquoted\u00bb'"
		" UNION ALL SELECT 'e\u0301 a\u030a\u0323 n\u0303'"
		" UNION ALL SELECT '\u4e16\u754c\u3001\u3053\u3093\u306b\u3061\u306f\u3002'"
		" UNION ALL SELECT '\u0437\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439 "
		"\u0439'"
		" UNION ALL SELECT '\U0001f980 crab \ufb01sh x\u00b2 \u00bd'"
		/* Each code point that there may be, in a row. */
		" UNION ALL SELECT string_agg(chr(code), '') FROM generate_series(1, 70000) AS code"
		" WHERE code NOT BETWEEN 55296 AND 57343";
	char sql[2048];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM (%s) AS texts WHERE product_words(s) <>"
		 " regexp_replace(regexp_replace(normalize(s, NFD), '[\\u0300-\\u036f]+', '', 'g'),"
		 " '[\\u0001-\\u002f\\u003a-\\u0040\\u005b-\\u0060\\u007b-\\u00bf\\u2000-\\u206f"
		 "\\u3000-\\u303f]+', ' ', 'g')",
		 texts);
	ck_assert_int_eq(store_number(products_db, sql), 0);
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM (SELECT 1) AS one WHERE"
						   " product_words('Caf\u00e9-Cr\u00e8me, 3x') ="
						   " 'Cafe Creme 3x'"),
			 1);
}
END_TEST

START_TEST(stock_leaves_the_index_alone)
{
	int64_t before = store_number(products_db, "SELECT count(*) FROM product_search_data");
	for (int i = 0; i < 3; i++)
		execute("UPDATE products SET inventory = inventory + 1, name = name");
	ck_assert_int_eq(store_number(products_db, "SELECT count(*) FROM product_search_data"),
			 before);
	execute("UPDATE products SET name = name || ' x'");
	ck_assert_int_gt(store_number(products_db, "SELECT count(*) FROM product_search_data"),
			 before);
}
END_TEST

START_TEST(inserts_do_not_shift_pages)
{
	struct listing_page page = {.filter = {.q = "mug", ANY}, .limit = 2};
	listing_next(&page);
	ck_assert_str_eq(page.names[1], "Blue mug");
	products_add((struct product_input){.name = "Mug Mug", .sku = "MUG-2"}, NULL, NULL);
	products_add((struct product_input){.name = "mug"}, NULL, NULL);
	listing_next(&page);
	ck_assert_uint_eq(page.count, 2);
	ck_assert_str_eq(page.names[0], "Plain Mug");
	ck_assert_str_eq(page.names[1], "Holder");
}
END_TEST

START_TEST(only_the_newest_matches_are_candidates)
{
	execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
		" INSERT INTO products (id, name, description, price, inventory, tags, created_at,"
		" updated_at) SELECT i, 'common', '', 1, 0, '[]', i, i FROM n");
	products_add((struct product_input){.name = "rare"}, NULL, NULL);
	ck_assert_int_eq(total("rare"), 1);
	struct listing_page page = {.filter = {.q = "common", ANY}, .limit = 100};
	listing_next(&page);
	ck_assert_int_eq(page.total, PRODUCT_SEARCH_CANDIDATES);
}
END_TEST

START_TEST(the_index_hands_out_candidates_in_order)
{
	static const char *const orders[] = {NULL, "price"};
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct listing_page page = {
			.filter = {.q = "mug", ANY}, .sort = orders[i], .limit = 2};
		listing_next(&page);
		const char *scan = strstr(page.plan, "SCAN product_search VIRTUAL TABLE");
		ck_assert_msg(scan, "%s", page.plan);
		const char *next = strchr(scan, '\n') + 1;
		ck_assert_msg(strncmp(next, "USE TEMP B-TREE", 15) != 0, "%s", page.plan);
		ck_assert_msg(strstr(page.plan, "SEARCH products USING INTEGER PRIMARY KEY"), "%s",
			      page.plan);
		ck_assert_msg(!strstr(page.plan, "SCAN products"), "%s", page.plan);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("product search");
	TCase *words = tcase_create("words");
	suite_add_tcase(suite, words);
	tcase_add_loop_test(words, words_become_a_query, 0, ARRAY_SIZE(matches));
	TCase *tcase = tcase_create("product search");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, open_with_products, products_close);
	tcase_add_loop_test(tcase, matches_are_ranked, 0, ARRAY_SIZE(searches));
	tcase_add_test(tcase, the_index_follows_the_products);
	if (!store_is_postgres())
		tcase_add_test(tcase, stock_leaves_the_index_alone);
	tcase_add_test(tcase, inserts_do_not_shift_pages);
	tcase_add_test(tcase, only_the_newest_matches_are_candidates);
	if (store_is_postgres())
		tcase_add_test(tcase, words_do_not_depend_on_the_collation);
	else
		tcase_add_test(tcase, the_index_hands_out_candidates_in_order);
	return store_main(suite);
}
