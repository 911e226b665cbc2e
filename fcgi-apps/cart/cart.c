#include "cart/cart.h"

#include "base/clock.h"

void cart_release(struct cart *cart)
{
	for (size_t i = 0; i < cart->line_count; i++)
		free(cart->lines[i].name);
	*cart = (struct cart){0};
}

void cart_product_release(struct cart_product *product)
{
	free(product->name);
	product->name = NULL;
}

bool cart_id_is_valid(const char *id)
{
	size_t length = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-");

	return length && length < CART_ID_SIZE && !id[length];
}

bool cart_product_id_is_valid(const char *id)
{
	return uuid_is_valid(id, strlen(id));
}

struct cart_line *cart_find_line(struct cart *cart, const char *product_id)
{
	for (size_t i = 0; i < cart->line_count; i++)
		if (strcmp(cart->lines[i].product_id, product_id) == 0)
			return &cart->lines[i];
	return NULL;
}

int cart_append_line(struct cart *cart, const struct cart_item *item)
{
	struct cart_line line = {
		.unit_price = item->unit_price,
		.quantity = item->quantity,
		.position = item->position,
		.seen_at = item->seen_at,
	};

	if (cart->line_count == CART_LINES_MAX)
		return -EMSGSIZE;
	line.name = strdup(item->name);
	if (!line.name)
		return -ENOMEM;
	snprintf(line.product_id, sizeof(line.product_id), "%s", item->product_id);
	cart->lines[cart->line_count++] = line;
	return 0;
}

bool cart_remove_line(struct cart *cart, const char *product_id)
{
	struct cart_line *line = cart_find_line(cart, product_id);

	if (!line)
		return false;
	free(line->name);
	size_t after = (size_t)(cart->lines + cart->line_count - (line + 1));
	memmove(line, line + 1, after * sizeof(*line));
	cart->line_count--;
	return true;
}

bool cart_line_is_newer(const struct cart_line *line, int64_t seen_at)
{
	return line->seen_at > seen_at && line->seen_at <= clock_now();
}

/* Brings an existing line up to date with what the Product service said. */
static int see(struct cart_line *line, const char *name, int64_t unit_price, int64_t seen_at)
{
	int changed = line->unit_price != unit_price;

	if (cart_line_is_newer(line, seen_at))
		return 0;
	if (strcmp(line->name, name) != 0) {
		char *copy = strdup(name);

		if (!copy)
			return -ENOMEM;
		free(line->name);
		line->name = copy;
		changed = 1;
	}
	line->unit_price = unit_price;
	line->seen_at = seen_at;
	return changed;
}

int cart_update_line(struct cart_line *line, const struct cart_product *product, int64_t seen_at)
{
	return see(line, product->name, product->price, seen_at);
}

static int64_t next_position(const struct cart *cart)
{
	return cart->line_count ? cart->lines[cart->line_count - 1].position + 1 : 1;
}

static int refuse(struct cart_refusal *ret_refusal, enum cart_reason reason, const char *product_id,
		  int64_t requested, int64_t allowed)
{
	*ret_refusal =
		(struct cart_refusal){.reason = reason, .requested = requested, .allowed = allowed};
	snprintf(ret_refusal->product_id, sizeof(ret_refusal->product_id), "%s", product_id);
	return (int)reason;
}

int cart_set(struct cart *cart, const struct cart_product *product, int64_t quantity,
	     int64_t seen_at, struct cart_refusal *ret_refusal)
{
	struct cart_line *line = cart_find_line(cart, product->id);
	const struct cart_item fresh = {
		.product_id = product->id,
		.name = product->name,
		.unit_price = product->price,
		.quantity = quantity,
		.position = next_position(cart),
		.seen_at = seen_at,
	};

	if (quantity > CART_QUANTITY_MAX)
		return refuse(ret_refusal, CART_QUANTITY_LIMIT, product->id, quantity,
			      CART_QUANTITY_MAX);
	if (!line && cart->line_count == CART_LINES_MAX)
		return refuse(ret_refusal, CART_FULL, product->id, CART_LINES_MAX + 1,
			      CART_LINES_MAX);
	if (quantity > product->inventory)
		return refuse(ret_refusal, CART_SHORT_STOCK, product->id, quantity,
			      product->inventory);
	if (!line)
		return cart_append_line(cart, &fresh);
	int r = see(line, product->name, product->price, seen_at);
	if (r < 0)
		return r;
	line->quantity = quantity;
	return CART_FINE;
}

