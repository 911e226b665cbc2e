/*
 * Listings of products: filters, sort orders, keyset pages. Inside db_read; thread-safe (no state).
 *
 * A page starts after a position (the sort keys of the last row before it), so each page is an
 * index seek. Without q, every sort order has an index over live products. If that index does not
 * answer a filter, there are two ways. Where another index shows that few products fit one of the
 * filters, those are filtered and sorted. Otherwise the sort order's index is walked and filtered
 * up to a horizon; then a page may be short although there are more. So no page reads more than
 * PRODUCT_HORIZON products. With q, the candidates of product_search.h are filtered and sorted.
 */
#ifndef PRODUCT_LIST_STORE_H
#define PRODUCT_LIST_STORE_H

#include "base/text.h"
#include "product/product.h"
#include "product/product_search.h"

#define PRODUCT_IDS_MAX 100

/* How many products a page or a count looks at while walking; and how many are few enough to be
 * sorted instead. */
#define PRODUCT_HORIZON 10000
#define PRODUCT_FEW     1000

/* Strings are borrowed; NULL and -1 mean "any". */
struct product_filter {
	const char *q;
	const char *category;
	const char *tag;
	const char *sku;
	const char *ids;   /* a JSON array of strings */
	int64_t min_price; /* minor units */
	int64_t max_price;
	int in_stock;                 /* 1, 0 */
	int low_stock;                /* 1, 0 */
	const int64_t *created_after; /* inclusive */
	const int64_t *created_before;
	const int64_t *updated_after; /* inclusive */
	bool deleted;                 /* only deleted products, instead of the live ones */
};

struct product_order {
	const char *sort;   /* the query parameter's value; "" sorts by rank */
	const char *kind;   /* of a cursor without q */
	const char *kind_q; /* of a cursor with q */
	const char *first;  /* SQL of the first sort key; the second is unique */
	const char *second;
	int first_column; /* their columns in a row */
	int second_column;
	bool first_is_text;
	bool second_is_text;
	bool descending;
};

/* sort NULL: by rank with q, newest first without. NULL: there is no such sort order. */
const struct product_order *product_order_find(const char *sort, bool with_q);

/* The sort keys of the last row before a page. */
struct product_position {
	struct db_value first;
	struct db_value second;
};

/* One owner; must outlive the rows it started. */
struct product_listing {
	struct product_filter filter;
	const struct product_order *order;
	int64_t top; /* with q: the highest seq to search, so that inserts do not shift pages */
	struct product_search search;
	/* What is filtered and sorted. PRODUCTS_IN_ORDER: nothing; the sort order is walked. */
	enum product_source {
		PRODUCTS_IN_ORDER,
		PRODUCTS_FOUND, /* with q */
		PRODUCTS_OUT_OF_STOCK,
		PRODUCTS_LOW_ON_STOCK,
		PRODUCTS_BY_PRICE,
		PRODUCTS_BY_CREATION,
		PRODUCTS_BY_TAG,
	} source;
	bool is_short; /* few products are walked, so no horizon is needed */
};

/* Where a walk ends: at the end, or at a position. One owner. */
struct product_horizon {
	bool ahead; /* the walk ends at position */
	struct product_position position;
	struct text first; /* the texts of position */
	struct text second;
};
void product_horizon_release(struct product_horizon *horizon);

/*
 * Prepares a listing, and finds out whether one of its filters fits few products. With q, top 0
 * stands for the newest product and is replaced by it. -EINVAL: q has too many words.
 */
int product_listing_init(struct db_conn *conn, const struct product_filter *filter,
			 const struct product_order *order, int64_t top,
			 struct product_listing *ret_listing);
void product_listing_release(struct product_listing *listing);

/*
 * How far a page after this position (NULL: from the beginning) looks. Runs no query if the
 * listing's filters need no horizon.
 */
int product_listing_horizon(struct db_conn *conn, const struct product_listing *listing,
			    const struct product_position *after,
			    struct product_horizon *ret_horizon);

/*
 * The rows of a page: at most limit, after a position (NULL: from the beginning) and up to a
 * horizon (NULL: to the end). Columns are PRODUCT_COLUMNS and, with q, PRODUCT_SCORE and
 * PRODUCT_HIT.
 */
enum { PRODUCT_SCORE = PRODUCT_COLUMN_COUNT, PRODUCT_HIT };
int product_listing_page(struct db_conn *conn, const struct product_listing *listing,
			 const struct product_position *after,
			 const struct product_horizon *horizon, int64_t limit,
			 struct db_rows **ret_rows);

/* The statement of a page without a horizon, of a listing that is all zero except for its filter
 * and its order. -ENOMEM. */
int product_listing_ask(enum db_dialect dialect, const struct product_listing *listing,
			const struct product_position *after, int64_t limit,
			struct db_statement *ret_statement);

/* How many products all pages have together; counts no further than PAGING_COUNTED. all: the count
 * does not stop at a horizon or at the limit of a search. */
int product_listing_count(struct db_conn *conn, const struct product_listing *listing,
			  int64_t *ret_count, bool *ret_all);

#endif
