/* The order service's three calls. checkout_store.h says what they mean. */
#include "base/clock.h"
#include "cart/cart_api.h"
#include "cart/checkout_store.h"
#include "cart/service.h"

/* False: an id in the path cannot exist, and the response is a 404. */
static bool read_ids(struct request *request, struct response *response, const char **ret_cart_id,
		     const char **ret_order_id)
{
	const char *cart_id = request_path_parameter(request, "id");
	const char *order_id = request_path_parameter(request, "order_id");

	if (!cart_id_is_valid(cart_id)) {
		response_not_found(response, "Cart");
		return false;
	}
	if (!cart_id_is_valid(order_id)) {
		response_not_found(response, "Checkout");
		return false;
	}
	*ret_cart_id = cart_id;
	*ret_order_id = order_id;
	return true;
}

/* These answers include the cart's user, because the caller may have asked for another user's
 * cart. */
static void answer_busy(struct response *response, const char *user_id, const char *order_id)
{
	struct json_writer *json = response_problem_begin(response, 409, "checkout-in-progress",
							  "An order of this cart is being placed");

	json_member_string(json, "user_id", user_id);
	json_member_string(json, "order_id", order_id);
	response_problem_end(response);
}

static void answer_empty(struct response *response, const char *user_id, const char *last_order_id)
{
	struct json_writer *json =
		response_problem_begin(response, 409, "cart-empty", "The cart is empty");

	json_member_string(json, "user_id", user_id);
	if (last_order_id[0])
		json_member_string(json, "last_order_id", last_order_id);
	response_problem_end(response);
}

static void answer_snapshot(const struct request *request, struct response *response,
			    const struct cart *snapshot, const char *order_id)
{
	struct json_writer *json = response_json(response, 200);

	json_object_begin(json);
	json_member_string(json, "cart_id", snapshot->id);
	json_member_string(json, "user_id", snapshot->user_id);
	json_member_string(json, "order_id", order_id);
	json_member_int(json, "revision", snapshot->version);
	json_key(json, "items");
	json_array_begin(json);
	for (size_t i = 0; i < snapshot->line_count; i++) {
		const struct cart_line *line = &snapshot->lines[i];

		json_object_begin(json);
		json_member_string(json, "product_id", line->product_id);
		json_member_string(json, "name", line->name);
		json_member_money(json, "unit_price", line->unit_price, request->runtime->currency);
		json_member_int(json, "quantity", line->quantity);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

/* never_opened tells the order service that there is nothing to release, now or later: another
 * user's cart is left alone. */
static void answer_no_cart(struct response *response)
{
	struct json_writer *json =
		response_problem_begin(response, 404, "not-found", "Cart not found");

	json_member_bool(json, "never_opened", true);
	response_problem_end(response);
}

/* Every outcome but success. user_id, other_id: what cart_checkout_open() found besides. */
static void answer_outcome(struct response *response, enum checkout_outcome outcome,
			   const char *user_id, const char *other_id)
{
	switch (outcome) {
	case CHECKOUT_NO_CART:
		answer_no_cart(response);
		return;
	case CHECKOUT_HIDDEN:
		response_not_found(response, "Cart");
		return;
	case CHECKOUT_UNKNOWN:
		response_not_found(response, "Checkout");
		return;
	case CHECKOUT_OTHER_OPEN:
		answer_busy(response, user_id, other_id);
		return;
	case CHECKOUT_EMPTY:
		answer_empty(response, user_id, other_id);
		return;
	case CHECKOUT_RELEASED:
		response_problem(response, 409, "checkout-released",
				 "This checkout was released before");
		return;
	case CHECKOUT_CONSUMED:
		response_problem(response, 409, "checkout-consumed",
				 "This checkout was consumed before");
		return;
	case CHECKOUT_FINE:
		return;
	}
}

int cart_api_open_checkout(struct request *request, struct response *response)
{
	struct cart snapshot CLEANUP(cart_release) = {0};
	const char *cart_id = NULL;
	const char *order_id = NULL;
	char other_id[CART_ID_SIZE] = "";

	if (!read_ids(request, response, &cart_id, &order_id))
		return 0;
	int r = cart_checkout_open(request->db, cart_id, order_id,
				   json_get_string(request->body, "user_id", NULL), clock_now(),
				   &snapshot, other_id);
	if (r < 0)
		return r;
	if (r == CHECKOUT_FINE)
		answer_snapshot(request, response, &snapshot, order_id);
	else
		answer_outcome(response, (enum checkout_outcome)r, snapshot.user_id, other_id);
	return 0;
}

int cart_api_consume_checkout(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	const char *cart_id = NULL;
	const char *order_id = NULL;

	if (!read_ids(request, response, &cart_id, &order_id))
		return 0;
	int r = cart_checkout_consume(request->db, cart_id, order_id, clock_now(), app->lifetime);
	if (r < 0)
		return r;
	if (r != CHECKOUT_FINE) {
		answer_outcome(response, (enum checkout_outcome)r, "", "");
		return 0;
	}
	struct json_writer *json = response_json(response, 200);
	json_object_begin(json);
	json_member_string(json, "cart_id", cart_id);
	json_member_string(json, "order_id", order_id);
	json_member_string(json, "state", "consumed");
	json_object_end(json);
	return 0;
}

int cart_api_release_checkout(struct request *request, struct response *response)
{
	const char *cart_id = NULL;
	const char *order_id = NULL;

	if (!read_ids(request, response, &cart_id, &order_id))
		return 0;
	int r = cart_checkout_release(request->db, cart_id, order_id, clock_now());
	if (r < 0)
		return r;
	if (r == CHECKOUT_FINE)
		response_empty(response, 204);
	else
		answer_outcome(response, (enum checkout_outcome)r, "", "");
	return 0;
}
