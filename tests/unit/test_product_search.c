#include "product/product_search.h"

#include "listings.h"
#include "product/beginnings.h"

static const struct {
	const char *q;
	const char *category;
	const char *tag;
	const char *sqlite;
	const char *postgres;
} queries[] = {
	{"mug", NULL, NULL, "(\"mug\" OR \"mug\" *)", "(mug|mug:*)"},
	{"mu", NULL, NULL, "(\"mu\")", "(mu)"},
	{"  blue\tmug\n", NULL, NULL, "(\"blue\") AND (\"mug\" OR \"mug\" *)",
	 "(blue)&(mug|mug:*)"},
	{"mug \u20ac", NULL, NULL, "(\"mug\" OR \"mug\" *)", "(mug|mug:*)"},
	{"AB-1", NULL, NULL, "(\"ab 1\")", "((ab:A<->1:A)|(ab:B<->1:B)|(ab:C<->1:C)|(ab:D<->1:D))"},
	{"a\"b'c\\:*", NULL, NULL, "(\"a b c\")",
	 "((a:A<->b:A<->c:A)|(a:B<->b:B<->c:B)|(a:C<->b:C<->c:C)|(a:D<->b:D<->c:D))"},
	{"\" OR *", NULL, NULL, "(\"or\")", "(or)"},
	{"lamps x", NULL, NULL, "(\"lamps\" OR \"lamp\") AND (\"x\")", "(lamps|lamp)&(x)"},
	{"boxes x", NULL, NULL, "(\"boxes\" OR \"boxe\" OR \"box\") AND (\"x\")",
	 "(boxes|boxe|box)&(x)"},
	{"batteries x", NULL, NULL, "(\"batteries\" OR \"batterie\" OR \"battery\") AND (\"x\")",
	 "(batteries|batterie|battery)&(x)"},
	{"glass gas x", NULL, NULL, "(\"glass\") AND (\"gas\") AND (\"x\")", "(glass)&(gas)&(x)"},
	{"\u8336", NULL, NULL, "(\"\u8336\" *)", "(\u8336:*)"},
	{"\u7eff\u8336", NULL, NULL, "(\"\u7eff\u8336\")", "(\u7eff\u8336)"},
	{"\u73c8\u7432\u3000\u8c46", NULL, NULL, "(\"\u73c8\u7432\") AND (\"\u8c46\" *)",
	 "(\u73c8\u7432)&(\u8c46:*)"},
	{"***", NULL, NULL, "", ""},
	{"", NULL, NULL, "", ""},
	{"***", "kitchen", "x", "", ""},
	{"\u00bf \u201d \u2192 \u2bff \u3002 \ufffd \U0001f980", "kitchen", "\u2665", "", ""},
	{"mu", "Pots & Pans", "\u2665", "(\"mu\") AND labels : \"pots pans\"", "(mu)"},
	{"mu", "&", "blue", "(\"mu\") AND labels : \"blue\"", "(mu)"},
};

START_TEST(words_become_a_query)
{
	const char *matches[] = {queries[_i].sqlite, queries[_i].postgres};

	for (enum db_dialect dialect = DB_SQLITE; dialect <= DB_POSTGRES; dialect++) {
		struct product_search search CLEANUP(product_search_release) = {0};

		ck_assert_int_eq(product_search_init(NULL, dialect, queries[_i].q,
						     queries[_i].category, queries[_i].tag, true,
						     &search),
				 0);
		ck_assert_str_eq(text_string(&search.match), matches[dialect]);
		ck_assert_int_eq(search.has_beginning, strstr(matches[dialect], "mug") != NULL);
	}
}
END_TEST

START_TEST(sixteen_words_are_enough)
{
	struct product_search search CLEANUP(product_search_release) = {0};
	const char *q = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 * 17";

	ck_assert_int_eq(product_search_init(NULL, DB_SQLITE, q, NULL, NULL, true, &search),
			 -EINVAL);
	ck_assert_int_eq(product_search_init(NULL, DB_SQLITE, q + 2, NULL, NULL, true, &search), 0);
	product_search_release(&search);
	q = "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a 1";
	ck_assert_int_eq(product_search_init(NULL, DB_SQLITE, q, NULL, NULL, true, &search),
			 -EINVAL);
	ck_assert_int_eq(product_search_init(NULL, DB_SQLITE, q + 2, NULL, NULL, true, &search), 0);
	product_search_release(&search);
	q = "绿茶杯子绿茶杯子绿茶杯子绿茶杯子绿茶杯子绿茶杯子 绿茶";
	ck_assert_int_eq(product_search_init(NULL, DB_SQLITE, q, NULL, NULL, true, &search), 0);
}
END_TEST

