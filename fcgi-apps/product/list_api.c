#include "base/clock.h"
#include "base/json_writer.h"
#include "product/list_store.h"
#include "product/product_api.h"
#include "product/product_search.h"
#include "responder/paging.h"
#include "responder/service.h"

#define IDS_TEXT_MAX (64u << 10)
#define KEY_TEXT_MAX 4096

/* To bound memory, a page of very large products ends early, but never before the PRODUCT_IDS_MAX
 * largest possible products. Its rows are read in chunks. */
#define PAGE_BYTES_MAX (3u << 20)
#define CHUNK_ROWS     101

/* A listing's query parameters, with the memory that they need. */
struct list_request {
	struct product_filter filter;
	struct text ids;
	int64_t created_after;
	int64_t created_before;
	int64_t updated_after;
};

static void list_request_release(struct list_request *list)
{
	text_release(&list->ids);
}

static int tristate(const struct request *request, const char *name)
{
	return request_query(request, name) ? request_query_bool(request, name, false) : -1;
}

static int64_t read_price(const struct request *request, const char *name,
			  struct violations *violations)
{
	const char *text = request_query(request, name);
	char pointer[32];
	int64_t amount;

	if (!text)
		return -1;
	if (money_parse(text, strlen(text), request->runtime->currency, &amount) == 0)
		return amount;
	snprintf(pointer, sizeof(pointer), "/%s", name);
	violations_add(violations, "query", pointer, "is not a price");
	return -1;
}

static const int64_t *read_time(const struct request *request, const char *name, int64_t *time,
				struct violations *violations)
{
	const char *text = request_query(request, name);
	char pointer[32];

	if (!text)
		return NULL;
	if (clock_parse(text, strlen(text), time) == 0)
		return time;
	snprintf(pointer, sizeof(pointer), "/%s", name);
	violations_add(violations, "query", pointer, "is not a date-time of RFC 3339");
	return NULL;
}

/* The list of changes is the only index that has deleted products, and it has no tags. */
static void check_deleted(const struct request *request, struct violations *violations)
{
	const char *sort = request_query(request, "sort");

	if (request_query(request, "q"))
		violations_add(violations, "query", "/q", "does not find deleted products");
	if (request_query(request, "tag"))
		violations_add(violations, "query", "/tag", "does not find deleted products");
	if (sort && strcmp(sort, "updated_at") != 0 && strcmp(sort, "-updated_at") != 0)
		violations_add(
			violations, "query", "/sort",
			"is not an order of deleted products: updated_at and -updated_at are");
}

/* Turns "a,b,c" into a JSON array, which the store takes as one parameter. */
static void read_ids(const char *list, struct text *out, struct violations *violations)
{
	struct json_writer writer;
	size_t count = 0;

	json_writer_init(&writer, out);
	json_array_begin(&writer);
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length > 0) {
			json_write_bytes(&writer, list, length);
			count++;
		}
		list += length;
		list += *list == ',';
	}
	json_array_end(&writer);
	if (count > PRODUCT_IDS_MAX)
		violations_add(violations, "query", "/ids", "has more than %d ids",
			       PRODUCT_IDS_MAX);
}

/* False: the response is a 422. */
static bool read_filter(const struct request *request, struct response *response,
			struct list_request *list)
{
	struct violations violations CLEANUP(violations_release) = {0};
	const char *ids = request_query(request, "ids");

	list->filter = (struct product_filter){
		.q = request_query(request, "q"),
		.category = request_query(request, "category"),
		.tag = request_query(request, "tag"),
		.sku = request_query(request, "sku"),
		.min_price = read_price(request, "min_price", &violations),
		.max_price = read_price(request, "max_price", &violations),
		.in_stock = tristate(request, "in_stock"),
		.low_stock = tristate(request, "low_stock"),
		.created_after =
			read_time(request, "created_after", &list->created_after, &violations),
		.created_before =
			read_time(request, "created_before", &list->created_before, &violations),
		.updated_after =
			read_time(request, "updated_after", &list->updated_after, &violations),
		.deleted = request_query_bool(request, "deleted", false),
	};
	if (list->filter.deleted)
		check_deleted(request, &violations);
	if (ids) {
		read_ids(ids, &list->ids, &violations);
		list->filter.ids = text_string(&list->ids);
	}
	if (violations.total == 0)
		return true;
	response_violations(response, &violations);
	return false;
}

