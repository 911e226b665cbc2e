#include "cart/cart_api.h"

#include <inttypes.h>

#include "auth/guest.h"
#include "base/clock.h"
#include "cart/checkout_store.h"
#include "cart/service.h"
#include "responder/ownership.h"
#include "responder/paging.h"

/* The order of listed carts, as it is named in cursors. */
#define LIST_ORDER "-created_at"

/* A page of many full carts ends early, to bound memory, whatever limit the client asked for. */
#define LIST_BYTES_MAX (2u << 20)

static int load(struct request *request, struct response *response, const struct owner *owner,
		enum cart_lock lock, struct cart *cart)
{
	const char *id = request_path_parameter(request, "id");
	int r = cart_store_load(request->db, id, owner, clock_now(), lock, cart);

	if (r == -ENOENT) {
		response_not_found(response, "Cart");
		return 0;
	}
	if (r < 0)
		return r;
	return request_precondition(request, response, cart->version);
}

int cart_api_load(struct request *request, struct response *response, enum cart_lock lock,
		  struct cart *cart)
{
	struct owner owner = ownership_of_cart(request, request_path_parameter(request, "id"));

	return load(request, response, &owner, lock, cart);
}

int cart_api_answer(const struct request *request, struct response *response, int status,
		    const struct cart *cart)
{
	response_version(response, cart->version);
	return cart_write(cart, request->runtime->currency, response_json(response, status));
}

int cart_api_save(const struct request *request, struct response *response, int64_t lifetime,
		  struct cart *cart)
{
	cart_touch(cart, clock_now(), lifetime);
	int r = cart_store_update(request->db, cart);
	return r < 0 ? r : cart_api_answer(request, response, 200, cart);
}

static void write_refused_line(struct json_writer *json, const struct cart_refusal *refusal,
			       const char *allowed)
{
	json_key(json, "items");
	json_array_begin(json);
	json_object_begin(json);
	json_member_string(json, "product_id", refusal->product_id);
	json_member_int(json, "requested", refusal->requested);
	json_member_int(json, allowed, refusal->allowed);
	json_object_end(json);
	json_array_end(json);
}

void cart_api_refuse(struct response *response, const struct cart_refusal *refusal)
{
	struct json_writer *json;

	switch (refusal->reason) {
	case CART_SHORT_STOCK:
		json = response_problem_begin(response, 409, "insufficient-stock",
					      "There is not enough stock for this quantity");
		write_refused_line(json, refusal, "available");
		break;
	case CART_QUANTITY_LIMIT:
		json = response_problem_begin(response, 409, "quantity-limit",
					      "A line of a cart holds at most 999");
		write_refused_line(json, refusal, "limit");
		break;
	default:
		json = response_problem_begin(response, 409, "cart-full",
					      "A cart holds at most 100 different products");
		json_member_int(json, "limit", refusal->allowed);
		break;
	}
	response_problem_end(response);
}

void cart_api_checkout_open(struct response *response, const char *order_id)
{
	struct json_writer *json = response_problem_begin(response, 409, "checkout-in-progress",
							  "An order of this cart is being placed");

	json_member_string(json, "order_id", order_id);
	response_problem_end(response);
}

/* Whose cart it is to be. False: the response says why not. */
static bool find_user(const struct request *request, struct response *response,
		      const char **ret_user_id)
{
	return ownership_user(request, response, "body",
			      json_get_string(request->body, "user_id", NULL), ret_user_id);
}

int cart_api_create(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	int64_t now = clock_now();
	const char *user_id;
	struct cart cart = {0};

	if (!find_user(request, response, &user_id))
		return 0;
	if (atomic_load_explicit(&app->cart_count, memory_order_relaxed) >= app->carts_max) {
		response_problem(response, 503, "carts-full",
				 "There are too many carts at the moment");
		response_header(response, "Retry-After", "60");
		return 0;
	}
	uuid_make(cart.id);
	snprintf(cart.user_id, sizeof(cart.user_id), "%s", user_id);
	cart.created_at = now;
	cart_touch(&cart, now, app->lifetime);
	int r = cart_store_create(request->db, &cart);
	if (r < 0)
		return r;
	response_location(response, request, "/carts/%s", cart.id);
	return cart_api_answer(request, response, 201, &cart);
}

