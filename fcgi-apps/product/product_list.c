#include "product/product_list.h"

#include "responder/paging.h"

#define SQL_MAX 8192
#define KEY_MAX 4096

#define QUOTE(text)      QUOTE_TEXT(text)
#define QUOTE_TEXT(text) #text

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

void product_statement_release(struct product_statement *statement)
{
	text_release(&statement->sql);
}

static void add(struct product_statement *statement, const char *sql)
{
	text_append_string(&statement->sql, sql);
}

/* Appends before, a parameter and after. */
static void add_value(struct product_statement *statement, const char *before,
		      struct db_value value, const char *after)
{
	if (statement->count == PRODUCT_STATEMENT_VALUES) {
		statement->sql.error = -EMSGSIZE;
		return;
	}
	statement->values[statement->count++] = value;
	text_printf(&statement->sql, "%s$%zu%s", before, statement->count, after);
}

static bool sorts_by(const struct product_listing *listing, const char *column)
{
	return strcmp(listing->order->first, column) == 0;
}

/* A tag's products in order of creation come straight from product_tags. Else each product is
 * looked up there. */
static bool walks_tag(const struct product_listing *listing)
{
	return listing->filter.tag && listing->source == PRODUCTS_IN_ORDER &&
	       sorts_by(listing, "created_at");
}

/* The products of this kind have an index in order of creation. */
static bool walks_kind(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	return (filter->in_stock == 0 || filter->low_stock == 1) && !filter->tag &&
	       !filter->category && listing->source == PRODUCTS_IN_ORDER &&
	       sorts_by(listing, "created_at");
}

/* By updated_at they come from the list of changes, but few are looked up and sorted: those of ids,
 * and of a sku, whose index has no deleted ones. */
static bool walks_changes(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	return sorts_by(listing, "updated_at") && listing->source == PRODUCTS_IN_ORDER &&
	       !filter->ids && (!filter->sku || filter->deleted);
}

static void add_tag(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (filter->tag)
		add_value(statement, " AND EXISTS (SELECT 1 FROM product_tags WHERE tag = ",
			  db_text(filter->tag),
			  " AND product_created_at = products.created_at"
			  " AND product_id = products.id)");
}

/*
 * The price range is answered from its index only in the order of prices, and where few products
 * are in it. Elsewhere "+ 0" keeps it out of the planner's reach: it would rather read and sort
 * every product of the range than walk the listing's own index.
 */
static void add_price_range(struct product_statement *statement,
			    const struct product_listing *listing, bool indexed)
{
	const char *price = indexed ? " AND price" : " AND price + 0";

	if (listing->filter.min_price >= 0) {
		add(statement, price);
		add_value(statement, " >= ", db_int(listing->filter.min_price), "");
	}
	if (listing->filter.max_price >= 0) {
		add(statement, price);
		add_value(statement, " <= ", db_int(listing->filter.max_price), "");
	}
}

static void add_time(struct product_statement *statement, const char *column, const char *operator,
		     const int64_t * time)
{
	if (!time)
		return;
	text_printf(&statement->sql, " AND %s %s", column, operator);
	add_value(statement, " ", db_int(*time), "");
}

static const char *created_column(const struct product_listing *listing)
{
	return walks_tag(listing) ? "product_created_at" : "created_at";
}

/* Those that the order's own index answers. */
static void add_sought_times(struct product_statement *statement,
			     const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (sorts_by(listing, "created_at") && listing->source == PRODUCTS_IN_ORDER) {
		add_time(statement, created_column(listing), ">=", filter->created_after);
		add_time(statement, created_column(listing), "<", filter->created_before);
	}
	if (walks_changes(listing))
		add_time(statement, "changed_at", ">=", filter->updated_after);
}

/* As with prices: only the index that is walked shall answer them. */
static void add_times(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	add_sought_times(statement, listing);
	if (!sorts_by(listing, "created_at") || listing->source != PRODUCTS_IN_ORDER) {
		add_time(statement, "created_at + 0", ">=", filter->created_after);
		add_time(statement, "created_at + 0", "<", filter->created_before);
	}
	if (!walks_changes(listing))
		add_time(statement, "updated_at + 0", ">=", filter->updated_after);
}

