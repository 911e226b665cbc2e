#include "order/order.h"

static const char *const status_names[] = {
	[ORDER_PENDING] = "pending",     [ORDER_PROCESSING] = "processing",
	[ORDER_SHIPPED] = "shipped",     [ORDER_DELIVERED] = "delivered",
	[ORDER_CANCELLED] = "cancelled",
};
_Static_assert(ARRAY_SIZE(status_names) == ORDER_STATUS_COUNT, "a name for each status");

static const bool transitions[ORDER_STATUS_COUNT][ORDER_STATUS_COUNT] = {
	[ORDER_PENDING][ORDER_PROCESSING] = true,   [ORDER_PENDING][ORDER_SHIPPED] = true,
	[ORDER_PENDING][ORDER_CANCELLED] = true,    [ORDER_PROCESSING][ORDER_SHIPPED] = true,
	[ORDER_PROCESSING][ORDER_CANCELLED] = true, [ORDER_SHIPPED][ORDER_DELIVERED] = true,
};

const char *order_status_name(enum order_status status)
{
	return status_names[status];
}

int order_status_parse(const char *name, enum order_status *ret_status)
{
	for (size_t i = 0; i < ORDER_STATUS_COUNT; i++) {
		if (strcmp(status_names[i], name) == 0) {
			*ret_status = (enum order_status)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool order_transition_allowed(enum order_status from, enum order_status to)
{
	return transitions[from][to];
}

void order_write_transitions(enum order_status from, struct json_writer *json)
{
	json_array_begin(json);
	for (size_t to = 0; to < ORDER_STATUS_COUNT; to++) {
		if (transitions[from][to])
			json_write_string(json, status_names[to]);
	}
	json_array_end(json);
}

bool order_cart_id_valid(const char *cart_id)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	size_t length = strlen(cart_id);

	return length > 0 && length < ORDER_CART_ID_SIZE && strspn(cart_id, allowed) == length;
}

/* Makes room for one more element; arrays grow at powers of two. NULL: out of memory, and the old
 * array remains valid. */
static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? count * 2 : 1, size);
}

static void line_release(struct order_line *line)
{
	free(line->product_id);
	free(line->name);
}

int order_add_line(struct order *order, const struct order_item *item)
{
	struct order_line *lines;
	struct order_line line = {.price = item->price, .quantity = item->quantity};

	if (order->line_count == ORDER_LINES_MAX)
		return -EMSGSIZE;
	lines = grown(order->lines, order->line_count, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	order->lines = lines;

	line.product_id = strdup(item->product_id);
	line.name = strdup(item->name);
	if (!line.product_id || !line.name) {
		line_release(&line);
		return -ENOMEM;
	}
	lines[order->line_count++] = line;
	return 0;
}

static void event_release(struct order_event *event)
{
	free(event->reason);
	free(event->tracking_number);
	free(event->actor);
}

/* NULL stays NULL. False: out of memory. */
static bool copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return !text || *ret_copy;
}

int order_add_event(struct order *order, const struct order_note *note)
{
	struct order_event event = {.status = note->status, .at = note->at};
	struct order_event *history = grown(order->history, order->event_count, sizeof(*history));

	if (!history)
		return -ENOMEM;
	order->history = history;

	if (!copy_text(note->reason, &event.reason) ||
	    !copy_text(note->tracking_number, &event.tracking_number) ||
	    !copy_text(note->actor, &event.actor)) {
		event_release(&event);
		return -ENOMEM;
	}
	history[order->event_count++] = event;
	return 0;
}

int order_price(struct order *order)
{
	int64_t totals[ORDER_LINES_MAX];
	int64_t sum = 0;

	for (size_t i = 0; i < order->line_count; i++) {
		const struct order_line *line = &order->lines[i];

		if (money_multiply(line->price, line->quantity, &totals[i]) < 0 ||
		    money_add(sum, totals[i], &sum) < 0)
			return -ERANGE;
	}
	for (size_t i = 0; i < order->line_count; i++)
		order->lines[i].line_total = totals[i];
	order->total_amount = sum;
	return 0;
}

static void write_line(const struct order *order, const struct order_line *line,
		       struct json_writer *json)
{
	json_object_begin(json);
	json_member_string(json, "product_id", line->product_id);
	json_member_string(json, "name", line->name);
	json_member_money(json, "price", line->price, order->currency);
	json_member_int(json, "quantity", line->quantity);
	json_member_money(json, "line_total", line->line_total, order->currency);
	json_object_end(json);
}

static void write_event(const struct order_event *event, bool with_actor, struct json_writer *json)
{
	json_object_begin(json);
	json_member_string(json, "status", order_status_name(event->status));
	if (event->reason)
		json_member_string(json, "reason", event->reason);
	if (event->tracking_number)
		json_member_string(json, "tracking_number", event->tracking_number);
	if (with_actor && event->actor)
		json_member_string(json, "actor", event->actor);
	json_member_time(json, "at", event->at);
	json_object_end(json);
}

void order_write(const struct order *order, bool with_actors, struct json_writer *json)
{
	json_object_begin(json);
	json_member_string(json, "id", order->id);
	if (order->user_id[0])
		json_member_string(json, "user_id", order->user_id);
	json_member_string(json, "cart_id", order->cart_id);
	json_key(json, "items");
	json_array_begin(json);
	for (size_t i = 0; i < order->line_count; i++)
		write_line(order, &order->lines[i], json);
	json_array_end(json);
	json_member_money(json, "total_amount", order->total_amount, order->currency);
	json_member_string(json, "currency", order->currency.code);
	json_member_string(json, "status", order_status_name(order->status));
	json_key(json, "allowed_transitions");
	order_write_transitions(order->status, json);
	json_key(json, "history");
	json_array_begin(json);
	for (size_t i = 0; i < order->event_count; i++)
		write_event(&order->history[i], with_actors, json);
	json_array_end(json);
	if (order->tracking_number)
		json_member_string(json, "tracking_number", order->tracking_number);
	json_member_int(json, "version", order->version);
	json_member_time(json, "created_at", order->created_at);
	json_member_time(json, "updated_at", order->updated_at);
	json_object_end(json);
}

void order_release(struct order *order)
{
	for (size_t i = 0; i < order->line_count; i++)
		line_release(&order->lines[i]);
	for (size_t i = 0; i < order->event_count; i++)
		event_release(&order->history[i]);
	free(order->lines);
	free(order->history);
	free(order->user_id);
	free(order->tracking_number);
	*order = (struct order){0};
}
