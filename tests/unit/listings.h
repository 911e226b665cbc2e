/* What the tests of listings share: reading pages, and the plan of the query behind them. */
#ifndef TESTS_UNIT_LISTINGS_H
#define TESTS_UNIT_LISTINGS_H

#include "product/product_statement.h"
#include "products.h"

#define LISTING_MAX 512

/* No filter at all. */
#define ANY .min_price = -1, .max_price = -1, .in_stock = -1, .low_stock = -1

struct listing_page {
	struct product_filter filter;
	const char *sort;
	int64_t limit;
	int64_t top;
	enum product_source source; /* as it would be chosen among many products; without q */

	/* the position after the page, for the next one; moved says whether there is one */
	bool moved;
	char first[64];
	char second[64];

	size_t count;
	char names[LISTING_MAX][32];
	int64_t total;
	bool all; /* products are in the total */
	char plan[1024];
};

static struct db_value listing_key(const char *text, bool is_text)
{
	return is_text ? db_text(text) : db_int(strtoll(text, NULL, 10));
}

static void listing_keep(struct db_rows *rows, int column, bool is_text, char buffer[64])
{
	if (is_text)
		snprintf(buffer, 64, "%s", db_column_text(rows, column, NULL));
	else
		snprintf(buffer, 64, "%lld", (long long)db_column_int(rows, column));
}

static void listing_explain(struct db_conn *conn, const struct product_listing *listing,
			    const struct product_position *after, char plan[1024])
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct text sql CLEANUP(text_release) = TEXT_INIT(16384);
	size_t length = 0;
	ck_assert_int_eq(
		product_statement_page(db_dialect(conn), listing, after, NULL, 10, &statement), 0);
	text_printf(&sql, "%s %s", store_dialect("EXPLAIN QUERY PLAN", "EXPLAIN"),
		    text_string(&statement.sql));
	ck_assert_int_eq(
		db_query(conn, text_string(&sql), statement.values, statement.count, &rows), 0);
	plan[0] = '\0';
	while (db_next(rows) == 1 && length < 900)
		length += (size_t)snprintf(plan + length, 1024 - length, "%s\n",
					   db_column_text(rows, store_is_postgres() ? 0 : 3, NULL));
}

static int listing_read(struct db_conn *conn, void *argument)
{
	struct listing_page *page = argument;
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	const struct product_order *order = product_order_find(page->sort, page->filter.q);
	ck_assert_ptr_nonnull(order);
	int r = product_listing_init(conn, &page->filter, order, page->top, &listing);
	if (r < 0)
		return r;
	struct product_position after = {listing_key(page->first, order->first_is_text),
					 listing_key(page->second, order->second_is_text)};
	page->top = listing.top;
	if (!page->filter.q)
		listing.source = page->source;
	ck_assert_int_eq(product_listing_count(conn, &listing, &page->total, &page->all), 0);
	ck_assert(page->all || page->filter.q);
	ck_assert(!page->all || !page->filter.q || page->total < PRODUCT_SEARCH_CANDIDATES);
	listing_explain(conn, &listing, page->moved ? &after : NULL, page->plan);
	ck_assert_int_eq(product_listing_page(conn, &listing, page->moved ? &after : NULL, NULL,
					      page->limit, &rows),
			 0);
	page->count = 0;
	char first[64] = "";
	char second[64] = "";
	while ((r = db_next(rows)) == 1) {
		ck_assert_uint_lt(page->count, LISTING_MAX);
		snprintf(page->names[page->count++], 32, "%s",
			 db_column_text(rows, PRODUCT_NAME, NULL));
		listing_keep(rows, order->first_column, order->first_is_text, first);
		listing_keep(rows, order->second_column, order->second_is_text, second);
	}
	if (page->count > 0) {
		page->moved = true;
		memcpy(page->first, first, sizeof(first));
		memcpy(page->second, second, sizeof(second));
	}
	return r;
}

/* The next page of a listing that was begun with {.filter, .sort, .limit}. */
static void listing_next(struct listing_page *page)
{
	ck_assert_int_eq(db_read(products_db, listing_read, page), 0);
}

#endif
