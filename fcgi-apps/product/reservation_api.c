#include "base/clock.h"
#include "product/metrics.h"
#include "product/product_api.h"
#include "product/reservation_store.h"
#include "responder/ownership.h"
#include "responder/service.h"

/* What an answer tells of one line. */
struct held_item {
	const char *product_id;
	const char *name;
	int64_t price;
	int64_t quantity;
};

static void write_item(struct json_writer *writer, const struct held_item *item,
		       struct currency currency)
{
	json_object_begin(writer);
	json_member_string(writer, "product_id", item->product_id);
	json_member_string(writer, "name", item->name);
	json_member_money(writer, "price", item->price, currency);
	json_member_int(writer, "quantity", item->quantity);
	json_object_end(writer);
}

static struct json_writer *begin_held(struct request *request, struct response *response,
				      int status, const char *state)
{
	struct json_writer *writer = response_json(response, status);

	json_object_begin(writer);
	json_member_string(writer, "order_id", request_path_parameter(request, "order_id"));
	json_member_string(writer, "state", state);
	json_member_string(writer, "currency", request->runtime->currency.code);
	json_key(writer, "items");
	json_array_begin(writer);
	return writer;
}

static void end_held(struct json_writer *writer)
{
	json_array_end(writer);
	json_object_end(writer);
}

/* Held just now. */
static int answer_held(struct request *request, struct response *response,
		       const struct product_line *lines, size_t count)
{
	struct json_writer *writer = begin_held(request, response, 201, "held");

	for (size_t i = 0; i < count; i++)
		write_item(writer,
			   &(struct held_item){lines[i].product_id, lines[i].name,
					       lines[i].price_now, lines[i].quantity},
			   request->runtime->currency);
	end_held(writer);
	return 0;
}

/* Held before. */
static int answer_replayed(struct request *request, struct response *response, const char *state)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = product_reservation_items(request->db, request_path_parameter(request, "order_id"),
					  &rows);

	if (r < 0)
		return r;
	struct json_writer *writer = begin_held(request, response, 200, state);
	while ((r = db_next(rows)) == 1)
		write_item(writer,
			   &(struct held_item){db_column_text(rows, ITEM_PRODUCT_ID, NULL),
					       db_column_text(rows, ITEM_NAME, NULL),
					       db_column_int(rows, ITEM_PRICE),
					       db_column_int(rows, ITEM_QUANTITY)},
			   request->runtime->currency);
	end_held(writer);
	return r;
}

static struct json_writer *begin_refusal(struct response *response, enum product_line_state state)
{
	switch (state) {
	case LINE_GONE:
		return response_problem_begin(response, 409, "product-gone",
					      "Some products no longer exist");
	case LINE_REPRICED:
		return response_problem_begin(response, 409, "price-changed",
					      "Some products have another price");
	default:
		return response_problem_begin(response, 409, "insufficient-stock",
					      "Some products are not in stock as requested");
	}
}

/* 409 with the lines that stand in the way. */
static int answer_lines(const struct request *request, struct response *response,
			const struct product_line *lines, size_t count,
			enum product_line_state state)
{
	struct json_writer *writer = begin_refusal(response, state);
	struct currency currency = request->runtime->currency;

	json_key(writer, "items");
	json_array_begin(writer);
	for (size_t i = 0; i < count; i++) {
		if (lines[i].state != state)
			continue;
		json_object_begin(writer);
		json_member_string(writer, "product_id", lines[i].product_id);
		if (state == LINE_SHORT) {
			json_member_int(writer, "requested", lines[i].quantity);
			json_member_int(writer, "available", lines[i].available);
		}
		if (state == LINE_REPRICED) {
			json_member_money(writer, "old_price", lines[i].price, currency);
			json_member_money(writer, "new_price", lines[i].price_now, currency);
		}
		json_object_end(writer);
	}
	json_array_end(writer);
	response_problem_end(response);
	return 0;
}

