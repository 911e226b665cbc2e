#include "product/product_statement.h"

#include "product/product_conditions.h"
#include "responder/paging.h"

#define SQL_MAX 8192

void product_statement_release(struct product_statement *statement)
{
	text_release(&statement->sql);
}

/* Whether there are filters besides the words; the index holds live products and nothing else. */
static bool narrows_search(const struct product_filter *filter)
{
	return filter->sku || filter->ids || filter->category || filter->tag ||
	       filter->min_price >= 0 || filter->max_price >= 0 || filter->in_stock >= 0 ||
	       filter->low_stock >= 0 || filter->created_after || filter->created_before ||
	       filter->updated_after;
}

/* Whether each match must be examined: no index has words together with these filters. */
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

static bool finds_few(const struct product_filter *filter)
{
	return filter->sku || filter->ids;
}

bool product_looks_at_some(enum db_dialect dialect, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	return dialect == DB_SQLITE ? narrows_search(filter) && !finds_few(filter)
				    : looks_at_matches(filter);
}

/* SQLite's index of words has no filters. If the filters find few products, those are checked for
 * the words. Otherwise the matches, newest first, are checked by the filters. */
static void add_fts_hits(struct product_statement *statement, const struct product_listing *listing,
			 const char *score)
{
	const struct product_filter *filter = &listing->filter;
	bool few = finds_few(filter);

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
	product_sql_conditions(statement, DB_SQLITE, listing);
	product_sql_tag(statement, listing);
	product_sql_add(statement,
			few ? ") AS few CROSS JOIN product_search WHERE product_search MATCH $1"
			      " AND product_search.rowid = few.seq AND few.seq <= $2"
			    : CANDIDATES);
}

/* "+ 0" keeps the planner from walking all products in order of seq. */
static void add_tsvector_matches(struct product_statement *statement,
				 const struct product_listing *listing)
{
	product_sql_add(statement, " deleted_at IS NULL AND search @@ $1::tsquery");
	product_sql_add(statement,
			listing->search.is_common ? " AND seq <= $2" : " AND seq + 0 <= $2");
	product_sql_exact(statement, DB_POSTGRES, listing);
	product_sql_tag(statement, listing);
}

static void add_tsvector_hits(struct product_statement *statement,
			      const struct product_listing *listing, const char *score)
{
	bool looks_at = looks_at_matches(&listing->filter);
	const char *order =
		listing->search.is_common ? " ORDER BY seq DESC" : " ORDER BY seq + 0 DESC";

	text_printf(&statement->sql, "SELECT seq AS hit, %s AS score FROM ", score);
	if (listing->search.is_common && !narrows_search(&listing->filter)) {
		product_sql_add(statement,
				"(SELECT seq, search FROM products WHERE deleted_at IS NULL"
				" AND seq <= $2 ORDER BY seq DESC" LOOKED_AT
				") AS newest WHERE search @@ $1::tsquery" CANDIDATES);
		return;
	}
	text_printf(&statement->sql, "%sproducts WHERE", looks_at ? "(SELECT * FROM " : "");
	add_tsvector_matches(statement, listing);
	product_sql_add(statement, order);
	if (looks_at) {
		product_sql_add(statement, LOOKED_AT ") AS products WHERE");
		product_sql_conditions(statement, DB_POSTGRES, listing);
		product_sql_add(statement, " ORDER BY seq DESC");
	}
	product_sql_add(statement, CANDIDATES);
}

/* The values $1 and $2 of the matches. */
static void add_sought(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing)
{
	statement->values[statement->count++] = product_search_match(dialect, &listing->search);
	statement->values[statement->count++] = db_int(listing->top);
}

/* The newest products that have the words and fit the filters: their seq as hit, and a score. */
static void add_found(struct product_statement *statement, enum db_dialect dialect,
		      const struct product_listing *listing, bool ranked)
{
	const char *score = ranked ? product_search_score(dialect) : "0";

	add_sought(statement, dialect, listing);
	if (ranked)
		statement->values[statement->count++] =
			db_text(text_string(&listing->search.score));
	product_sql_add(statement, "WITH hits AS MATERIALIZED (");
	if (dialect == DB_SQLITE)
		add_fts_hits(statement, listing, score);
	else
		add_tsvector_hits(statement, listing, score);
	product_sql_add(statement, ")");
}

static void add_hits(struct product_statement *statement, enum db_dialect dialect,
		     const struct product_listing *listing, bool ranked)
{
	if (listing->source != PRODUCTS_FOUND) {
		product_sql_add(statement,
				"WITH hits AS MATERIALIZED (SELECT seq AS hit, 0 AS score,"
				" id, name, price, category, created_at, updated_at, deleted_at,"
				" is_out_of_stock, is_low_stock");
		product_sql_few(statement, listing);
		product_sql_add(statement, ")");
		return;
	}
	add_found(statement, dialect, listing, ranked);
}

