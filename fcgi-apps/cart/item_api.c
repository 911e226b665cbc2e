/* The lines of a cart. Operations that need Product ask it first and change the cart afterwards. */
#include "base/clock.h"
#include "cart/cart_api.h"
#include "cart/service.h"
#include "responder/idempotency.h"
#include "responder/ownership.h"

#define RETRY_AFTER_SECONDS "2"

/*
 * Product's answer, passed to the transaction as request->context. A failed call is passed on too,
 * because a repeated request may be answered from the stored answer.
 */
struct step {
	int64_t seen_at; /* taken before Product was asked */
	int error;       /* the call's result */
	size_t product_count;
	struct cart_product *products;
};

static int run_step(struct request *request, struct response *response, struct step *step,
		    int (*handle)(struct request *, struct response *))
{
	request->context = step;
	return idempotent_transaction(request, response, handle);
}

/* 1: Product answered; 0: the response says why not; negative: error. */
static int check_step(const struct step *step, struct response *response)
{
	switch (step->error) {
	case 0:
		return 1;
	case -ENOENT:
		response_not_found(response, "Product");
		return 0;
	case -EHOSTDOWN:
	case -ETIMEDOUT:
	case -EMSGSIZE:
		response_problem(response, 503, "product-unavailable",
				 "The Product service cannot be reached at the moment");
		response_header(response, "Retry-After", "%s", RETRY_AFTER_SECONDS);
		return 0;
	default:
		return step->error;
	}
}

typedef int quantity_rule(struct cart *cart, const struct cart_product *product, int64_t quantity,
			  int64_t seen_at, struct cart_refusal *ret_refusal);

static int change_quantity(struct request *request, struct response *response, quantity_rule *rule)
{
	const struct cart_app *app = request->app;
	const struct step *step = request->context;
	int64_t quantity = json_int(json_get(request->body, "quantity"));
	struct cart cart CLEANUP(cart_release) = {0};
	struct cart_refusal refusal;

	int r = cart_api_load(request, response, CART_CHANGE, &cart);
	if (r > 0)
		r = check_step(step, response);
	if (r <= 0)
		return r;
	r = rule(&cart, step->products, quantity, step->seen_at, &refusal);
	if (r > 0) {
		cart_api_refuse(response, &refusal);
		return 0;
	}
	if (!r)
		r = cart_store_put_line(request->db, cart.id,
					cart_find_line(&cart, step->products->id));
	return r < 0 ? r : cart_api_save(request, response, app->lifetime, &cart);
}

static int add_quantity(struct request *request, struct response *response)
{
	return change_quantity(request, response, cart_add);
}

static int set_quantity(struct request *request, struct response *response)
{
	return change_quantity(request, response, cart_set);
}

static int ask_and_change(struct request *request, struct response *response,
			  const char *product_id,
			  int (*handle)(struct request *, struct response *))
{
	const struct cart_app *app = request->app;
	struct cart_product product CLEANUP(cart_product_release) = {0};
	struct step step = {
		.seen_at = clock_now(),
		.product_count = 1,
		.products = &product,
	};

	step.error = cart_siblings_get_product(&app->siblings, request, product_id, &product);
	return run_step(request, response, &step, handle);
}

int cart_api_add_item(struct request *request, struct response *response)
{
	const char *product_id = json_get_string(request->body, "product_id", "");

	return ask_and_change(request, response, product_id, add_quantity);
}

int cart_api_remove_item(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	const char *product_id = request_path_parameter(request, "product_id");
	struct cart cart CLEANUP(cart_release) = {0};

	int r = cart_api_load(request, response, CART_CHANGE, &cart);
	if (r <= 0)
		return r;
	if (!cart_remove_line(&cart, product_id))
		return cart_api_answer(request, response, 200, &cart);
	r = cart_store_remove_line(request->db, cart.id, product_id);
	return r < 0 ? r : cart_api_save(request, response, app->lifetime, &cart);
}

int cart_api_set_item(struct request *request, struct response *response)
{
	const char *product_id = request_path_parameter(request, "product_id");

	if (!json_int(json_get(request->body, "quantity")))
		return idempotent_transaction(request, response, cart_api_remove_item);
	return ask_and_change(request, response, product_id, set_quantity);
}

/* Brings one of the requested lines up to date in the cart and in the store. 1: it changed. */
static int refresh_line(struct request *request, const struct step *step, struct cart *cart,
			const struct cart_product *product)
{
	struct cart_line *line = cart_find_line(cart, product->id);
	int r;

	/* The line was removed meanwhile, or added again with newer data than ours. */
	if (!line || cart_line_is_newer(line, step->seen_at))
		return 0;
	if (!product->name) {
		cart_remove_line(cart, product->id);
		r = cart_store_remove_line(request->db, cart->id, product->id);
		return r < 0 ? r : 1;
	}
	int changed = cart_update_line(line, product, step->seen_at);
	if (changed <= 0)
		return changed;
	r = cart_store_put_line(request->db, cart->id, line);
	return r < 0 ? r : 1;
}

static int refresh_lines(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	const struct step *step = request->context;
	struct cart cart CLEANUP(cart_release) = {0};
	bool changed = false;

	int r = cart_api_load(request, response, CART_CHANGE, &cart);
	if (r > 0)
		r = check_step(step, response);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < step->product_count; i++) {
		r = refresh_line(request, step, &cart, &step->products[i]);
		if (r < 0)
			return r;
		changed |= r > 0;
	}
	if (!changed)
		return cart_api_answer(request, response, 200, &cart);
	return cart_api_save(request, response, app->lifetime, &cart);
}

struct product_list {
	const char *cart_id;
	struct owner owner;
	size_t count;
	struct cart_product products[CART_LINES_MAX];
};

static void release_products(struct product_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cart_product_release(&list->products[i]);
}

/* Lists the products to ask for. An unknown cart has none; the transaction will report it. */
static int read_products(struct db_conn *conn, void *argument)
{
	struct product_list *list = argument;
	struct cart cart CLEANUP(cart_release) = {0};

	list->count = 0;
	int r = cart_store_load(conn, list->cart_id, &list->owner, clock_now(), CART_READ, &cart);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < cart.line_count; i++) {
		list->products[i] = (struct cart_product){0};
		memcpy(list->products[i].id, cart.lines[i].product_id, UUID_TEXT_SIZE);
	}
	list->count = cart.line_count;
	return 0;
}

int cart_api_refresh(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	struct product_list list CLEANUP(release_products) = {
		.cart_id = request_path_parameter(request, "id"),
		.owner = ownership_of_cart(request, request_path_parameter(request, "id")),
	};
	struct step step = {
		.seen_at = clock_now(),
		.products = list.products,
	};
	int r = db_read(request->runtime->db, read_products, &list);

	if (r < 0)
		return r;
	step.product_count = list.count;
	if (list.count)
		step.error = cart_siblings_get_products(&app->siblings, request, list.products,
							list.count);
	return run_step(request, response, &step, refresh_lines);
}