START_TEST(the_score_has_a_query_for_each_way_and_field)
{
	struct product_search search CLEANUP(product_search_release) = {0};

	ck_assert_int_eq(
		product_search_init(NULL, DB_POSTGRES, "ab-1 mug", NULL, NULL, true, &search), 0);
	ck_assert_str_eq(text_string(&search.score),
			 "{\"ab:A<->1:A\",\"ab:B<->1:B\",\"ab:C<->1:C\","
			 "\"mug:A\",\"mug:B\",\"mug:C\",\"mug:*A\",\"mug:*B\",\"mug:*C\"}");
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
	{{.q = "spo", ANY}, NULL, "Spoon,"},
	{{.q = "mug spo", ANY}, NULL, "Spoon,"},
	{{.q = "spo mug", ANY}, NULL, ""},
	{{.q = "mugs", ANY}, NULL, "Spoon,Blue mug,Plain Mug,Holder,Tray,"},
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

/* What the service's task does. */
static void catch_up(void)
{
	int r;

	while ((r = db_transaction(products_db, word_index_catch_up_some, NULL)) > 0)
		;
	ck_assert_int_eq(r, 0);
}

static int64_t total(const char *q)
{
	struct listing_page page = {.filter = {.q = q, ANY}, .limit = 100};
	listing_next(&page);
	ck_assert_int_eq((int64_t)page.count, page.total);
	ck_assert(page.all);
	return page.total;
}

START_TEST(the_index_follows_the_products)
{
	ck_assert_int_eq(total("tray"), 1);
	execute("UPDATE products SET name = 'Board', version = 2 WHERE name = 'Tray'");
	catch_up();
	ck_assert_int_eq(total("tray"), 0);
	ck_assert_int_eq(total("board"), 1);
	execute("UPDATE products SET deleted_at = 1 WHERE name = 'Board'");
	ck_assert_int_eq(total("board"), 0);
	execute("UPDATE products SET description = 'hidden' WHERE name = 'Board'");
	catch_up();
	ck_assert_int_eq(total("hidden"), 0);
	execute("UPDATE products SET deleted_at = NULL WHERE name = 'Board'");
	ck_assert_int_eq(total("hidden"), 1);
	execute("DELETE FROM products WHERE name = 'Board'");
	execute("DELETE FROM products WHERE name = 'Holder'");
	if (!store_is_postgres())
		execute("INSERT INTO product_search (product_search) VALUES ('integrity-check')");
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

static void add_widgets(void)
{
	products_add((struct product_input){.name = "zqwidget old",
					    .sku = "OLD-1",
					    .price = 7,
					    .inventory = 5,
					    .category = "oldcat"},
		     "[\"oldtag\"]", NULL);
	execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
		" INSERT INTO products (id, name, description, price, inventory, category, tags,"
		" created_at, updated_at) SELECT i, 'zqwidget new ' || i, '', 1, 0, 'newcat',"
		" '[\"newtag\"]', i, i FROM n");
}

static const struct product_filter narrow[] = {
	{.q = "zqwidget", .category = "oldcat", ANY},
	{.q = "zqwidget", .tag = "oldtag", ANY},
	{.q = "zqwidget", .sku = "OLD-1", ANY},
	{.q = "zqwidget", .category = "oldcat", .tag = "oldtag", ANY},
	{.q = "zqwidget", .min_price = 2, .max_price = -1, .in_stock = -1, .low_stock = -1},
	{.q = "zqwidget", .min_price = -1, .max_price = -1, .in_stock = 1, .low_stock = -1},
};

START_TEST(filters_come_before_the_bound)
{
	static const char *const sorts[] = {NULL, "name"};

	add_widgets();
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		struct listing_page page = {.filter = narrow[_i], .sort = sorts[i], .limit = 10};

		listing_next(&page);
		ck_assert_uint_eq(page.count, 1);
		ck_assert_str_eq(page.names[0], "zqwidget old");
		ck_assert_int_eq(page.total, 1);
	}
}
END_TEST

START_TEST(many_whole_words_leave_no_room_for_beginnings)
{
	products_add((struct product_input){.name = "zqwidgetry"}, NULL, NULL);
	ck_assert_int_eq(total("zqwidget"), 1);
	add_widgets();
	products_add((struct product_input){.name = "zqwidgets"}, NULL, NULL);
	struct listing_page page = {.filter = {.q = "zqwidget", ANY}, .limit = 1};
	listing_next(&page);
	ck_assert_str_eq(page.names[0], "zqwidget new 1100");
	ck_assert_int_eq(page.total, PRODUCT_SEARCH_CANDIDATES);
}
END_TEST