/*
 * The limit is part of the text. If it were a value, PostgreSQL would plan the statement again each
 * time, as it does whenever the generic plan looks more expensive, and that takes longer than the
 * page. Clients use few different limits, so there are few texts.
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
	product_sql_value(statement, "", after->first, ", ");
	product_sql_value(statement, "", after->second, ")");
}

static void add_horizon(struct product_statement *statement, struct sort_keys keys, bool descending,
			const struct product_horizon *horizon)
{
	if (!horizon || !horizon->ahead)
		return;
	text_printf(&statement->sql, " AND (%s, %s) %s (", keys.first, keys.second,
		    descending ? ">=" : "<=");
	product_sql_value(statement, "", horizon->position.first, ", ");
	product_sql_value(statement, "", horizon->position.second, ")");
}

static void add_order(struct product_statement *statement, struct sort_keys keys, bool descending)
{
	const char *direction = descending ? "DESC" : "ASC";

	text_printf(&statement->sql, " ORDER BY %s %s, %s %s", keys.first, direction, keys.second,
		    direction);
}

/* The hits, ready for further conditions. Those of a search fit the filters already, and are joined
 * with their products only if these are needed. */
static void add_counted_hits(struct product_statement *statement, enum db_dialect dialect,
			     const struct product_listing *listing, bool products)
{
	if (listing->source == PRODUCTS_FOUND) {
		product_sql_add(
			statement,
			products ? " FROM hits CROSS JOIN products WHERE products.seq = hits.hit"
				 : " FROM hits WHERE 1 = 1");
		return;
	}
	product_sql_add(statement, " FROM hits AS products WHERE");
	product_sql_conditions(statement, dialect, listing);
	product_sql_tag(statement, listing);
}

static bool is_by_rank(const struct product_order *order)
{
	return order->sort[0] == '\0';
}

/* Filters and sorts the keys of the candidates first, and reads only one page of products in
 * full. */
static void build_search(struct product_statement *statement, enum db_dialect dialect,
			 const struct product_listing *listing,
			 const struct product_position *after, int64_t limit)
{
	const struct product_order *order = listing->order;
	struct sort_keys keys = {order->first, order->second};

	add_hits(statement, dialect, listing, is_by_rank(order));
	product_sql_add(statement,
			", page AS MATERIALIZED (SELECT hit AS page_hit, score AS page_score");
	add_counted_hits(statement, dialect, listing, !is_by_rank(order));
	add_position(statement, keys, order->descending, after);
	add_order(statement, keys, order->descending);
	add_limit(statement, limit);
	product_sql_add(statement, ")");
	product_sql_add(statement,
			" SELECT " PRODUCT_COLUMNS ", page_score AS score, page_hit AS hit"
			" FROM page CROSS JOIN products WHERE products.seq = page_hit");
	add_order(statement, keys, order->descending);
}

/* The product of each change, one by one. Without "OFFSET 0" and with no statistics yet, PostgreSQL
 * would start with the products and search all changes for each. */
static const char *const product_changes_join[] = {
	" FROM product_changes CROSS JOIN products WHERE products.id = product_id AND",
	" FROM product_changes CROSS JOIN LATERAL"
	" (SELECT * FROM products WHERE id = product_id OFFSET 0) AS products WHERE",
};

/* The sort keys of a walk. */
static struct sort_keys keys_of(const struct product_listing *listing)
{
	if (product_walks_tag(listing))
		return (struct sort_keys){"product_created_at", "product_id"};
	if (product_walks_changes(listing))
		return (struct sort_keys){"changed_at", "product_id"};
	return (struct sort_keys){listing->order->first, listing->order->second};
}

/* The products in the walk's order, ready for further conditions. */
static void add_walked(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing)
{
	if (product_walks_tag(listing)) {
		product_sql_value(statement, " FROM product_tags CROSS JOIN products WHERE tag = ",
				  db_text(listing->filter.tag),
				  " AND products.id = product_id AND");
		product_sql_conditions(statement, dialect, listing);
		return;
	}
	if (product_walks_changes(listing)) {
		product_sql_add(statement, product_changes_join[dialect == DB_POSTGRES]);
		text_printf(&statement->sql, " deleted = %d AND", listing->filter.deleted);
	} else {
		product_sql_add(statement, " FROM products WHERE");
	}
	product_sql_conditions(statement, dialect, listing);
	product_sql_tag(statement, listing);
}

static void build_walk(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing, const struct product_position *after,
		       const struct product_horizon *horizon, int64_t limit)
{
	const struct product_order *order = listing->order;
	struct sort_keys keys = keys_of(listing);

	product_sql_add(statement, "SELECT " PRODUCT_COLUMNS);
	add_walked(statement, dialect, listing);
	add_position(statement, keys, order->descending, after);
	add_horizon(statement, keys, order->descending, horizon);
	add_order(statement, keys, order->descending);
	add_limit(statement, limit);
}