/* The id of the cart that an answer holds, and whether it is a guest's. */
static int read_guests_cart(const struct response *response, char ret_id[CART_ID_SIZE])
{
	struct json *cart CLEANUP(json_free_p) = NULL;
	struct json_error error;
	size_t length;
	const char *body = response_body(response, &length);
	int r = json_parse(body, length, JSON_DEPTH_MAX, &cart, &error);

	if (r < 0)
		return r == -ENOMEM ? r : -EIO;
	snprintf(ret_id, CART_ID_SIZE, "%s", json_get_string(cart, "id", ""));
	return !json_get(cart, "user_id");
}

static int add_secret(struct request *request, struct response *response)
{
	char secret[GUEST_SECRET_SIZE];
	char id[CART_ID_SIZE];

	if (!request->runtime->guests)
		return 0;
	int r = read_guests_cart(response, id);
	if (r <= 0)
		return r;
	r = guest_secret_make(request->runtime->guests, id, secret);
	if (r < 0)
		return r;
	/* In front of the brace that ends the object. */
	text_truncate(&response->body, response->body.length - 1);
	text_printf(&response->body, ",\"secret\":\"%s\"}", secret);
	return 0;
}

/* A kept answer is found before anybody looks whose cart may be made: since it was given, whoever
 * repeats the request may have lost a scope. */
int cart_api_created(struct request *request, struct response *response)
{
	const char *user_id;

	if (response->status != 201 || !find_user(request, response, &user_id))
		return 0;
	return add_secret(request, response);
}

static int ask_cart(struct request *request, struct response *response UNUSED,
		    struct db_statement *ret_statement)
{
	const char *id = request_resource_id(request);
	struct owner owner = ownership_of_cart(request, id);

	cart_store_ask(id, &owner, clock_now(), ret_statement);
	return 0;
}

static int answer_cart(struct request *request, struct response *response, struct db_rows *rows)
{
	struct cart cart CLEANUP(cart_release) = {0};
	int r = cart_store_read(rows, &cart);

	if (r == -ENOENT) {
		response_not_found(response, "Cart");
		return 0;
	}
	return r < 0 ? r : cart_api_answer(request, response, 200, &cart);
}

const struct lookup cart_api_get = {.ask = ask_cart, .answer = answer_cart};

struct listing {
	const struct request *request;
	struct response *response;
	struct json_writer *json;
	int64_t limit;
	int64_t written;
	bool more;
	int64_t last_created_at;
	char last_id[CART_ID_SIZE];
};

static int write_listed(void *context, const struct cart *cart)
{
	struct listing *listing = context;

	if (listing->written == listing->limit ||
	    (listing->written && listing->response->body.length > LIST_BYTES_MAX)) {
		listing->more = true;
		return 1;
	}
	int r = cart_write(cart, listing->request->runtime->currency, listing->json);
	if (r < 0)
		return r;
	listing->written++;
	listing->last_created_at = cart->created_at;
	memcpy(listing->last_id, cart->id, sizeof(listing->last_id));
	return 0;
}

static void link_next(const struct listing *listing, int64_t last_created_at, const char *last_id)
{
	char created_at[32];

	snprintf(created_at, sizeof(created_at), "%" PRId64, last_created_at);
	paging_next(listing->request, listing->response, LIST_ORDER,
		    (const char *const[]){created_at, last_id}, 2);
}

static int list_page(struct request *request, struct response *response, struct cart_page *page,
		     int64_t now)
{
	struct listing listing = {
		.request = request,
		.response = response,
		.json = response_json(response, 200),
		.limit = page->limit - 1,
	};
	int further = cart_store_horizon(request->db, page, CART_PAGE_HORIZON);

	if (further < 0)
		return further;
	json_array_begin(listing.json);
	int r = cart_store_list(request->db, page, now, write_listed, &listing);
	if (r < 0)
		return r;
	json_array_end(listing.json);
	if (listing.more || r > 0)
		link_next(&listing, listing.last_created_at, listing.last_id);
	else if (further)
		link_next(&listing, page->last_created_at, page->last_id);
	return 0;
}

/* Counts from the beginning of the list, not from this page. */
static int write_total(struct request *request, struct response *response, struct cart_page page,
		       int64_t now)
{
	int64_t count = 0;

	if (!request_query_bool(request, "count", false))
		return 0;
	int further = cart_store_horizon(request->db, &page, CART_COUNT_HORIZON);
	if (further < 0)
		return further;
	int r = cart_store_count(request->db, &page, now, &count);
	if (r == 0)
		paging_total(response, count, !further);
	return r;
}

