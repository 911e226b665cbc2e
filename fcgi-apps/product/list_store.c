#include "product/list_store.h"

#include "product/product_conditions.h"
#include "product/product_statement.h"

#define KEY_MAX 4096

static const struct product_order by_rank = {
	.sort = "",
	.kind = "rank",
	.kind_q = "rank",
	.first = "score",
	.second = "hit",
	.first_column = PRODUCT_SCORE,
	.second_column = PRODUCT_HIT,
	.descending = true,
};

#define ORDER(name, column, is_text)                                                               \
	{                                                                                          \
		.sort = name, .kind = name, .kind_q = "q " name, .first = name, .second = "id",    \
		.first_column = column, .second_column = PRODUCT_ID, .first_is_text = is_text,     \
		.second_is_text = true                                                             \
	}
#define ORDER_DOWN(name, column, is_text)                                                          \
	{                                                                                          \
		.sort = "-" name, .kind = "-" name, .kind_q = "q -" name, .first = name,           \
		.second = "id", .first_column = column, .second_column = PRODUCT_ID,               \
		.first_is_text = is_text, .second_is_text = true, .descending = true               \
	}

static const struct product_order orders[] = {
	ORDER_DOWN("created_at", PRODUCT_CREATED_AT, false),
	ORDER("created_at", PRODUCT_CREATED_AT, false),
	ORDER("name", PRODUCT_NAME, true),
	ORDER_DOWN("name", PRODUCT_NAME, true),
	ORDER("price", PRODUCT_PRICE, false),
	ORDER_DOWN("price", PRODUCT_PRICE, false),
	ORDER("updated_at", PRODUCT_UPDATED_AT, false),
	ORDER_DOWN("updated_at", PRODUCT_UPDATED_AT, false),
};

const struct product_order *product_order_find(const char *sort, bool with_q)
{
	if (!sort)
		return with_q ? &by_rank : &orders[0];
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (strcmp(orders[i].sort, sort) == 0)
			return &orders[i];
	}
	return NULL;
}

int product_listing_page(struct db_conn *conn, const struct product_listing *listing,
			 const struct product_position *after,
			 const struct product_horizon *horizon, int64_t limit,
			 struct db_rows **ret_rows)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int r = product_statement_page(db_dialect(conn), listing, after, horizon, limit,
				       &statement);

	if (r < 0)
		return r;
	return db_query(conn, text_string(&statement.sql), statement.values, statement.count,
			ret_rows);
}

int product_listing_ask(enum db_dialect dialect, const struct product_listing *listing,
			const struct product_position *after, int64_t limit,
			struct db_statement *ret_statement)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int r = product_statement_page(dialect, listing, after, NULL, limit, &statement);

	if (r < 0)
		return r;
	return db_statement_copy(ret_statement, text_string(&statement.sql), statement.values,
				 statement.count);
}

static int run_count(struct db_conn *conn, const struct product_listing *listing,
		     const struct product_horizon *horizon, int64_t *ret_count)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int r = product_statement_count(db_dialect(conn), listing, horizon, &statement);

	if (r < 0)
		return r;
	return db_query_int(conn, text_string(&statement.sql), statement.values, statement.count,
			    ret_count);
}

/* Whether the search's candidates are all matches. 1: yes; 0: there may be more. */
static int looks_at_all(struct db_conn *conn, const struct product_listing *listing, int64_t found)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int64_t matches = 0;
	int r = 0;

	if (listing->search.is_cut || found == PRODUCT_SEARCH_CANDIDATES)
		return 0;
	if (product_looks_at_some(db_dialect(conn), listing))
		r = product_statement_matches(db_dialect(conn), listing, &statement);
	if (r == 0 && statement.count > 0)
		r = db_query_int(conn, text_string(&statement.sql), statement.values,
				 statement.count, &matches);
	return r < 0 ? r : matches < PRODUCT_SEARCH_LOOKED_AT;
}

int product_listing_count(struct db_conn *conn, const struct product_listing *listing,
			  int64_t *ret_count, bool *ret_all)
{
	struct product_horizon horizon CLEANUP(product_horizon_release) = {0};
	int r = product_listing_horizon(conn, listing, NULL, &horizon);

	if (r == 0)
		r = run_count(conn, listing, &horizon, ret_count);
	if (r == 0)
		*ret_all = !horizon.ahead;
	if (r < 0 || horizon.ahead || listing->source != PRODUCTS_FOUND)
		return r;
	r = looks_at_all(conn, listing, *ret_count);
	*ret_all = r == 1;
	return r < 0 ? r : 0;
}

static bool applies(const struct product_listing *listing, enum product_source source)
{
	const struct product_filter *filter = &listing->filter;

	switch (source) {
	case PRODUCTS_IN_ORDER:
		return true;
	case PRODUCTS_OUT_OF_STOCK:
		return filter->in_stock == 0;
	case PRODUCTS_LOW_ON_STOCK:
		return filter->low_stock == 1;
	case PRODUCTS_BY_PRICE:
		return filter->min_price >= 0 || filter->max_price >= 0;
	case PRODUCTS_BY_CREATION:
		return filter->created_after || filter->created_before;
	case PRODUCTS_BY_TAG:
		return filter->tag;
	default:
		return false;
	}
}