/* A price that does not fit this shop's currency cannot be compared. The order service checks the
 * currency of the answer. */
static void read_price(const struct json *price, struct currency currency,
		       struct product_line *line)
{
	const char *text = price ? json_number_text(price) : NULL;

	line->priced = text && money_parse(text, strlen(text), currency, &line->price) == 0;
}

static size_t read_lines(const struct json *items, struct currency currency,
			 struct product_line *lines)
{
	size_t count = json_length(items);

	for (size_t i = 0; i < count && i < RESERVATION_LINES_MAX; i++) {
		const struct json *item = json_at(items, i);

		lines[i] = (struct product_line){
			.product_id = json_get_string(item, "product_id", ""),
			.quantity = json_int(json_get(item, "quantity")),
		};
		read_price(json_get(item, "price"), currency, &lines[i]);
	}
	return product_lines_merge(lines, count);
}

static int answer_hold(struct request *request, struct response *response,
		       const struct product_line *lines, size_t count, enum product_hold outcome)
{
	switch (outcome) {
	case HOLD_DONE:
		return answer_held(request, response, lines, count);
	case HOLD_REPLAYED:
		return answer_replayed(request, response, "held");
	case HOLD_SHIPPED:
		return answer_replayed(request, response, "shipped");
	case HOLD_MISMATCH:
		response_problem(response, 409, "reservation-mismatch",
				 "This order already holds other lines");
		return 0;
	case HOLD_RELEASED:
		response_problem(response, 409, "reservation-released",
				 "This order's reservation was released");
		return 0;
	case HOLD_SHORT:
		product_metrics_stock_out();
		return answer_lines(request, response, lines, count, LINE_SHORT);
	case HOLD_GONE:
		return answer_lines(request, response, lines, count, LINE_GONE);
	case HOLD_REPRICED:
		return answer_lines(request, response, lines, count, LINE_REPRICED);
	}
	return -EINVAL;
}

int product_api_hold(struct request *request, struct response *response)
{
	struct product_line lines[RESERVATION_LINES_MAX];
	size_t count =
		read_lines(json_get(request->body, "items"), request->runtime->currency, lines);
	enum product_hold outcome;
	char actor[ACTOR_SIZE];
	int r = product_reservation_hold(request->db, request_path_parameter(request, "order_id"),
					 lines, count, ownership_actor(request, actor), clock_now(),
					 &outcome);

	if (r == 0)
		r = answer_hold(request, response, lines, count, outcome);
	product_lines_release(lines, count);
	return r;
}

int product_api_ship(struct request *request, struct response *response)
{
	const char *order_id = request_path_parameter(request, "order_id");
	enum product_reservation_state before;
	char actor[ACTOR_SIZE];
	int r = product_reservation_ship(request->db, order_id, ownership_actor(request, actor),
					 clock_now(), &before);

	if (r < 0)
		return r;
	if (before == RESERVATION_UNKNOWN) {
		response_not_found(response, "Reservation");
		return 0;
	}
	if (before == RESERVATION_RELEASED) {
		response_problem(response, 409, "reservation-released",
				 "This order's reservation was released");
		return 0;
	}
	struct json_writer *writer = response_json(response, 200);
	json_object_begin(writer);
	json_member_string(writer, "order_id", order_id);
	json_member_string(writer, "state", "shipped");
	json_object_end(writer);
	return 0;
}

int product_api_release(struct request *request, struct response *response)
{
	const char *order_id = request_path_parameter(request, "order_id");
	enum product_reservation_state before;
	char actor[ACTOR_SIZE];
	int r = product_reservation_release(request->db, order_id, ownership_actor(request, actor),
					    clock_now(), &before);

	if (r < 0)
		return r;
	if (before == RESERVATION_SHIPPED)
		response_problem(response, 409, "already-shipped",
				 "This order has already been shipped");
	else
		response_empty(response, 204);
	return 0;
}