/* Where a tag is walked, no planner is to walk the category instead: one without statistics would.
 */
static void add_category(struct product_statement *statement, const struct product_listing *listing)
{
	if (listing->filter.category)
		add_value(statement,
			  walks_tag(listing) ? " AND coalesce(category, '') = "
					     : " AND category = ",
			  db_text(listing->filter.category), "");
}

/* Those that an index answers. */
static void add_exact(struct product_statement *statement, enum db_dialect dialect,
		      const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (filter->sku)
		add_value(statement, " AND sku = ", db_text(filter->sku), "");
	if (filter->ids)
		add_value(statement,
			  dialect == DB_POSTGRES ? " AND id IN (SELECT json_array_elements_text("
						 : " AND id IN (SELECT value FROM json_each(",
			  db_text(filter->ids), dialect == DB_POSTGRES ? "::json))" : "))");
	add_category(statement, listing);
}

static void add_conditions(struct product_statement *statement, enum db_dialect dialect,
			   const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	add(statement, filter->deleted ? " deleted_at IS NOT NULL" : " deleted_at IS NULL");
	add_exact(statement, dialect, listing);
	add_price_range(statement, listing, sorts_by(listing, "price"));
	add_times(statement, listing);
	if (filter->in_stock >= 0)
		add(statement,
		    filter->in_stock ? " AND NOT is_out_of_stock" : " AND is_out_of_stock");
	if (filter->low_stock >= 0)
		add(statement, filter->low_stock ? " AND is_low_stock" : " AND NOT is_low_stock");
}

/* Those of one filter, with an index of their own. */
static void add_few(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (listing->source == PRODUCTS_BY_TAG) {
		add_value(statement, " FROM product_tags CROSS JOIN products WHERE tag = ",
			  db_text(filter->tag), " AND products.id = product_id AND");
	} else {
		add(statement, " FROM products WHERE");
	}
	add(statement, " deleted_at IS NULL");
	if (listing->source == PRODUCTS_OUT_OF_STOCK)
		add(statement, " AND is_out_of_stock");
	if (listing->source == PRODUCTS_LOW_ON_STOCK)
		add(statement, " AND is_low_stock");
	if (listing->source == PRODUCTS_BY_CREATION) {
		add_time(statement, "created_at", ">=", filter->created_after);
		add_time(statement, "created_at", "<", filter->created_before);
	}
	if (listing->source != PRODUCTS_BY_PRICE)
		return;
	if (filter->category)
		add_value(statement, " AND category = ", db_text(filter->category), "");
	add_price_range(statement, listing, true);
}

/* Whether more than the words decides: the index holds the live products and nothing else. */
static bool narrows_search(const struct product_filter *filter)
{
	return filter->sku || filter->ids || filter->category || filter->tag ||
	       filter->min_price >= 0 || filter->max_price >= 0 || filter->in_stock >= 0 ||
	       filter->low_stock >= 0 || filter->created_after || filter->created_before ||
	       filter->updated_after;
}

/* Whether each match must be looked at: no index knows its words together with these. */
static bool looks_at_matches(const struct product_filter *filter)
{
	return filter->min_price >= 0 || filter->max_price >= 0 || filter->in_stock >= 0 ||
	       filter->low_stock >= 0 || filter->created_after || filter->created_before ||
	       filter->updated_after || filter->deleted;
}

#define CANDIDATES " LIMIT " QUOTE(PRODUCT_SEARCH_CANDIDATES)
#define LOOKED_AT  " LIMIT " QUOTE(PRODUCT_SEARCH_LOOKED_AT)
#define FTS_MATCHES                                                                                \
	" FROM product_search WHERE product_search MATCH $1 AND rowid <= $2 ORDER BY rowid DESC"

/* SQLite's index of words knows no filters. Few products are asked for their words; otherwise the
 * matches, which come in order, for their products. */