/* Names zqm10 to zqm49, and one product that has many words: it also begins with zqm. */
static void add_beginnings(int places)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 49)"
		 " INSERT INTO products (id, name, description, price, inventory, tags, created_at,"
		 " updated_at) SELECT i, 'zqm' || i, CASE i WHEN 49 THEN"
		 " replace(hex(zeroblob(%d)), '00', ' zqm49') ELSE '' END, 1, 0, '[]', i, i FROM n",
		 places);
	execute(sql);
}

START_TEST(a_beginning_of_many_words_finds_all)
{
	add_beginnings(100);
	ck_assert_int_eq(total("zqm"), 40);
	ck_assert_int_eq(total("zqm1"), 10);
	ck_assert_int_eq(total("zqm49"), 1);
}
END_TEST

/* FTS5 must not read them all, however short the typed text is. */
START_TEST(a_beginning_of_many_words_in_many_places_is_cut)
{
	struct listing_page page = {.filter = {.q = "zqm", ANY}, .limit = 100};

	add_beginnings(BEGINNINGS_PLACES);
	listing_next(&page);
	ck_assert_int_eq(page.total, BEGINNINGS_MAX);
	ck_assert(!page.all);
	ck_assert_str_eq(page.names[0], "zqm41");
	ck_assert_int_eq(total("zqm1"), 10);
	ck_assert_int_eq(total("zqm4"), 10);
}
END_TEST

struct common {
	const char *q;
	bool is_common;
};

static int read_common(struct db_conn *conn, void *argument)
{
	struct common *common = argument;
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	const struct product_filter filter = {.q = common->q, ANY};
	int r = product_listing_init(conn, &filter, product_order_find(NULL, true), 0, &listing);

	common->is_common = listing.search.is_common;
	return r;
}

/* On PostgreSQL: its planner has no statistics of beginnings, and would walk over all products. */
START_TEST(what_is_not_common_comes_from_the_index)
{
	struct common common[] = {{"zqwidget", true}, {"zqwid", true}, {"zqwidget-new", true},
				  {"old", false},     {"oldc", false}, {"zqnothing", false},
				  {"new old", false}, {"cafe", false}};

	add_widgets();
	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		bool expected = common[i].is_common;

		ck_assert_int_eq(db_read(products_db, read_common, &common[i]), 0);
		ck_assert_msg(common[i].is_common == expected, "%s", common[i].q);
	}
}
END_TEST

/* A product as an old replica writes it: its statements name no column for words. */
START_TEST(products_of_before_get_their_words)
{
	execute("INSERT INTO products (id, name, description, price, inventory, tags, created_at,"
		" updated_at) VALUES ('old', 'Plain \u0427\u0430\u0439', '', 1, 0, '[]', 1, 1)");
	ck_assert_int_eq(total("plain"), 2);
	catch_up();
	ck_assert_int_eq(total("\u0447\u0430\u0439"), 1);
	execute("UPDATE products SET name = 'Kaf\u00e9', version = version + 1 WHERE id = 'old'");
	catch_up();
	ck_assert_int_eq(total("kafe"), 1);
	ck_assert_int_eq(total("\u0447\u0430\u0439"), 0);
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
	tcase_add_loop_test(words, words_become_a_query, 0, ARRAY_SIZE(queries));
	tcase_add_test(words, sixteen_words_are_enough);
	tcase_add_test(words, the_score_has_a_query_for_each_way_and_field);
	TCase *tcase = tcase_create("product search");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, open_with_products, products_close);
	tcase_add_loop_test(tcase, matches_are_ranked, 0, ARRAY_SIZE(searches));
	tcase_add_test(tcase, the_index_follows_the_products);
	if (!store_is_postgres())
		tcase_add_test(tcase, stock_leaves_the_index_alone);
	tcase_add_test(tcase, inserts_do_not_shift_pages);
	tcase_add_test(tcase, only_the_newest_matches_are_candidates);
	tcase_add_loop_test(tcase, filters_come_before_the_bound, 0, ARRAY_SIZE(narrow));
	tcase_add_test(tcase, many_whole_words_leave_no_room_for_beginnings);
	tcase_add_test(tcase, products_of_before_get_their_words);
	if (store_is_postgres())
		tcase_add_test(tcase, what_is_not_common_comes_from_the_index);
	if (!store_is_postgres()) {
		tcase_add_test(tcase, a_beginning_of_many_words_finds_all);
		tcase_add_test(tcase, a_beginning_of_many_words_in_many_places_is_cut);
	}
	if (!store_is_postgres())
		tcase_add_test(tcase, the_index_hands_out_candidates_in_order);
	return store_main(suite);
}
