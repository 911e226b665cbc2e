#include "order/siblings.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "base/log.h"

#define PATH_SIZE 256
#define BODY_MAX  (64u << 10)

void order_answer_release(struct order_answer *answer)
{
	upstream_response_release(&answer->raw);
	*answer = (struct order_answer){0};
}

static int exchange(struct upstream *upstream, const struct order_call *call, const char *method,
		    const char *path, const struct text *body,
		    struct upstream_response *ret_response)
{
	struct upstream_request request = {
		.method = method,
		.path = path,
		.body = body ? text_string(body) : NULL,
		.body_length = body ? body->length : 0,
		.deadline = call->deadline,
		.request_id = call->request_id,
		.traceparent = call->traceparent,
		.idempotent = true, /* each call is, by its order id */
	};

	int r = upstream_call(upstream, &request, ret_response);

	return r == -EMSGSIZE ? -EHOSTDOWN : r; /* no sibling sends that much */
}

static int unexpected(struct upstream *upstream, const struct upstream_response *response)
{
	log_write(LOG_ERROR, "unusable answer of a sibling",
		  log_text("upstream.name", upstream_name(upstream)),
		  log_int("http.response.status_code", response->status),
		  log_text("problem.code", json_get_string(response->body, "code", "")));
	return -EHOSTDOWN;
}

/* Prices come from Product; the cart's prices are only compared with them. */
static int check_currency(const struct order_siblings *siblings, const struct json *held)
{
	if (strcmp(json_get_string(held, "currency", ""), siblings->currency.code) == 0)
		return 0;
	log_write(LOG_ERROR, "unusable answer of a sibling",
		  log_text("upstream.name", upstream_name(siblings->product)),
		  log_text("error.message", "another currency than CURRENCY says"));
	return -EHOSTDOWN;
}

static int send_effect(struct upstream *upstream, const struct order_call *call, const char *method,
		       const char *path, const char *order_id)
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	int r = exchange(upstream, call, method, path, NULL, &response);

	if (r < 0)
		return r;
	if (response.status == 200 &&
	    strcmp(json_get_string(response.body, "order_id", ""), order_id) != 0)
		return unexpected(upstream, &response);
	return response.status;
}

static bool read_money(const struct json *value, struct currency currency, int64_t *ret_amount)
{
	if (!value || json_type(value) != JSON_NUMBER)
		return false;

	const char *text = json_number_text(value);

	return money_parse(text, strlen(text), currency, ret_amount) == 0 && *ret_amount >= 0;
}

static bool read_line(const struct json *item, const char *price_name, struct currency currency,
		      struct order_item *line)
{
	const struct json *quantity = json_get(item, "quantity");

	line->product_id = json_get_string(item, "product_id", NULL);
	line->name = json_get_string(item, "name", NULL);
	if (!line->product_id || !line->name || !quantity || !json_is_integer(quantity) ||
	    json_int(quantity) <= 0)
		return false;
	line->quantity = json_int(quantity);
	return read_money(json_get(item, price_name), currency, &line->price);
}

static bool read_lines(struct order_answer *answer, const char *price_name,
		       struct currency currency)
{
	const struct json *items = json_get(answer->raw.body, "items");

	if (!items || json_type(items) != JSON_ARRAY)
		return false;
	size_t count = json_length(items);
	if (count == 0 || count > ARRAY_SIZE(answer->lines))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!read_line(json_at(items, i), price_name, currency, &answer->lines[i]))
			return false;
	}
	answer->line_count = count;
	return true;
}