static bool read_key(const struct cursor *cursor, size_t field, struct response *response,
		     bool is_text, struct db_value *ret_value)
{
	int64_t number;

	if (is_text) {
		*ret_value = db_text(cursor->fields[field]);
		return true;
	}
	if (!cursor_int(cursor, field, response, &number))
		return false;
	*ret_value = db_int(number);
	return true;
}

/* With q, a cursor begins with the listing's top. False: the response is a 422. */
static bool read_position(const struct cursor *cursor, struct response *response,
			  const struct product_order *order, bool with_q, int64_t *ret_top,
			  struct product_position *ret_position)
{
	size_t keys = with_q ? 1 : 0;

	if (cursor->count == 0)
		return true;
	if (with_q && !cursor_int(cursor, 0, response, ret_top))
		return false;
	return read_key(cursor, keys, response, order->first_is_text, &ret_position->first) &&
	       read_key(cursor, keys + 1, response, order->second_is_text, &ret_position->second);
}

/* A row's sort keys as text, for the cursor. */
struct keys {
	struct text top;
	struct text first;
	struct text second;
};

static void keys_init(struct keys *keys)
{
	text_init(&keys->top, KEY_TEXT_MAX);
	text_init(&keys->first, KEY_TEXT_MAX);
	text_init(&keys->second, KEY_TEXT_MAX);
}

static void keys_release(struct keys *keys)
{
	text_release(&keys->top);
	text_release(&keys->first);
	text_release(&keys->second);
}

static void keep_key(struct db_rows *row, int column, bool is_text, struct text *out)
{
	size_t length = 0;
	const char *text;

	if (is_text) {
		text = db_column_text(row, column, &length);
		text_append(out, text, length);
	} else {
		text_append_int(out, db_column_int(row, column));
	}
}

static int keys_read(struct keys *keys, const struct product_listing *listing, struct db_rows *row)
{
	const struct product_order *order = listing->order;

	text_append_int(&keys->top, listing->top);
	keep_key(row, order->first_column, order->first_is_text, &keys->first);
	keep_key(row, order->second_column, order->second_is_text, &keys->second);
	if (text_error(&keys->first) < 0)
		return text_error(&keys->first);
	return text_error(&keys->second);
}

static struct db_value key_value(const struct text *key, bool is_text)
{
	return is_text ? db_text(text_string(key)) : db_int(strtoll(text_string(key), NULL, 10));
}

/* The place where the walk ended, for the cursor. */
static void keys_of_horizon(struct keys *keys, const struct product_listing *listing,
			    const struct product_horizon *horizon)
{
	const struct product_position *position = &horizon->position;

	text_reset(&keys->first);
	text_reset(&keys->second);
	if (listing->order->first_is_text)
		text_append_string(&keys->first, position->first.text);
	else
		text_append_int(&keys->first, position->first.integer);
	text_append_string(&keys->second, position->second.text);
}

static void link_next(const struct request *request, struct response *response,
		      const struct product_listing *listing, const struct keys *keys)
{
	const char *fields[] = {text_string(&keys->top), text_string(&keys->first),
				text_string(&keys->second)};

	if (listing->filter.q)
		paging_next(request, response, listing->order->kind_q, fields, 3);
	else
		paging_next(request, response, listing->order->kind, fields + 1, 2);
}

/* The page while it is written. */
struct page {
	const struct product_listing *listing;
	const struct product_horizon *horizon;
	struct json_writer *writer;
	int64_t limit;
	int64_t count;
	bool last_statement; /* no statement follows the page's */
	bool more;
	struct keys last; /* the last row of this page or chunk */
};

static bool is_full(const struct page *page, const struct response *response)
{
	return page->count == page->limit || response->body.length >= PAGE_BYTES_MAX;
}

/* Writes the page's next rows. 1: there may be more. */
static int write_chunk(struct request *request, struct response *response, struct page *page,
		       const struct product_position *after)
{
	struct keys keys CLEANUP(keys_release) = {0};
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	/* One row more than fits, to know whether there is a next page. */
	int64_t left = page->limit + 1 - page->count;
	int64_t size = left < CHUNK_ROWS ? left : CHUNK_ROWS;
	int64_t read = 0;

	keys_init(&keys);
	if (page->last_statement && size == left)
		db_last(request->db);
	int r = product_listing_page(request->db, page->listing, after, page->horizon, size, &rows);
	while (r >= 0 && (r = db_next(rows)) == 1) {
		page->more = is_full(page, response);
		if (page->more)
			break;
		product_write(page->writer, rows, request->runtime->currency);
		page->count++;
		read++;
		if (read == size || is_full(page, response))
			r = keys_read(&keys, page->listing, rows);
	}
	if (r < 0)
		return r;
	if (read > 0) {
		struct keys before = page->last;

		page->last = keys;
		keys = before;
	}
	return !page->more && read == size;
}