static void add_fts_hits(struct product_statement *statement, const struct product_listing *listing,
			 const char *score)
{
	const struct product_filter *filter = &listing->filter;
	bool few = filter->sku || filter->ids;

	if (!narrows_search(filter)) {
		text_printf(&statement->sql,
			    "SELECT rowid AS hit, %s AS score" FTS_MATCHES CANDIDATES, score);
		return;
	}
	text_printf(&statement->sql,
		    few ? "SELECT few.seq AS hit, %s AS score FROM (SELECT seq FROM products WHERE"
			: "SELECT hit, score FROM (SELECT rowid AS hit, %s AS score" FTS_MATCHES
				    LOOKED_AT
			  ") AS matches CROSS JOIN products WHERE products.seq = hit AND",
		    score);
	add_conditions(statement, DB_SQLITE, listing);
	add_tag(statement, listing);
	add(statement, few ? ") AS few CROSS JOIN product_search WHERE product_search MATCH $1"
			     " AND product_search.rowid = few.seq AND few.seq <= $2"
			   : CANDIDATES);
}

static void add_tsvector_hits(struct product_statement *statement,
			      const struct product_listing *listing, const char *score)
{
	bool looks_at = looks_at_matches(&listing->filter);

	text_printf(&statement->sql, "SELECT seq AS hit, %s AS score FROM %sproducts WHERE", score,
		    looks_at ? "(SELECT * FROM " : "");
	add(statement, " deleted_at IS NULL AND search @@ $1::tsquery AND seq <= $2");
	add_exact(statement, DB_POSTGRES, listing);
	add_tag(statement, listing);
	if (looks_at) {
		add(statement, " ORDER BY seq DESC" LOOKED_AT ") AS products WHERE");
		add_conditions(statement, DB_POSTGRES, listing);
	}
	add(statement, " ORDER BY seq DESC" CANDIDATES);
}

/* The newest products that have the words and fit the filters: their seq as hit, and a score. */
static void add_found(struct product_statement *statement, enum db_dialect dialect,
		      const struct product_listing *listing, bool ranked)
{
	const char *score = ranked ? product_search_score(dialect) : "0";

	statement->values[statement->count++] = product_search_match(dialect, &listing->search);
	statement->values[statement->count++] = db_int(listing->top);
	if (ranked && dialect == DB_POSTGRES)
		statement->values[statement->count++] =
			db_text(text_string(&listing->search.score));
	add(statement, "WITH hits AS MATERIALIZED (");
	if (dialect == DB_SQLITE)
		add_fts_hits(statement, listing, score);
	else
		add_tsvector_hits(statement, listing, score);
	add(statement, ")");
}

static void add_hits(struct product_statement *statement, enum db_dialect dialect,
		     const struct product_listing *listing, bool ranked)
{
	if (listing->source != PRODUCTS_FOUND) {
		add(statement, "WITH hits AS MATERIALIZED (SELECT seq AS hit, 0 AS score,"
			       " id, name, price, category, created_at, updated_at, deleted_at,"
			       " is_out_of_stock, is_low_stock");
		add_few(statement, listing);
		add(statement, ")");
		return;
	}
	add_found(statement, dialect, listing, ranked);
}

/*
 * In the text: where it is a value, PostgreSQL plans the statement anew each time, as it does
 * wherever the plan for any value looks more expensive than one for these values. That takes longer
 * than the page. Clients use few limits, so few texts.
 */
static void add_limit(struct product_statement *statement, int64_t limit)
{
	text_printf(&statement->sql, " LIMIT %lld", (long long)limit);
}

struct sort_keys {
	const char *first;
	const char *second;
};

static void add_position(struct product_statement *statement, struct sort_keys keys,
			 bool descending, const struct product_position *after)
{
	if (!after)
		return;
	text_printf(&statement->sql, " AND (%s, %s) %s (", keys.first, keys.second,
		    descending ? "<" : ">");
	add_value(statement, "", after->first, ", ");
	add_value(statement, "", after->second, ")");
}