int cart_api_list(struct request *request, struct response *response)
{
	struct cursor cursor CLEANUP(cursor_release) = {0};
	int64_t now = clock_now();
	const char *user_id;

	if (!ownership_user(request, response, "query", request_query(request, "user_id"),
			    &user_id))
		return 0;
	const struct cart_page beginning = {
		.user_id = user_id,
		.created_at = INT64_MAX,
		.id = "",
		/* one more, to know whether there is a next page */
		.limit = request_query_int(request, "limit", PAGE_LIMIT_DEFAULT) + 1,
	};
	struct cart_page page = beginning;

	if (!cursor_read(request, response, LIST_ORDER, 2, &cursor))
		return 0;
	if (cursor.count) {
		if (!cursor_int(&cursor, 0, response, &page.created_at))
			return 0;
		page.id = cursor.fields[1];
	}
	int r = list_page(request, response, &page, now);
	return r < 0 ? r : write_total(request, response, beginning, now);
}

int cart_api_clear(struct request *request, struct response *response)
{
	const struct cart_app *app = request->app;
	struct cart cart CLEANUP(cart_release) = {0};

	int r = cart_api_load(request, response, CART_CHANGE, &cart);
	if (r <= 0)
		return r;
	if (!cart.line_count)
		return cart_api_answer(request, response, 200, &cart);
	while (cart.line_count)
		cart_remove_line(&cart, cart.lines[cart.line_count - 1].product_id);
	r = cart_store_clear(request->db, cart.id);
	return r < 0 ? r : cart_api_save(request, response, app->lifetime, &cart);
}

static int save_merge(struct request *request, struct response *response, struct cart *target,
		      struct cart *source)
{
	const struct cart_app *app = request->app;
	int r = cart_store_clear(request->db, source->id);

	for (size_t i = 0; !r && i < source->line_count; i++)
		r = cart_store_put_line(request->db, target->id,
					cart_find_line(target, source->lines[i].product_id));
	if (r < 0)
		return r;
	memcpy(source->merged_into, target->id, sizeof(source->merged_into));
	cart_touch(source, clock_now(), app->lifetime);
	r = cart_store_update(request->db, source);
	return r < 0 ? r : cart_api_save(request, response, app->lifetime, target);
}

/* Whether the source may be emptied. 1: yes; 0: no, and the response says why; negative: error. A
 * source that got lines since it was merged must be merged again, so only an empty one counts as
 * merged. */
static int check_source(struct request *request, struct response *response,
			const struct cart *target, const struct cart *source)
{
	char order_id[CART_ID_SIZE] = "";

	if (!source->line_count && strcmp(source->merged_into, target->id) == 0)
		return cart_api_answer(request, response, 200, target);
	if (!source->line_count && source->merged_into[0]) {
		response_problem(response, 409, "already-merged",
				 "The source cart was merged into another one");
		return 0;
	}
	int r = cart_checkout_find_open(request->db, source->id, order_id);
	if (r < 0)
		return r;
	if (order_id[0]) {
		cart_api_checkout_open(response, order_id);
		return 0;
	}
	return 1;
}

static int merge(struct request *request, struct response *response, struct cart *target,
		 const char *source_id, const struct owner *owner)
{
	struct cart source CLEANUP(cart_release) = {0};
	struct cart_refusal refusal;

	int r = cart_store_load(request->db, source_id, owner, clock_now(), CART_LOCKED, &source);
	if (r == -ENOENT) {
		response_not_found(response, "Cart");
		return 0;
	}
	if (r < 0)
		return r;
	r = check_source(request, response, target, &source);
	if (r <= 0)
		return r;
	r = cart_merge(target, &source, &refusal);
	if (r == CART_FINE)
		return save_merge(request, response, target, &source);
	if (r > 0)
		cart_api_refuse(response, &refusal);
	return r < 0 ? r : 0;
}

static void refuse_self(struct response *response)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, "body", "/source_cart_id", "is the cart itself");
	response_violations(response, &violations);
}

int cart_api_merge(struct request *request, struct response *response)
{
	const char *id = request_path_parameter(request, "id");
	const char *source_id = json_get_string(request->body, "source_cart_id", "");
	/* A secret opens a source only: nothing is merged into a guest's cart. */
	const struct owner *owner = &request->owner;
	struct owner source_owner = ownership_of_cart(request, source_id);
	struct cart target CLEANUP(cart_release) = {0};

	int r = cart_store_lock_two(request->db, id, owner, source_id, &source_owner);
	if (r < 0)
		return r;
	r = load(request, response, owner, CART_LOCKED, &target);
	if (r <= 0)
		return r;
	if (strcmp(source_id, target.id) == 0) {
		refuse_self(response);
		return 0;
	}
	return merge(request, response, &target, source_id, &source_owner);
}
