#include "base/clock.h"
#include "product/metrics.h"
#include "product/product_api.h"
#include "product/reservation_store.h"
#include "responder/service.h"

static void write_item(struct json_writer *writer, struct db_rows *row, struct currency currency)
{
	json_object_begin(writer);
	json_member_string(writer, "product_id", db_column_text(row, ITEM_PRODUCT_ID, NULL));
	json_member_string(writer, "name", db_column_text(row, ITEM_NAME, NULL));
	json_member_money(writer, "price", db_column_int(row, ITEM_PRICE), currency);
	json_member_int(writer, "quantity", db_column_int(row, ITEM_QUANTITY));
	json_object_end(writer);
}

static int answer_held(struct request *request, struct response *response, const char *order_id,
		       int status, const char *state)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = product_reservation_items(request->db, order_id, &rows);

	if (r < 0)
		return r;
	struct json_writer *writer = response_json(response, status);
	json_object_begin(writer);
	json_member_string(writer, "order_id", order_id);
	json_member_string(writer, "state", state);
	json_member_string(writer, "currency", request->runtime->currency.code);
	json_key(writer, "items");
	json_array_begin(writer);
	while ((r = db_next(rows)) == 1)
		write_item(writer, rows, request->runtime->currency);
	json_array_end(writer);
	json_object_end(writer);
	return r;
}

static struct json_writer *begin_refusal(struct response *response, enum product_line_state state)
{
	switch (state) {
	case LINE_GONE:
		return response_problem_begin(response, 409, "product-gone",
					      "Some products do not exist any more");
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

int product_api_hold(struct request *request, struct response *response)
{
	struct product_line lines[RESERVATION_LINES_MAX];
	const char *order_id = request_path_parameter(request, "order_id");
	size_t count =
		read_lines(json_get(request->body, "items"), request->runtime->currency, lines);
	enum product_hold outcome;
	int r = product_reservation_hold(request->db, order_id, lines, count, clock_now(),
					 &outcome);

	if (r < 0)
		return r;
	switch (outcome) {
	case HOLD_DONE:
		return answer_held(request, response, order_id, 201, "held");
	case HOLD_REPLAYED:
		return answer_held(request, response, order_id, 200, "held");
	case HOLD_SHIPPED:
		return answer_held(request, response, order_id, 200, "shipped");
	case HOLD_MISMATCH:
		response_problem(response, 409, "reservation-mismatch",
				 "This order holds other lines already");
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

int product_api_ship(struct request *request, struct response *response)
{
	const char *order_id = request_path_parameter(request, "order_id");
	enum product_reservation_state before;
	int r = product_reservation_ship(request->db, order_id, clock_now(), &before);

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
	int r = product_reservation_release(request->db, order_id, clock_now(), &before);

	if (r < 0)
		return r;
	if (before == RESERVATION_SHIPPED)
		response_problem(response, 409, "already-shipped",
				 "This order's goods have left the house");
	else
		response_empty(response, 204);
	return 0;
}