static void add_horizon(struct product_statement *statement, struct sort_keys keys, bool descending,
			const struct product_horizon *horizon)
{
	if (!horizon || !horizon->ahead)
		return;
	text_printf(&statement->sql, " AND (%s, %s) %s (", keys.first, keys.second,
		    descending ? ">=" : "<=");
	add_value(statement, "", horizon->position.first, ", ");
	add_value(statement, "", horizon->position.second, ")");
}

static void add_order(struct product_statement *statement, struct sort_keys keys, bool descending)
{
	const char *direction = descending ? "DESC" : "ASC";

	text_printf(&statement->sql, " ORDER BY %s %s, %s %s", keys.first, direction, keys.second,
		    direction);
}

/* The hits that count, as a subject for conditions: those of a search fit the filters already, and
 * come with their products where these are needed. */
static void add_counted_hits(struct product_statement *statement, enum db_dialect dialect,
			     const struct product_listing *listing, bool products)
{
	if (listing->source == PRODUCTS_FOUND) {
		add(statement,
		    products ? " FROM hits CROSS JOIN products WHERE products.seq = hits.hit"
			     : " FROM hits WHERE 1 = 1");
		return;
	}
	add(statement, " FROM hits AS products WHERE");
	add_conditions(statement, dialect, listing);
	add_tag(statement, listing);
}

/* The candidates' keys are filtered and sorted first; only a page of them is read in full. */
static void build_search(struct product_statement *statement, enum db_dialect dialect,
			 const struct product_listing *listing,
			 const struct product_position *after, int64_t limit)
{
	const struct product_order *order = listing->order;
	struct sort_keys keys = {order->first, order->second};

	add_hits(statement, dialect, listing, order == &by_rank);
	add(statement, ", page AS MATERIALIZED (SELECT hit AS page_hit, score AS page_score");
	add_counted_hits(statement, dialect, listing, order != &by_rank);
	add_position(statement, keys, order->descending, after);
	add_order(statement, keys, order->descending);
	add_limit(statement, limit);
	add(statement, ")");
	add(statement, " SELECT " PRODUCT_COLUMNS ", page_score AS score, page_hit AS hit"
		       " FROM page CROSS JOIN products WHERE products.seq = page_hit");
	add_order(statement, keys, order->descending);
}

/* Each change's product, one after the other. "OFFSET 0" keeps PostgreSQL from starting with the
 * products and looking through all changes for each, which it does while it has no figures of them.
 */
static const char *const product_changes_join[] = {
	" FROM product_changes CROSS JOIN products WHERE products.id = product_id AND",
	" FROM product_changes CROSS JOIN LATERAL"
	" (SELECT * FROM products WHERE id = product_id OFFSET 0) AS products WHERE",
};

/* What a walk is sorted by. */
static struct sort_keys keys_of(const struct product_listing *listing)
{
	if (walks_tag(listing))
		return (struct sort_keys){"product_created_at", "product_id"};
	if (walks_changes(listing))
		return (struct sort_keys){"changed_at", "product_id"};
	return (struct sort_keys){listing->order->first, listing->order->second};
}

/* The products in their order, where the walk tells it, as a subject for more conditions. */
static void add_walked(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing)
{
	if (walks_tag(listing)) {
		add_value(statement, " FROM product_tags CROSS JOIN products WHERE tag = ",
			  db_text(listing->filter.tag), " AND products.id = product_id AND");
		add_conditions(statement, dialect, listing);
		return;
	}
	if (walks_changes(listing)) {
		add(statement, product_changes_join[dialect == DB_POSTGRES]);
		text_printf(&statement->sql, " deleted = %d AND", listing->filter.deleted);
	} else {
		add(statement, " FROM products WHERE");
	}
	add_conditions(statement, dialect, listing);
	add_tag(statement, listing);
}

static void build_walk(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing, const struct product_position *after,
		       const struct product_horizon *horizon, int64_t limit)
{
	const struct product_order *order = listing->order;
	struct sort_keys keys = keys_of(listing);

	add(statement, "SELECT " PRODUCT_COLUMNS);
	add_walked(statement, dialect, listing);
	add_position(statement, keys, order->descending, after);
	add_horizon(statement, keys, order->descending, horizon);
	add_order(statement, keys, order->descending);
	add_limit(statement, limit);
}

