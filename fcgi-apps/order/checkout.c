/*
 * POST /orders: the saga. What the process leaves behind if it dies, step by step, and what repairs
 * that:
 *
 *	before begin() commits    nothing
 *	until place() commits     an order being placed, perhaps a checkout and a reservation:
 *				  the sweeper rejects it when its lease runs out, and the relay
 *				  releases both
 *	after place() committed   a placed order and consume_cart in the outbox: the relay
 *	after reject() committed  a rejected order and its releases in the outbox: the relay
 *
 * A request that outlives its lease can no longer place() the order and answers 503. If one of its
 * calls reaches a sibling later, it finds the tombstone that the release left there.
 */
#include "order/order_api.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "order/effects.h"
#include "order/order_store.h"
#include "order/outbox_store.h"
#include "order/problems.h"
#include "order/service.h"
#include "order/siblings.h"
#include "order/sweeper.h"
#include "responder/idempotency.h"
#include "responder/kept_answer.h"
#include "responder/ownership.h"

/* The part of the request's time that is left for the commit after the siblings' answers. */
#define COMMIT_TIME (CLOCK_SECOND / 2)

/* How often to ask for the cart. After one blocking order is out of the way, another may be
 * quicker. */
#define OPEN_TRIES 3

/* How much longer than the request's deadline its lease lasts. */
#define LEASE_SLACK CLOCK_SECOND

struct checkout {
	struct request *request;
	struct response *response;
	const struct order_app *app;
	struct order_call call;
	struct order order;
	struct order_answer cart;
	struct order_answer stock;
	bool anybodys; /* the order is for whoever the cart belongs to, which the cart will tell */
	bool hold_tried;
	bool blocked; /* another order has the cart open */
	int64_t lease_until;

	/* Reset by each run of a transaction. */
	enum idempotency outcome;
	enum order_fate first; /* the order that an earlier request with this key began */
	bool ended;            /* the order was no longer being placed */
	struct order_effects effects;
};

static void checkout_release(struct checkout *checkout)
{
	order_release(&checkout->order);
	order_answer_release(&checkout->cart);
	order_answer_release(&checkout->stock);
}

/* Steps before the commit return 0 (continue), a negative error, or this: the response is set. */
#define REFUSED 1

/* ---- step 1: durable ------------------------------------------------------------------------ */

static int begin(struct db_conn *conn, void *argument)
{
	struct checkout *checkout = argument;

	response_reset(checkout->response);
	checkout->effects.count = 0;
	int r = idempotency_claim(conn, checkout->request, checkout->response, checkout->order.id,
				  &checkout->outcome);
	if (r < 0 || checkout->outcome != IDEMPOTENCY_NEW)
		return r;
	return order_store_begin(conn, &checkout->order, checkout->lease_until);
}

/* A replayed answer, like the first one, waits for the remaining effects of its order: the process
 * that placed it may have died. */
static int find_effects(struct db_conn *conn, void *argument)
{
	struct checkout *checkout = argument;
	char order_id[UUID_TEXT_SIZE];
	int r = idempotency_resource(conn, checkout->request, order_id);

	if (r == 0)
		r = order_outbox_of(conn, order_id, &checkout->effects);
	return r == -ENOENT ? 0 : r;
}

/*
 * If the first request's process died before it answered, gives up its order and its key. This
 * needs a transaction of its own: ending an order locks the order first and then the key, and
 * begin() holds the key.
 */
static int decide_first(struct db_conn *conn, void *argument)
{
	struct checkout *checkout = argument;
	char order_id[UUID_TEXT_SIZE];
	int r = idempotency_resource(conn, checkout->request, order_id);

	checkout->effects.count = 0;
	if (r == 0)
		r = order_decide(conn, order_id, clock_now(), &checkout->first);
	if (r == 0 && checkout->first != ORDER_GIVEN_UP)
		r = order_outbox_of(conn, order_id, &checkout->effects);
	return r == -ENOENT ? 0 : r;
}