int cart_add(struct cart *cart, const struct cart_product *product, int64_t quantity,
	     int64_t seen_at, struct cart_refusal *ret_refusal)
{
	const struct cart_line *line = cart_find_line(cart, product->id);

	return cart_set(cart, product, (line ? line->quantity : 0) + quantity, seen_at,
			ret_refusal);
}

static int merge_line(struct cart *target, const struct cart_line *source)
{
	struct cart_line *line = cart_find_line(target, source->product_id);
	const struct cart_item fresh = {
		.product_id = source->product_id,
		.name = source->name,
		.unit_price = source->unit_price,
		.quantity = source->quantity,
		.position = next_position(target),
		.seen_at = source->seen_at,
	};

	if (!line)
		return cart_append_line(target, &fresh);
	line->quantity += source->quantity;
	return see(line, source->name, source->unit_price, source->seen_at);
}

int cart_merge(struct cart *target, const struct cart *source, struct cart_refusal *ret_refusal)
{
	size_t lines = target->line_count;

	for (size_t i = 0; i < source->line_count; i++) {
		const struct cart_line *from = &source->lines[i];
		const struct cart_line *to = cart_find_line(target, from->product_id);
		int64_t sum = from->quantity + (to ? to->quantity : 0);

		if (sum > CART_QUANTITY_MAX)
			return refuse(ret_refusal, CART_QUANTITY_LIMIT, from->product_id, sum,
				      CART_QUANTITY_MAX);
		lines += !to;
		if (lines > CART_LINES_MAX)
			return refuse(ret_refusal, CART_FULL, from->product_id, (int64_t)lines,
				      CART_LINES_MAX);
	}
	for (size_t i = 0; i < source->line_count; i++) {
		int r = merge_line(target, &source->lines[i]);

		if (r < 0)
			return r;
	}
	return CART_FINE;
}

void cart_touch(struct cart *cart, int64_t now, int64_t lifetime)
{
	cart->version++;
	cart->updated_at = now;
	cart->expires_at = now + lifetime;
}

int cart_line_total(const struct cart_line *line, int64_t *ret_total)
{
	return money_multiply(line->unit_price, line->quantity, ret_total);
}

int cart_total(const struct cart *cart, int64_t *ret_total)
{
	int64_t total = 0;

	for (size_t i = 0; i < cart->line_count; i++) {
		int64_t line_total = 0;
		int r = cart_line_total(&cart->lines[i], &line_total);

		if (!r)
			r = money_add(total, line_total, &total);
		if (r < 0)
			return r;
	}
	*ret_total = total;
	return 0;
}

static int write_lines(const struct cart *cart, struct currency currency,
		       struct json_writer *writer)
{
	json_key(writer, "items");
	json_array_begin(writer);
	for (size_t i = 0; i < cart->line_count; i++) {
		const struct cart_line *line = &cart->lines[i];
		int64_t line_total = 0;
		int r = cart_line_total(line, &line_total);

		if (r < 0)
			return r;
		json_object_begin(writer);
		json_member_string(writer, "product_id", line->product_id);
		json_member_string(writer, "name", line->name);
		json_member_money(writer, "unit_price", line->unit_price, currency);
		json_member_int(writer, "quantity", line->quantity);
		json_member_money(writer, "line_total", line_total, currency);
		json_object_end(writer);
	}
	json_array_end(writer);
	return 0;
}

int cart_write(const struct cart *cart, struct currency currency, struct json_writer *writer)
{
	int64_t total = 0;
	int r = cart_total(cart, &total);

	if (r < 0)
		return r;
	json_object_begin(writer);
	json_member_string(writer, "id", cart->id);
	if (cart->user_id[0])
		json_member_string(writer, "user_id", cart->user_id);
	r = write_lines(cart, currency, writer);
	if (r < 0)
		return r;
	json_member_money(writer, "total_amount", total, currency);
	json_member_string(writer, "currency", currency.code);
	json_member_int(writer, "version", cart->version);
	json_member_time(writer, "created_at", cart->created_at);
	json_member_time(writer, "updated_at", cart->updated_at);
	json_member_time(writer, "expires_at", cart->expires_at);
	if (cart->last_order_id[0])
		json_member_string(writer, "last_order_id", cart->last_order_id);
	json_object_end(writer);
	return 0;
}