int product_listing_statement(enum db_dialect dialect, const struct product_listing *listing,
			      const struct product_position *after,
			      const struct product_horizon *horizon, int64_t limit,
			      struct product_statement *ret_statement)
{
	struct product_statement statement = {0};
	int r;

	text_init(&statement.sql, SQL_MAX);
	if (listing->source != PRODUCTS_IN_ORDER)
		build_search(&statement, dialect, listing, after, limit);
	else
		build_walk(&statement, dialect, listing, after, horizon, limit);
	r = text_error(&statement.sql);
	if (r < 0) {
		product_statement_release(&statement);
		return r;
	}
	*ret_statement = statement;
	return 0;
}

int product_listing_page(struct db_conn *conn, const struct product_listing *listing,
			 const struct product_position *after,
			 const struct product_horizon *horizon, int64_t limit,
			 struct db_rows **ret_rows)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int r = product_listing_statement(db_dialect(conn), listing, after, horizon, limit,
					  &statement);

	if (r < 0)
		return r;
	return db_query(conn, text_string(&statement.sql), statement.values, statement.count,
			ret_rows);
}

static int run_count(struct db_conn *conn, const struct product_listing *listing,
		     const struct product_horizon *horizon, int64_t *ret_count)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	enum db_dialect dialect = db_dialect(conn);
	int r;

	text_init(&statement.sql, SQL_MAX);
	if (listing->source != PRODUCTS_IN_ORDER) {
		add_hits(&statement, dialect, listing, false);
		add(&statement, " SELECT count(*)");
		add_counted_hits(&statement, dialect, listing, false);
	} else {
		add(&statement, "SELECT count(*) FROM (SELECT 1");
		add_walked(&statement, dialect, listing);
		add_horizon(&statement, keys_of(listing), listing->order->descending, horizon);
		add(&statement, " LIMIT " PAGING_COUNTED ") AS counted");
	}
	r = text_error(&statement.sql);
	if (r < 0)
		return r;
	return db_query_int(conn, text_string(&statement.sql), statement.values, statement.count,
			    ret_count);
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
	return r;
}