static int begin_order(struct checkout *checkout)
{
	struct db *db = checkout->app->runtime->db;
	int r = db_transaction(db, begin, checkout);

	if (r < 0 || checkout->outcome == IDEMPOTENCY_NEW)
		return r;
	if (checkout->outcome == IDEMPOTENCY_ANSWERED)
		return db_read(db, find_effects, checkout);
	r = db_transaction(db, decide_first, checkout);
	if (r < 0 || checkout->first != ORDER_GIVEN_UP)
		return r;
	return db_transaction(db, begin, checkout);
}

/* ---- steps 2 and 3: the siblings ------------------------------------------------------------ */

static int refused_by_cart(struct checkout *checkout)
{
	struct response *response = checkout->response;
	const struct json *problem = checkout->cart.raw.body;
	const char *refusal = checkout->cart.refusal;

	if (strcmp(refusal, "not-found") == 0) {
		response_not_found(response, "Cart");
	} else if (strcmp(refusal, "cart-empty") == 0) {
		const char *last_order_id = json_get_string(problem, "last_order_id", NULL);

		if (last_order_id)
			order_problem_with_order_id(response, "already-ordered",
						    "This cart has been ordered already",
						    last_order_id);
		else
			response_problem(response, 409, "cart-empty", "The cart is empty");
	} else if (strcmp(refusal, "checkout-in-progress") == 0) {
		checkout->blocked = true;
		order_problem_with_order_id(response, "checkout-in-progress",
					    "This cart is being ordered by another request",
					    json_get_string(problem, "order_id", NULL));
		response_header(response, "Retry-After", "1");
	} else {
		return -ETIMEDOUT; /* released: the sweeper came first */
	}
	return REFUSED;
}

/* True: the order that had the cart open is out of the way. */
static bool unblock(const struct checkout *checkout)
{
	return order_end_other(checkout->app, &checkout->call,
			       json_get_string(checkout->cart.raw.body, "order_id", ""));
}

/* Asks for the cart. If an order that nobody works on any more has it open, ends that order and
 * asks again. */
static int try_open(struct checkout *checkout)
{
	for (int tries = 1;; tries++) {
		int r = order_cart_open(&checkout->app->siblings, &checkout->call, &checkout->order,
					&checkout->cart);
		const char *refusal = checkout->cart.refusal;

		if (r < 0 || !refusal || strcmp(refusal, "checkout-in-progress") != 0 ||
		    tries == OPEN_TRIES || !unblock(checkout))
			return r;
		order_answer_release(&checkout->cart);
	}
}

/* Staff's order becomes the cart's user's. */
static int take_user(struct checkout *checkout)
{
	char *user_id = strdup(checkout->cart.user_id);

	if (!user_id)
		return -ENOMEM;
	free(checkout->order.user_id);
	checkout->order.user_id = user_id;
	return 0;
}

static int open_cart(struct checkout *checkout)
{
	const struct order_answer *cart = &checkout->cart;
	int r = try_open(checkout);

	if (r < 0)
		return r;
	/* The cart service compares the user only where the order has one. This check comes first:
	 * nobody must learn anything about another user's cart. */
	if (cart->user_id && !checkout->anybodys &&
	    strcmp(cart->user_id, checkout->order.user_id) != 0) {
		response_not_found(checkout->response, "Cart");
		return REFUSED;
	}
	if (cart->refusal)
		return refused_by_cart(checkout);
	return checkout->anybodys ? take_user(checkout) : 0;
}

static int try_hold(struct checkout *checkout)
{
	return order_stock_hold(&checkout->app->siblings, &checkout->call, checkout->order.id,
				checkout->cart.lines, checkout->cart.line_count, &checkout->stock);
}

static bool is_short(const struct order_answer *stock)
{
	return stock->refusal && strcmp(stock->refusal, "insufficient-stock") == 0;
}

static int hold_stock(struct checkout *checkout)
{
	const struct order_answer *cart = &checkout->cart;

	checkout->hold_tried = true;
	int r = try_hold(checkout);

	/* An order that nobody works on any more may hold the missing stock. */
	if (r == 0 && is_short(&checkout->stock) &&
	    order_recover(checkout->app, checkout->call.deadline)) {
		order_answer_release(&checkout->stock);
		r = try_hold(checkout);
	}
	if (r < 0)
		return r;
	if (!checkout->stock.refusal)
		return 0;
	if (strcmp(checkout->stock.refusal, "reservation-released") == 0)
		return -ETIMEDOUT; /* the sweeper came first */
	if (strcmp(checkout->stock.refusal, "price-changed") == 0)
		order_problem_repriced(checkout->response, cart, &checkout->stock);
	else
		order_problem_short_stock(checkout->response, cart, &checkout->stock);
	return REFUSED;
}