static int write_rows(struct request *request, struct response *response, struct page *page,
		      const struct product_position *after)
{
	const struct product_order *order = page->listing->order;
	int r = write_chunk(request, response, page, after);

	while (r == 1) {
		struct product_position place = {
			.first = key_value(&page->last.first, order->first_is_text),
			.second = key_value(&page->last.second, order->second_is_text),
		};

		r = write_chunk(request, response, page, &place);
	}
	return r;
}

static int write_page(struct request *request, struct response *response,
		      const struct product_listing *listing, const struct product_position *after,
		      const struct product_horizon *horizon)
{
	struct page page = {
		.listing = listing,
		.horizon = horizon,
		.last_statement = !request_query_bool(request, "count", false),
		.limit = request_query_int(request, "limit",
					   listing->filter.ids ? PRODUCT_IDS_MAX
							       : PAGE_LIMIT_DEFAULT),
	};

	keys_init(&page.last);
	page.writer = response_json(response, 200);
	json_array_begin(page.writer);
	int r = write_rows(request, response, &page, after);
	json_array_end(page.writer);
	if (!page.more && horizon->ahead)
		keys_of_horizon(&page.last, listing, horizon);
	if (r == 0 && (page.more || horizon->ahead))
		link_next(request, response, listing, &page.last);
	keys_release(&page.last);
	return r;
}

static int write_count(struct request *request, struct response *response,
		       const struct product_listing *listing)
{
	int64_t count;
	bool all;
	int r = product_listing_count(request->db, listing, &count, &all);

	if (r < 0)
		return r;
	paging_total(response, count, all);
	return 0;
}

static int too_many_words(struct response *response)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, "query", "/q", "has more than %d words",
		       PRODUCT_SEARCH_WORDS_MAX);
	response_violations(response, &violations);
	return 0;
}

bool product_api_list_is_lookup(const struct request *request)
{
	/* Each of these adds a query, or leaves out an unlimited number of rows that are read. */
	static const char *const long_ones[] = {
		"q",         "tag",   "min_price",     "max_price",      "in_stock",
		"low_stock", "count", "created_after", "created_before", "updated_after",
		"deleted"};
	const char *sort = request_query(request, "sort");

	/* Needs a join, and the list of changes has no categories. */
	if (sort && strstr(sort, "updated_at"))
		return false;
	if (request_query_int(request, "limit", 0) >= CHUNK_ROWS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(long_ones); i++) {
		if (request_query(request, long_ones[i]))
			return false;
	}
	return true;
}

/* Clients that ask for changes read them once, oldest first. */
static const struct product_order *find_order(const struct request *request,
					      const struct product_filter *filter)
{
	const char *sort = request_query(request, "sort");

	if (!sort && !filter->q && (filter->deleted || filter->updated_after))
		sort = "updated_at";
	return product_order_find(sort, filter->q);
}

int product_api_list(struct request *request, struct response *response)
{
	struct list_request list CLEANUP(list_request_release) = {.ids = TEXT_INIT(IDS_TEXT_MAX)};
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	struct product_horizon horizon CLEANUP(product_horizon_release) = {0};
	struct cursor cursor CLEANUP(cursor_release) = {0};
	struct product_position after;
	int64_t top = 0;

	if (!read_filter(request, response, &list))
		return 0;
	if (text_error(&list.ids) < 0)
		return text_error(&list.ids);
	bool with_q = list.filter.q;
	const struct product_order *order = find_order(request, &list.filter);
	if (!order)
		return -EINVAL;
	if (!cursor_read(request, response, with_q ? order->kind_q : order->kind, with_q ? 3 : 2,
			 &cursor) ||
	    !read_position(&cursor, response, order, with_q, &top, &after))
		return 0;
	int r = product_listing_init(request->db, &list.filter, order, top, &listing);
	if (r == -EINVAL)
		return too_many_words(response);
	if (r == 0)
		r = product_listing_horizon(request->db, &listing, cursor.count ? &after : NULL,
					    &horizon);
	if (r < 0)
		return r;
	r = write_page(request, response, &listing, cursor.count ? &after : NULL, &horizon);
	if (r == 0 && request_query_bool(request, "count", false))
		r = write_count(request, response, &listing);
	return r;
}