/* Whether products are walked over that the filters leave out. A sku and ids are sought. */
static bool leaves_out(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;
	bool prices = filter->min_price >= 0 || filter->max_price >= 0;
	bool created = filter->created_after || filter->created_before;

	if (filter->sku || filter->ids || listing->source != PRODUCTS_IN_ORDER)
		return false;
	if (filter->in_stock >= 0 || filter->low_stock >= 0)
		return true;
	if ((created && !sorts_by(listing, "created_at")) ||
	    (prices && !sorts_by(listing, "price")) ||
	    (filter->updated_after && !walks_changes(listing)))
		return true;
	/* These have no categories. */
	if (filter->category && (walks_tag(listing) || walks_changes(listing)))
		return true;
	return filter->tag && !walks_tag(listing);
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

/* What an index has in the listing's order, filters or not. */
static void add_passed(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (walks_tag(listing)) {
		add_value(statement, " FROM product_tags WHERE tag = ", db_text(filter->tag), "");
		add_sought_times(statement, listing);
		return;
	}
	if (walks_changes(listing)) {
		text_printf(&statement->sql, " FROM product_changes WHERE deleted = %d",
			    filter->deleted);
		add_sought_times(statement, listing);
		return;
	}
	add(statement, " FROM products WHERE deleted_at IS NULL");
	add_sought_times(statement, listing);
	if (walks_kind(listing))
		add(statement,
		    filter->in_stock == 0 ? " AND is_out_of_stock" : " AND is_low_stock");
	if (filter->category)
		add_value(statement, " AND category = ", db_text(filter->category), "");
	if (sorts_by(listing, "price"))
		add_price_range(statement, listing, true);
}

/* 1: few products, or none, come from this source; 0: more. */
static int are_few(struct db_conn *conn, const struct product_listing *listing)
{
	struct product_statement statement CLEANUP(product_statement_release) = {0};
	int64_t one;
	int r;

	text_init(&statement.sql, SQL_MAX);
	add(&statement, "SELECT 1");
	if (listing->source == PRODUCTS_IN_ORDER)
		add_passed(&statement, listing);
	else
		add_few(&statement, listing);
	text_printf(&statement.sql, " LIMIT 1 OFFSET %d", PRODUCT_FEW);
	r = text_error(&statement.sql);
	if (r == 0)
		r = db_query_int(conn, text_string(&statement.sql), statement.values,
				 statement.count, &one);
	return r == -ENOENT ? 1 : r;
}

/* The first that has few. A walk over few is best: it ends once the page is full. */
static int choose_source(struct db_conn *conn, struct product_listing *listing)
{
	static const enum product_source sources[] = {PRODUCTS_IN_ORDER,     PRODUCTS_OUT_OF_STOCK,
						      PRODUCTS_LOW_ON_STOCK, PRODUCTS_BY_PRICE,
						      PRODUCTS_BY_CREATION,  PRODUCTS_BY_TAG};

	/* Deleted ones are in no index but that of changes. */
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
	const char *bytes;

	if (!is_text) {
		*ret_value = db_int(db_column_int(row, column));
		return 0;
	}
	bytes = db_column_text(row, column, &length);
	text_init(text, KEY_MAX);
	text_append(text, bytes, length);
	*ret_value = db_text(text_string(text));
	return text_error(text);
}

static int read_horizon(struct db_rows *rows, const struct product_order *order,
			struct product_horizon *horizon)
{
	int r = db_next(rows);

	if (r <= 0)
		return r;
	horizon->ahead = true;
	r = keep_key(rows, 0, order->first_is_text, &horizon->first, &horizon->position.first);
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
	const struct product_order *order = listing->order;
	struct sort_keys keys = keys_of(listing);
	int r;

	if (listing->is_short || !leaves_out(listing))
		return 0;
	text_init(&statement.sql, SQL_MAX);
	text_printf(&statement.sql, "SELECT %s, %s", keys.first, keys.second);
	add_passed(&statement, listing);
	add_position(&statement, keys, order->descending, after);
	add_order(&statement, keys, order->descending);
	text_printf(&statement.sql, " LIMIT 1 OFFSET %d", PRODUCT_HORIZON - 1);
	r = text_error(&statement.sql);
	if (r == 0)
		r = db_query(conn, text_string(&statement.sql), statement.values, statement.count,
			     &rows);
	return r < 0 ? r : read_horizon(rows, order, ret_horizon);
}

/* Whether so many products have the last word as it is that none is looked for where it is the
 * beginning of one. */
static int count_whole(struct db_conn *conn, const struct product_listing *listing)
{
	enum db_dialect dialect = db_dialect(conn);
	struct product_search whole CLEANUP(product_search_release) = {0};
	int64_t count;
	int r = product_search_init(dialect, listing->filter.q, NULL, NULL, false, &whole);

	if (r < 0)
		return r;
	r = db_query_int(conn, product_search_count(dialect),
			 DB_VALUES(product_search_match(dialect, &whole), db_int(listing->top)),
			 &count);
	return r < 0 ? r : count == PRODUCT_SEARCH_CANDIDATES;
}

static int init_search(struct db_conn *conn, struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;
	struct product_search *search = &listing->search;
	enum db_dialect dialect = db_dialect(conn);
	int r = product_search_init(dialect, filter->q, filter->category, filter->tag, true,
				    search);

	if (r == 0 && listing->top == 0)
		r = db_query_int(conn, "SELECT coalesce(max(seq), 0) FROM products", DB_NO_VALUES,
				 &listing->top);
	if (r == 0 && search->has_beginning)
		r = count_whole(conn, listing);
	if (r <= 0)
		return r;
	product_search_release(search);
	return product_search_init(dialect, filter->q, filter->category, filter->tag, false,
				   search);
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
	} else if (leaves_out(&listing)) {
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
