#include "base/json_writer.h"
#include "product/list_request.h"
#include "product/product_api.h"
#include "product/product_search.h"
#include "responder/paging.h"
#include "responder/service.h"

#define KEY_TEXT_MAX 4096

/* To bound memory, a page of very large products ends early, but never before the PRODUCT_IDS_MAX
 * largest possible products. Its rows are read in chunks. */
#define PAGE_BYTES_MAX (3u << 20)
#define CHUNK_ROWS     101

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
	const struct product_horizon *horizon; /* or NULL */
	struct json_writer *writer;
	int64_t limit;
	int64_t count;
	bool last_statement; /* no statement follows the page's */
	bool more;
	struct keys last; /* the last row of this page or chunk */
};

static void page_release(struct page *page)
{
	keys_release(&page->last);
}

static bool is_full(const struct page *page, const struct response *response)
{
	return page->count == page->limit || response->body.length >= PAGE_BYTES_MAX;
}

/* Writes up to size of the page's next rows. 1: there may be more. */
static int write_rows(const struct request *request, struct response *response, struct page *page,
		      struct db_rows *rows, int64_t size)
{
	struct keys keys CLEANUP(keys_release) = {0};
	int64_t read = 0;
	int r;

	keys_init(&keys);
	while ((r = db_next(rows)) == 1) {
		page->more = is_full(page, response);
		if (page->more)
			break;
		product_write(page->writer, rows, request->runtime->currency);
		page->count++;
		read++;
		if (read < size && !is_full(page, response))
			continue;
		r = keys_read(&keys, page->listing, rows);
		if (r < 0)
			return r;
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

/* One row more than fits, to know whether there is a next page. */
static int64_t rows_left(const struct page *page)
{
	return page->limit + 1 - page->count;
}

static int write_chunk(struct request *request, struct response *response, struct page *page,
		       const struct product_position *after)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t left = rows_left(page);
	int64_t size = left < CHUNK_ROWS ? left : CHUNK_ROWS;

	if (page->last_statement && size == left)
		db_last(request->db);
	int r = product_listing_page(request->db, page->listing, after, page->horizon, size, &rows);
	return r < 0 ? r : write_rows(request, response, page, rows, size);
}

static int write_chunks(struct request *request, struct response *response, struct page *page,
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

static int64_t page_limit(const struct request *request)
{
	return request_query_int(request, "limit",
				 request_query(request, "ids") ? PRODUCT_IDS_MAX
							       : PAGE_LIMIT_DEFAULT);
}

static void begin_page(const struct request *request, struct response *response, struct page *page)
{
	page->limit = page_limit(request);
	keys_init(&page->last);
	page->writer = response_json(response, 200);
	json_array_begin(page->writer);
}

static void end_page(const struct request *request, struct response *response, struct page *page)
{
	const struct product_horizon *horizon = page->horizon;
	bool ahead = horizon && horizon->ahead;

	json_array_end(page->writer);
	if (!page->more && ahead)
		keys_of_horizon(&page->last, page->listing, horizon);
	if (page->more || ahead)
		link_next(request, response, page->listing, &page->last);
}

static int write_page(struct request *request, struct response *response,
		      const struct product_listing *listing, const struct product_position *after,
		      const struct product_horizon *horizon)
{
	struct page page CLEANUP(page_release) = {
		.listing = listing,
		.horizon = horizon,
		.last_statement = !request_query_bool(request, "count", false),
	};

	begin_page(request, response, &page);
	int r = write_chunks(request, response, &page, after);
	if (r == 0)
		end_page(request, response, &page);
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

static bool is_one_statement(const struct request *request)
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
	if (page_limit(request) >= CHUNK_ROWS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(long_ones); i++) {
		if (request_query(request, long_ones[i]))
			return false;
	}
	return true;
}

static int ask_page(struct request *request, struct response *response,
		    struct db_statement *ret_statement)
{
	struct list_request list CLEANUP(list_request_release) = {0};

	if (!is_one_statement(request))
		return LOOKUP_DECLINED;
	int r = list_request_read(request, response, &list);
	if (r <= 0)
		return r;
	const struct product_listing listing = {.filter = list.filter, .order = list.order};
	return product_listing_ask(db_dialect_of(request->runtime->db), &listing, list.after,
				   page_limit(request) + 1, ret_statement);
}

static int answer_page(struct request *request, struct response *response, struct db_rows *rows)
{
	const struct product_listing listing = {
		.order = product_order_find(request_query(request, "sort"), false)};
	struct page page CLEANUP(page_release) = {.listing = &listing};

	begin_page(request, response, &page);
	int r = write_rows(request, response, &page, rows, rows_left(&page));
	if (r == 0)
		end_page(request, response, &page);
	return r;
}

const struct lookup product_api_list_lookup = {.ask = ask_page, .answer = answer_page};

int product_api_list(struct request *request, struct response *response)
{
	struct list_request list CLEANUP(list_request_release) = {0};
	struct product_listing listing CLEANUP(product_listing_release) = {0};
	struct product_horizon horizon CLEANUP(product_horizon_release) = {0};
	int r = list_request_read(request, response, &list);

	if (r <= 0)
		return r;
	r = product_listing_init(request->db, &list.filter, list.order, list.top, &listing);
	if (r == -EINVAL)
		return too_many_words(response);
	if (r == 0)
		r = product_listing_horizon(request->db, &listing, list.after, &horizon);
	if (r < 0)
		return r;
	r = write_page(request, response, &listing, list.after, &horizon);
	if (r == 0 && request_query_bool(request, "count", false))
		r = write_count(request, response, &listing);
	return r;
}
