#include "product/list_request.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "responder/service.h"

#define IDS_TEXT_MAX (64u << 10)

void list_request_release(struct list_request *list)
{
	text_release(&list->ids);
	cursor_release(&list->cursor);
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

/* 1: go on; 0: the response is a 422; negative: an error. */
static int read_filter(const struct request *request, struct response *response,
		       struct list_request *list)
{
	struct violations violations CLEANUP(violations_release) = {0};
	const char *ids = request_query(request, "ids");

	list->ids = TEXT_INIT(IDS_TEXT_MAX);
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
		return text_error(&list->ids) < 0 ? text_error(&list->ids) : 1;
	response_violations(response, &violations);
	return 0;
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
static bool read_position(const struct request *request, struct response *response,
			  struct list_request *list)
{
	const struct product_order *order = list->order;
	struct cursor *cursor = &list->cursor;
	size_t keys = list->filter.q ? 1 : 0;

	if (!cursor_read(request, response, keys ? order->kind_q : order->kind, keys + 2, cursor))
		return false;
	if (cursor->count == 0)
		return true;
	list->after = &list->position;
	if (keys && !cursor_int(cursor, 0, response, &list->top))
		return false;
	return read_key(cursor, keys, response, order->first_is_text, &list->position.first) &&
	       read_key(cursor, keys + 1, response, order->second_is_text, &list->position.second);
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

int list_request_read(const struct request *request, struct response *response,
		      struct list_request *list)
{
	int r = read_filter(request, response, list);

	if (r <= 0)
		return r;
	list->order = find_order(request, &list->filter);
	if (!list->order)
		return -EINVAL;
	return read_position(request, response, list);
}