static bool is_one_of(const char *code, const char *const *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

static void write_user(const struct order *order, struct text *body)
{
	struct json_writer json;

	json_writer_init(&json, body);
	json_object_begin(&json);
	json_member_string(&json, "user_id", order->user_id);
	json_object_end(&json);
}

int order_cart_open(const struct order_siblings *siblings, const struct order_call *call,
		    const struct order *order, struct order_answer *ret_answer)
{
	static const char *const conflicts[] = {"cart-empty", "checkout-in-progress",
						"checkout-released"};
	struct order_answer *answer = ret_answer;
	struct text body CLEANUP(text_release) = TEXT_INIT(BODY_MAX);
	char path[PATH_SIZE];

	write_user(order, &body);
	int r = text_error(&body);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/internal/carts/%s/checkouts/%s", order->cart_id, order->id);
	r = exchange(siblings->cart, call, "PUT", path, *order->user_id ? &body : NULL,
		     &answer->raw);

	if (r < 0)
		return r;
	if (answer->raw.status == 200) {
		answer->user_id = json_get_string(answer->raw.body, "user_id", NULL);
		if (answer->user_id && read_lines(answer, "unit_price", siblings->currency))
			return 0;
	}
	if (answer->raw.status == 404) {
		answer->refusal = "not-found";
		answer->never_opened = json_get(answer->raw.body, "never_opened") != NULL;
		return 0;
	}
	if (answer->raw.status == 409) {
		answer->refusal = json_get_string(answer->raw.body, "code", "");
		answer->user_id = json_get_string(answer->raw.body, "user_id", NULL);
		if (is_one_of(answer->refusal, conflicts, ARRAY_SIZE(conflicts)))
			return 0;
	}
	return unexpected(siblings->cart, &answer->raw);
}

static void write_hold(const struct order_siblings *siblings, const struct order_item *lines,
		       size_t count, bool priced, struct text *body)
{
	struct json_writer json;

	json_writer_init(&json, body);
	json_object_begin(&json);
	json_key(&json, "items");
	json_array_begin(&json);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(&json);
		json_member_string(&json, "product_id", lines[i].product_id);
		json_member_int(&json, "quantity", lines[i].quantity);
		if (priced)
			json_member_money(&json, "price", lines[i].price, siblings->currency);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
}

static int send_hold(const struct order_siblings *siblings, const struct order_call *call,
		     const char *order_id, const struct order_item *lines, size_t count,
		     bool priced, struct upstream_response *ret_response)
{
	struct text body CLEANUP(text_release) = TEXT_INIT(BODY_MAX);
	char path[PATH_SIZE];

	write_hold(siblings, lines, count, priced, &body);
	int r = text_error(&body);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/internal/reservations/%s", order_id);
	return exchange(siblings->product, call, "PUT", path, &body, ret_response);
}

int order_stock_hold(const struct order_siblings *siblings, const struct order_call *call,
		     const char *order_id, const struct order_item *lines, size_t count,
		     struct order_answer *ret_answer)
{
	static const char *const conflicts[] = {"insufficient-stock", "product-gone",
						"price-changed", "reservation-released"};
	struct order_answer *answer = ret_answer;
	int r = send_hold(siblings, call, order_id, lines, count, true, &answer->raw);

	if (r == 0 && answer->raw.status == 422) {
		upstream_response_release(&answer->raw);
		r = send_hold(siblings, call, order_id, lines, count, false, &answer->raw);
	}
	if (r < 0)
		return r;
	if (answer->raw.status == 201 || answer->raw.status == 200) {
		r = check_currency(siblings, answer->raw.body);
		if (r < 0)
			return r;
		if (read_lines(answer, "price", siblings->currency))
			return 0;
	}
	if (answer->raw.status == 409) {
		answer->refusal = json_get_string(answer->raw.body, "code", "");
		if (is_one_of(answer->refusal, conflicts, ARRAY_SIZE(conflicts)))
			return 0;
	}
	return unexpected(siblings->product, &answer->raw);
}

int order_cart_consume(const struct order_siblings *siblings, const struct order_call *call,
		       const char *cart_id, const char *order_id)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/internal/carts/%s/checkouts/%s/consume", cart_id, order_id);
	return send_effect(siblings->cart, call, "POST", path, order_id);
}

int order_cart_release(const struct order_siblings *siblings, const struct order_call *call,
		       const char *cart_id, const char *order_id)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/internal/carts/%s/checkouts/%s", cart_id, order_id);
	return send_effect(siblings->cart, call, "DELETE", path, order_id);
}

int order_stock_release(const struct order_siblings *siblings, const struct order_call *call,
			const char *order_id)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/internal/reservations/%s", order_id);
	return send_effect(siblings->product, call, "DELETE", path, order_id);
}

int order_stock_ship(const struct order_siblings *siblings, const struct order_call *call,
		     const char *order_id)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/internal/reservations/%s/ship", order_id);
	return send_effect(siblings->product, call, "POST", path, order_id);
}
