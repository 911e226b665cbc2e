#include "cart/siblings.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* The part of the request's time that is left for the transaction after the call. */
#define TIME_TO_ANSWER (CLOCK_SECOND / 4)

/* The path, the ids of a full cart, and the limit. */
#define LIST_PATH_MAX (64 + CART_LINES_MAX * UUID_TEXT_SIZE)

static int call(const struct cart_siblings *siblings, const struct request *request,
		const char *path, struct upstream_response *ret_response)
{
	struct upstream_request call = {
		.method = "GET",
		.path = path,
		.deadline = request->deadline - TIME_TO_ANSWER,
		.request_id = request->request_id,
		.traceparent = request->traceparent,
		.idempotent = true,
	};

	return upstream_call(siblings->product, &call, ret_response);
}

static int nonsense(const char *what)
{
	log_write(LOG_ERROR, "unusable answer of the Product service",
		  log_text("error.message", what));
	return -EHOSTDOWN;
}

static int read_price(const struct json *body, struct currency currency, int64_t *ret_price)
{
	const struct json *price = json_get(body, "price");
	int64_t amount = 0;

	if (strcmp(json_get_string(body, "currency", ""), currency.code) != 0)
		return nonsense("another currency than CURRENCY says");
	if (!price || json_type(price) != JSON_NUMBER)
		return nonsense("no price");
	const char *text = json_number_text(price);
	if (money_parse(text, strlen(text), currency, &amount) < 0 || amount < 0 ||
	    amount > MONEY_PRICE_MAX)
		return nonsense("a price out of range");
	*ret_price = amount;
	return 0;
}

/* Reads a product object into *product, whose id is already set. */
static int read_product(const struct json *body, struct currency currency,
			struct cart_product *product)
{
	const struct json *inventory = json_get(body, "inventory");
	const char *name = json_get_string(body, "name", "");
	size_t length = strlen(name);
	int64_t price = 0;
	int r = read_price(body, currency, &price);

	if (r < 0)
		return r;
	if (!length || length >= CART_NAME_SIZE)
		return nonsense("no name, or one too long");
	if (!inventory || json_type(inventory) != JSON_NUMBER || !json_is_integer(inventory))
		return nonsense("no inventory");
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(product->name);
	product->name = copy;
	product->price = price;
	product->inventory = json_int(inventory);
	return 0;
}

int cart_siblings_get_product(const struct cart_siblings *siblings, const struct request *request,
			      const char *product_id, struct cart_product *ret_product)
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	struct cart_product product = {0};
	char path[sizeof("/products/") + UUID_TEXT_SIZE];

	/* The id goes into a URL, so it must be a UUID. */
	if (!cart_product_id_is_valid(product_id))
		return -ENOENT;
	snprintf(product.id, sizeof(product.id), "%s", product_id);
	snprintf(path, sizeof(path), "/products/%s", product.id);
	int r = call(siblings, request, path, &response);
	if (r < 0)
		return r;
	if (response.status == 404)
		return -ENOENT;
	if (response.status != 200 || !response.body)
		return nonsense("neither a product nor 404");
	if (strcmp(json_get_string(response.body, "id", ""), product.id) != 0)
		return nonsense("another product than the one asked for");
	r = read_product(response.body, siblings->currency, &product);
	if (r < 0)
		return r;
	*ret_product = product;
	return 0;
}

static struct cart_product *find_product(struct cart_product *products, size_t count,
					 const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(products[i].id, id) == 0)
			return &products[i];
	return NULL;
}

int cart_siblings_get_products(const struct cart_siblings *siblings, const struct request *request,
			       struct cart_product *products, size_t count)
{
	struct upstream_response response CLEANUP(upstream_response_release) = {0};
	struct text path CLEANUP(text_release) = TEXT_INIT(LIST_PATH_MAX);

	text_append_string(&path, "/products?limit=100&ids=");
	for (size_t i = 0; i < count; i++)
		text_printf(&path, "%s%s", i ? "," : "", products[i].id);
	int r = text_error(&path);
	if (!r)
		r = call(siblings, request, text_string(&path), &response);
	if (r < 0)
		return r;
	if (response.status != 200 || !response.body || json_type(response.body) != JSON_ARRAY)
		return nonsense("no list of products");
	for (size_t i = 0; i < json_length(response.body); i++) {
		const struct json *body = json_at(response.body, i);
		struct cart_product *product =
			find_product(products, count, json_get_string(body, "id", ""));

		if (!product)
			return nonsense("another product than those asked for");
		r = read_product(body, siblings->currency, product);
		if (r < 0)
			return r;
	}
	return 0;
}
