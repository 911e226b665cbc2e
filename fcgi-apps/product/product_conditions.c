#include "product/product_conditions.h"

void product_sql_add(struct product_statement *statement, const char *sql)
{
	text_append_string(&statement->sql, sql);
}

void product_sql_value(struct product_statement *statement, const char *before,
		       struct db_value value, const char *after)
{
	if (statement->count == PRODUCT_STATEMENT_VALUES) {
		statement->sql.error = -EMSGSIZE;
		return;
	}
	statement->values[statement->count++] = value;
	text_printf(&statement->sql, "%s$%zu%s", before, statement->count, after);
}

bool product_sorts_by(const struct product_listing *listing, const char *column)
{
	return strcmp(listing->order->first, column) == 0;
}

/* In order of creation, a tag's products come straight from product_tags. In any other order, each
 * product is looked up there. */
bool product_walks_tag(const struct product_listing *listing)
{
	return listing->filter.tag && listing->source == PRODUCTS_IN_ORDER &&
	       product_sorts_by(listing, "created_at");
}

/* Products that are sold out or low on stock have an index in order of creation. */
bool product_walks_kind(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	return (filter->in_stock == 0 || filter->low_stock == 1) && !filter->tag &&
	       !filter->category && listing->source == PRODUCTS_IN_ORDER &&
	       product_sorts_by(listing, "created_at");
}

/* In order of updated_at, products come from the list of changes. Exceptions are ids, and a sku of
 * a live product: few products, which are looked up and sorted. */
bool product_walks_changes(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	return product_sorts_by(listing, "updated_at") && listing->source == PRODUCTS_IN_ORDER &&
	       !filter->ids && (!filter->sku || filter->deleted);
}

/* The limit keeps PostgreSQL from joining all products that have the tag. */
void product_sql_tag(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (filter->tag)
		product_sql_value(statement, " AND EXISTS (SELECT 1 FROM product_tags WHERE tag = ",
				  db_text(filter->tag),
				  " AND product_created_at = products.created_at"
				  " AND product_id = products.id LIMIT 1 OFFSET 0)");
}

/*
 * The price range is answered from its index only when sorting by price, or when it has few
 * products. Elsewhere "+ 0" hides it from the planner, which would read and sort every product of
 * the range instead of walking the listing's own index.
 */
void product_sql_price_range(struct product_statement *statement,
			     const struct product_listing *listing, bool indexed)
{
	const char *price = indexed ? " AND price" : " AND price + 0";

	if (listing->filter.min_price >= 0) {
		product_sql_add(statement, price);
		product_sql_value(statement, " >= ", db_int(listing->filter.min_price), "");
	}
	if (listing->filter.max_price >= 0) {
		product_sql_add(statement, price);
		product_sql_value(statement, " <= ", db_int(listing->filter.max_price), "");
	}
}

static void add_time(struct product_statement *statement, const char *column, const char *operator,
		     const int64_t * time)
{
	if (!time)
		return;
	text_printf(&statement->sql, " AND %s %s", column, operator);
	product_sql_value(statement, " ", db_int(*time), "");
}

static const char *created_column(const struct product_listing *listing)
{
	return product_walks_tag(listing) ? "product_created_at" : "created_at";
}

/* The time filters that the listing's own index answers. */
void product_sql_sought_times(struct product_statement *statement,
			      const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (product_sorts_by(listing, "created_at") && listing->source == PRODUCTS_IN_ORDER) {
		add_time(statement, created_column(listing), ">=", filter->created_after);
		add_time(statement, created_column(listing), "<", filter->created_before);
	}
	if (product_walks_changes(listing))
		add_time(statement, "changed_at", ">=", filter->updated_after);
}