/* ---- step 4: the order ---------------------------------------------------------------------- */

static const struct order_item *find_line(const struct order_answer *answer, const char *product_id)
{
	for (size_t i = 0; i < answer->line_count; i++) {
		if (strcmp(answer->lines[i].product_id, product_id) == 0)
			return &answer->lines[i];
	}
	return NULL;
}

/* The lines in the cart's order, with the names and prices at which the stock was held. */
static int make_lines(struct checkout *checkout)
{
	const struct order_answer *cart = &checkout->cart;
	bool price_changed = false;

	for (size_t i = 0; i < cart->line_count; i++) {
		const struct order_item *held =
			find_line(&checkout->stock, cart->lines[i].product_id);

		if (!held) {
			log_write(LOG_ERROR, "the stock held lacks a line of the order",
				  log_text("order.id", checkout->order.id));
			return -EIO;
		}
		price_changed = price_changed || held->price != cart->lines[i].price;

		struct order_item item = *held;

		item.quantity = cart->lines[i].quantity;
		int r = order_add_line(&checkout->order, &item);

		if (r < 0)
			return r;
	}
	if (price_changed) {
		order_problem_price_changed(checkout->response, cart, &checkout->order);
		return REFUSED;
	}
	if (order_price(&checkout->order) < 0) {
		response_problem(checkout->response, 422, "total-overflow",
				 "The order's total is larger than an amount can be");
		return REFUSED;
	}
	return 0;
}

static void write_created(struct checkout *checkout, const struct order *order)
{
	response_reset(checkout->response);
	response_location(checkout->response, checkout->request, "/orders/%s", order->id);
	response_version(checkout->response, order->version);
	order_write(order, ownership_is_staff(checkout->request),
		    response_json(checkout->response, 201));
}

static int place(struct db_conn *conn, void *argument)
{
	struct checkout *checkout = argument;
	const struct order *order = &checkout->order;
	int64_t now = clock_now();

	checkout->effects.count = 0;
	int r = order_store_place(conn, order, now);
	checkout->ended = r == 0;
	if (r <= 0)
		return r;
	r = failpoint("while_placing");
	if (r == 0)
		r = order_effects_add(conn, &checkout->effects, ORDER_CONSUME_CART, order, now);
	if (r < 0)
		return r;
	write_created(checkout, order);
	checkout->request->resource_id = order->id;
	return idempotency_store(conn, checkout->request, checkout->response);
}

static int place_order(struct checkout *checkout)
{
	struct order *order = &checkout->order;
	char actor[ACTOR_SIZE];

	order->status = ORDER_PENDING;
	order->version = 1;
	order->created_at = clock_now();
	order->updated_at = order->created_at;
	int r = order_add_event(
		order, &(struct order_note){.status = ORDER_PENDING,
					    .actor = ownership_actor(checkout->request, actor),
					    .at = order->created_at});
	if (!r)
		r = db_transaction(checkout->app->runtime->db, place, checkout);
	if (!r && checkout->ended)
		r = -ETIMEDOUT;
	if (!r)
		r = failpoint("after_place");
	return r;
}

/* ---- the way back --------------------------------------------------------------------------- */

/* The order is no longer being placed. Either our own commit placed it and we never heard of its
 * success, or the sweeper rejected it. */
static int look_again(struct checkout *checkout, struct db_conn *conn)
{
	struct order placed CLEANUP(order_release) = {0};
	int r = order_store_find_to_change(conn, checkout->order.id, EVERYBODYS, &placed);

	if (r == -ENOENT) {
		response_error(checkout->response, -ETIMEDOUT);
		return 0;
	}
	if (r < 0)
		return r;
	write_created(checkout, &placed);
	return order_outbox_of(conn, placed.id, &checkout->effects);
}