/* Returns the statement, or the error that occurred while it was built. */
static int finish(struct product_statement *statement, struct product_statement *ret_statement)
{
	int r = text_error(&statement->sql);

	if (r < 0) {
		product_statement_release(statement);
		return r;
	}
	*ret_statement = *statement;
	return 0;
}

int product_statement_page(enum db_dialect dialect, const struct product_listing *listing,
			   const struct product_position *after,
			   const struct product_horizon *horizon, int64_t limit,
			   struct product_statement *ret_statement)
{
	struct product_statement statement = {.sql = TEXT_INIT(SQL_MAX)};

	if (listing->source != PRODUCTS_IN_ORDER)
		build_search(&statement, dialect, listing, after, limit);
	else
		build_walk(&statement, dialect, listing, after, horizon, limit);
	return finish(&statement, ret_statement);
}

int product_statement_count(enum db_dialect dialect, const struct product_listing *listing,
			    const struct product_horizon *horizon,
			    struct product_statement *ret_statement)
{
	struct product_statement statement = {.sql = TEXT_INIT(SQL_MAX)};

	if (listing->source != PRODUCTS_IN_ORDER) {
		add_hits(&statement, dialect, listing, false);
		product_sql_add(&statement, " SELECT count(*)");
		add_counted_hits(&statement, dialect, listing, false);
	} else {
		product_sql_add(&statement, "SELECT count(*) FROM (SELECT 1");
		add_walked(&statement, dialect, listing);
		add_horizon(&statement, keys_of(listing), listing->order->descending, horizon);
		product_sql_add(&statement, " LIMIT " PAGING_COUNTED ") AS counted");
	}
	return finish(&statement, ret_statement);
}

int product_statement_matches(enum db_dialect dialect, const struct product_listing *listing,
			      struct product_statement *ret_statement)
{
	struct product_statement statement = {.sql = TEXT_INIT(SQL_MAX)};

	add_sought(&statement, dialect, listing);
	product_sql_add(&statement, "SELECT count(*) FROM (SELECT 1");
	if (dialect == DB_SQLITE) {
		product_sql_add(&statement, FTS_MATCHES);
	} else {
		product_sql_add(&statement, " FROM products WHERE");
		add_tsvector_matches(&statement, listing);
	}
	product_sql_add(&statement, LOOKED_AT ") AS matches");
	return finish(&statement, ret_statement);
}

/* Everything that the walk's index holds in the listing's order, whether or not it fits the
 * filters. */
static void add_passed(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (product_walks_tag(listing)) {
		product_sql_value(statement,
				  " FROM product_tags WHERE tag = ", db_text(filter->tag), "");
		product_sql_sought_times(statement, listing);
		return;
	}
	if (product_walks_changes(listing)) {
		text_printf(&statement->sql, " FROM product_changes WHERE deleted = %d",
			    filter->deleted);
		product_sql_sought_times(statement, listing);
		return;
	}
	product_sql_add(statement, " FROM products WHERE deleted_at IS NULL");
	product_sql_sought_times(statement, listing);
	if (product_walks_kind(listing))
		product_sql_add(statement, filter->in_stock == 0 ? " AND is_out_of_stock"
								 : " AND is_low_stock");
	if (filter->category)
		product_sql_value(statement, " AND category = ", db_text(filter->category), "");
	if (product_sorts_by(listing, "price"))
		product_sql_price_range(statement, listing, true);
}

int product_statement_few(const struct product_listing *listing,
			  struct product_statement *ret_statement)
{
	struct product_statement statement = {.sql = TEXT_INIT(SQL_MAX)};

	product_sql_add(&statement, "SELECT 1");
	if (listing->source == PRODUCTS_IN_ORDER)
		add_passed(&statement, listing);
	else if (listing->source == PRODUCTS_BY_TAG) /* deleted products have no tags */
		product_sql_value(&statement,
				  " FROM product_tags WHERE tag = ", db_text(listing->filter.tag),
				  "");
	else
		product_sql_few(&statement, listing);
	text_printf(&statement.sql, " LIMIT 1 OFFSET %d", PRODUCT_FEW);
	return finish(&statement, ret_statement);
}

int product_statement_horizon(const struct product_listing *listing,
			      const struct product_position *after,
			      struct product_statement *ret_statement)
{
	struct product_statement statement = {.sql = TEXT_INIT(SQL_MAX)};
	const struct product_order *order = listing->order;
	struct sort_keys keys = keys_of(listing);

	text_printf(&statement.sql, "SELECT %s, %s", keys.first, keys.second);
	add_passed(&statement, listing);
	add_position(&statement, keys, order->descending, after);
	add_order(&statement, keys, order->descending);
	text_printf(&statement.sql, " LIMIT 1 OFFSET %d", PRODUCT_HORIZON - 1);
	return finish(&statement, ret_statement);
}