/* As with prices: only the index that is walked may answer them. */
static void add_times(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	product_sql_sought_times(statement, listing);
	if (!product_sorts_by(listing, "created_at") || listing->source != PRODUCTS_IN_ORDER) {
		add_time(statement, "created_at + 0", ">=", filter->created_after);
		add_time(statement, "created_at + 0", "<", filter->created_before);
	}
	if (!product_walks_changes(listing))
		add_time(statement, "updated_at + 0", ">=", filter->updated_after);
}

/* If a tag is walked, keeps the planner from walking the category instead, which it would do
 * without statistics. */
static void add_category(struct product_statement *statement, const struct product_listing *listing)
{
	if (listing->filter.category)
		product_sql_value(statement,
				  product_walks_tag(listing) ? " AND coalesce(category, '') = "
							     : " AND category = ",
				  db_text(listing->filter.category), "");
}

/* The filters that an index answers. */
void product_sql_exact(struct product_statement *statement, enum db_dialect dialect,
		       const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (filter->sku)
		product_sql_value(statement, " AND sku = ", db_text(filter->sku), "");
	if (filter->ids)
		product_sql_value(statement,
				  dialect == DB_POSTGRES
					  ? " AND id IN (SELECT json_array_elements_text("
					  : " AND id IN (SELECT value FROM json_each(",
				  db_text(filter->ids), dialect == DB_POSTGRES ? "::json))" : "))");
	add_category(statement, listing);
}

void product_sql_conditions(struct product_statement *statement, enum db_dialect dialect,
			    const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	product_sql_add(statement,
			filter->deleted ? " deleted_at IS NOT NULL" : " deleted_at IS NULL");
	product_sql_exact(statement, dialect, listing);
	product_sql_price_range(statement, listing, product_sorts_by(listing, "price"));
	add_times(statement, listing);
	if (filter->in_stock >= 0)
		product_sql_add(statement, filter->in_stock ? " AND NOT is_out_of_stock"
							    : " AND is_out_of_stock");
	if (filter->low_stock >= 0)
		product_sql_add(statement,
				filter->low_stock ? " AND is_low_stock" : " AND NOT is_low_stock");
}

/* The products of one filter that has its own index. */
void product_sql_few(struct product_statement *statement, const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;

	if (listing->source == PRODUCTS_BY_TAG) {
		product_sql_value(statement, " FROM product_tags CROSS JOIN products WHERE tag = ",
				  db_text(filter->tag), " AND products.id = product_id AND");
	} else {
		product_sql_add(statement, " FROM products WHERE");
	}
	product_sql_add(statement, " deleted_at IS NULL");
	if (listing->source == PRODUCTS_OUT_OF_STOCK)
		product_sql_add(statement, " AND is_out_of_stock");
	if (listing->source == PRODUCTS_LOW_ON_STOCK)
		product_sql_add(statement, " AND is_low_stock");
	if (listing->source == PRODUCTS_BY_CREATION) {
		add_time(statement, "created_at", ">=", filter->created_after);
		add_time(statement, "created_at", "<", filter->created_before);
	}
	if (listing->source != PRODUCTS_BY_PRICE)
		return;
	if (filter->category)
		product_sql_value(statement, " AND category = ", db_text(filter->category), "");
	product_sql_price_range(statement, listing, true);
}

bool product_leaves_out(const struct product_listing *listing)
{
	const struct product_filter *filter = &listing->filter;
	bool prices = filter->min_price >= 0 || filter->max_price >= 0;
	bool created = filter->created_after || filter->created_before;

	if (filter->sku || filter->ids || listing->source != PRODUCTS_IN_ORDER)
		return false;
	if (filter->in_stock >= 0 || filter->low_stock >= 0)
		return true;
	if ((created && !product_sorts_by(listing, "created_at")) ||
	    (prices && !product_sorts_by(listing, "price")) ||
	    (filter->updated_after && !product_walks_changes(listing)))
		return true;
	/* These two indexes have no categories. */
	if (filter->category && (product_walks_tag(listing) || product_walks_changes(listing)))
		return true;
	return filter->tag && !product_walks_tag(listing);
}