/* The response is already set. */
static int reject(struct db_conn *conn, void *argument)
{
	struct checkout *checkout = argument;
	int64_t now = clock_now();
	int r;

	checkout->effects.count = 0;
	if (checkout->cart.never_opened)
		r = order_store_forget(conn, checkout->order.id);
	else
		r = order_store_reject(conn, checkout->order.id, now);
	if (r < 0)
		return r;
	if (r == 0)
		return look_again(checkout, conn);

	r = failpoint("while_rejecting");
	if (r == 0 && !checkout->cart.never_opened)
		r = order_effects_add(conn, &checkout->effects, ORDER_RELEASE_CART,
				      &checkout->order, now);
	if (r == 0 && checkout->hold_tried)
		r = order_effects_add(conn, &checkout->effects, ORDER_RELEASE_STOCK,
				      &checkout->order, now);
	if (r < 0)
		return r;
	/* The blocking checkout is temporary, so this answer is not stored: the client's next try
	 * must not get it again. */
	if (checkout->blocked || !kept_answer_wanted(checkout->request, checkout->response))
		return idempotency_forget(conn, ORDER_CHECKOUT_OPERATION, checkout->order.id);
	return idempotency_store(conn, checkout->request, checkout->response);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int go(struct checkout *checkout)
{
	int r = failpoint("after_begin");

	if (r == 0)
		r = open_cart(checkout);
	if (r == 0)
		r = failpoint("after_open");
	if (r == 0)
		r = hold_stock(checkout);
	if (r == 0)
		r = failpoint("after_hold");
	if (r == 0)
		r = make_lines(checkout);
	if (r == 0)
		r = place_order(checkout);
	if (r < 0)
		response_error(checkout->response, r);
	if (r != 0)
		r = db_transaction(checkout->app->runtime->db, reject, checkout);
	if (r < 0) {
		/* The order stays as it is; the sweeper will end it. */
		checkout->effects.count = 0;
		return r;
	}
	return 0;
}

/* Whose order it is to be. Who shows the cart's secret, beside a token or not, orders it for its
 * guest; staff need to name nobody. False: the response says why not. */
static bool find_user(struct checkout *checkout, const char *cart_id, const char **ret_user_id)
{
	const struct request *request = checkout->request;
	const char *named = json_get_string(request->body, "user_id", NULL);

	*ret_user_id = "";
	checkout->anybodys = !named && ownership_is_staff(request);
	if (checkout->anybodys || (!named && ownership_has_secret(request, cart_id)))
		return true;
	if (!ownership_user(request, checkout->response, "body", named, ret_user_id))
		return false;
	if (**ret_user_id)
		return true;
	response_not_found(checkout->response, "Cart");
	return false;
}

int order_api_create(struct request *request, struct response *response)
{
	const char *cart_id = json_get_string(request->body, "cart_id", "");
	const char *user_id;
	int64_t now = clock_now();
	int64_t time_left = request->deadline - clock_monotonic();
	struct checkout checkout CLEANUP(checkout_release) = {
		.request = request,
		.response = response,
		.app = request->app,
		.call = {.deadline = request->deadline - COMMIT_TIME,
			 .request_id = request->request_id,
			 .traceparent = request->traceparent},
		.lease_until = now + (time_left > 0 ? time_left : 0) + LEASE_SLACK,
	};

	if (!find_user(&checkout, cart_id, &user_id))
		return 0;
	if (!order_cart_id_valid(cart_id)) {
		response_not_found(response, "Cart");
		return 0;
	}
	uuid_make(checkout.order.id);
	snprintf(checkout.order.cart_id, sizeof(checkout.order.cart_id), "%s", cart_id);
	checkout.order.currency = request->runtime->currency;
	checkout.order.created_at = now;
	checkout.order.user_id = strdup(user_id);
	if (!checkout.order.user_id)
		return -ENOMEM;

	int r = begin_order(&checkout);
	if (r < 0)
		return r;
	if (checkout.outcome == IDEMPOTENCY_NEW)
		r = go(&checkout);
	if (r == 0)
		r = failpoint("before_effects");
	order_effects_carry_out(request, response, &checkout.effects);
	return r;
}
