#include "order/problems.h"

void order_problem_with_order_id(struct response *response, const char *code, const char *detail,
				 const char *order_id)
{
	struct json_writer *json = response_problem_begin(response, 409, code, detail);

	if (order_id)
		json_member_string(json, "order_id", order_id);
	response_problem_end(response);
}

static int64_t requested_quantity(const struct order_answer *cart, const char *product_id)
{
	for (size_t i = 0; i < cart->line_count; i++) {
		if (strcmp(cart->lines[i].product_id, product_id) == 0)
			return cart->lines[i].quantity;
	}
	return 0;
}

void order_problem_short_stock(struct response *response, const struct order_answer *cart,
			       const struct order_answer *stock)
{
	struct json_writer *json = response_problem_begin(
		response, 409, "insufficient-stock", "There is not enough stock for this cart");
	const struct json *items = json_get(stock->raw.body, "items");
	size_t count = items ? json_length(items) : 0;

	json_key(json, "items");
	json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		const struct json *item = json_at(items, i);
		const struct json *available = json_get(item, "available");
		const char *product_id = json_get_string(item, "product_id", "");
		bool known = available && json_is_integer(available);

		json_object_begin(json);
		json_member_string(json, "product_id", product_id);
		json_member_int(json, "requested", requested_quantity(cart, product_id));
		json_member_int(json, "available", known ? json_int(available) : 0);
		json_object_end(json);
	}
	json_array_end(json);
	response_problem_end(response);
}

static struct json_writer *begin_price_changed(struct response *response)
{
	struct json_writer *json = response_problem_begin(
		response, 409, "price-changed",
		"Prices changed since the cart last saw them: refresh it and order again");

	json_key(json, "items");
	json_array_begin(json);
	return json;
}

static void write_number(struct json_writer *json, const struct json *item, const char *name)
{
	const struct json *number = json_get(item, name);
	bool known = number && json_type(number) == JSON_NUMBER;
	const char *text = known ? json_number_text(number) : "0";

	json_key(json, name);
	json_write_raw(json, text, strlen(text));
}

/* The prices come from Product, in the shop's currency. */
static void write_repriced(struct json_writer *json, const char *product_id,
			   const struct json *items)
{
	size_t count = items ? json_length(items) : 0;

	for (size_t i = 0; i < count; i++) {
		const struct json *item = json_at(items, i);

		if (strcmp(json_get_string(item, "product_id", ""), product_id) != 0)
			continue;
		json_object_begin(json);
		json_member_string(json, "product_id", product_id);
		write_number(json, item, "old_price");
		write_number(json, item, "new_price");
		json_object_end(json);
	}
}

void order_problem_repriced(struct response *response, const struct order_answer *cart,
			    const struct order_answer *stock)
{
	struct json_writer *json = begin_price_changed(response);

	for (size_t i = 0; i < cart->line_count; i++)
		write_repriced(json, cart->lines[i].product_id, json_get(stock->raw.body, "items"));
	json_array_end(json);
	response_problem_end(response);
}

void order_problem_price_changed(struct response *response, const struct order_answer *cart,
				 const struct order *order)
{
	struct json_writer *json = begin_price_changed(response);

	for (size_t i = 0; i < order->line_count; i++) {
		const struct order_line *line = &order->lines[i];

		if (line->price == cart->lines[i].price)
			continue;
		json_object_begin(json);
		json_member_string(json, "product_id", line->product_id);
		json_member_money(json, "old_price", cart->lines[i].price, order->currency);
		json_member_money(json, "new_price", line->price, order->currency);
		json_object_end(json);
	}
	json_array_end(json);
	response_problem_end(response);
}

void order_problem_history_full(struct response *response)
{
	struct json_writer *json = response_problem_begin(
		response, 409, "history-full",
		"The history of this order is full: only changes of its status can be added");

	json_member_int(json, "limit", ORDER_REMARKS_MAX);
	response_problem_end(response);
}

void order_problem_transition(struct response *response, enum order_status from,
			      enum order_status to)
{
	char detail[96];

	snprintf(detail, sizeof(detail), "An order that is %s cannot become %s",
		 order_status_name(from), order_status_name(to));

	struct json_writer *json =
		response_problem_begin(response, 409, "invalid-transition", detail);

	json_member_string(json, "order_status", order_status_name(from));
	json_key(json, "allowed_transitions");
	order_write_transitions(from, json);
	response_problem_end(response);
}