/* 1: this source has few products or none; 0: more. */
static int are_few(struct db_conn *conn, const struct product_listing *listing)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int r = product_statement_few(listing, &statement);

	if (r == 0)
		r = db_exists(conn, text_string(&statement.sql), statement.values, statement.count);
	return r < 0 ? r : !r;
}

/* Takes the first source that has few products. Walking a short order is best: the walk ends once
 * the page is full. */
static int choose_source(struct db_conn *conn, struct product_listing *listing)
{
	static const enum product_source sources[] = {PRODUCTS_IN_ORDER,     PRODUCTS_OUT_OF_STOCK,
						      PRODUCTS_LOW_ON_STOCK, PRODUCTS_BY_PRICE,
						      PRODUCTS_BY_CREATION,  PRODUCTS_BY_TAG};

	/* The list of changes is the only index that has deleted products. */
	for (size_t i = 0; i < ARRAY_SIZE(sources) && !listing->filter.deleted; i++) {
		int r = 0;

		if (!applies(listing, sources[i]))
			continue;
		listing->source = sources[i];
		r = are_few(conn, listing);
		listing->is_short = r == 1 && sources[i] == PRODUCTS_IN_ORDER;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	listing->source = PRODUCTS_IN_ORDER;
	return 0;
}

void product_horizon_release(struct product_horizon *horizon)
{
	text_release(&horizon->first);
	text_release(&horizon->second);
}

static int keep_key(struct db_rows *row, int column, bool is_text, struct text *text,
		    struct db_value *ret_value)
{
	size_t length = 0;

	if (!is_text) {
		*ret_value = db_int(db_column_int(row, column));
		return 0;
	}
	const char *bytes = db_column_text(row, column, &length);
	text_init(text, KEY_MAX);
	text_append(text, bytes, length);
	*ret_value = db_text(text_string(text));
	return text_error(text);
}

static int read_horizon(struct db_rows *rows, const struct product_order *order,
			struct product_horizon *horizon)
{
	horizon->ahead = true;
	int r = keep_key(rows, 0, order->first_is_text, &horizon->first, &horizon->position.first);
	if (r == 0)
		r = keep_key(rows, 1, order->second_is_text, &horizon->second,
			     &horizon->position.second);
	return r;
}

int product_listing_horizon(struct db_conn *conn, const struct product_listing *listing,
			    const struct product_position *after,
			    struct product_horizon *ret_horizon)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;

	if (listing->is_short || !product_leaves_out(listing))
		return 0;
	int r = product_statement_horizon(listing, after, &statement);
	if (r == 0)
		r = db_query_row(conn, text_string(&statement.sql), statement.values,
				 statement.count, &rows);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return read_horizon(rows, listing->order, ret_horizon);
}

/* Whether so many products have the last word as it stands that longer words need not be found. */
static int count_whole(struct db_conn *conn, const struct product_listing *listing)
{
	enum db_dialect dialect = db_dialect(conn);
	struct product_search whole CLEANUP(product_search_release) = {0};
	int64_t count;
	int r = product_search_init(conn, dialect, listing->filter.q, NULL, NULL, false, &whole);

	if (r < 0)
		return r;
	r = db_query_int(conn, product_search_count(dialect),
			 DB_VALUES(product_search_match(dialect, &whole), db_int(listing->top)),
			 &count);
	return r < 0 ? r : count == PRODUCT_SEARCH_CANDIDATES;
}

/* Makes the query and decides where its matches come from. */
static int make_search(struct db_conn *conn, struct product_listing *listing, bool beginning)
{
	const struct product_filter *filter = &listing->filter;
	struct product_search *search = &listing->search;
	int64_t common = 0;

	product_search_release(search);
	int r = product_search_init(conn, db_dialect(conn), filter->q, filter->category,
				    filter->tag, beginning, search);
	if (r < 0 || db_dialect(conn) == DB_SQLITE)
		return r;
	r = db_query_int(conn, product_search_common(),
			 DB_VALUES(product_search_match(DB_POSTGRES, search), db_int(listing->top)),
			 &common);
	search->is_common = common == 1;
	return r;
}

static int init_search(struct db_conn *conn, struct product_listing *listing)
{
	int r = 0;

	if (listing->top == 0)
		r = db_query_int(conn, "SELECT coalesce(max(seq), 0) FROM products", DB_NO_VALUES,
				 &listing->top);
	if (r == 0)
		r = make_search(conn, listing, false);
	if (r < 0 || !listing->search.has_beginning || listing->search.is_common)
		return r;
	r = count_whole(conn, listing);
	if (r != 0)
		return r < 0 ? r : 0;
	return make_search(conn, listing, true);
}

int product_listing_init(struct db_conn *conn, const struct product_filter *filter,
			 const struct product_order *order, int64_t top,
			 struct product_listing *ret_listing)
{
	struct product_listing listing = {.filter = *filter, .order = order, .top = top};
	int r = 0;

	if (filter->q) {
		listing.source = PRODUCTS_FOUND;
		r = init_search(conn, &listing);
	} else if (product_leaves_out(&listing)) {
		r = choose_source(conn, &listing);
	}
	if (r < 0) {
		product_listing_release(&listing);
		return r;
	}
	*ret_listing = listing;
	return 0;
}

void product_listing_release(struct product_listing *listing)
{
	product_search_release(&listing->search);
}
