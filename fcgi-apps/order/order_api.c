#include "order/order_api.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "order/effects.h"
#include "order/order_store.h"
#include "order/outbox_store.h"
#include "order/problems.h"
#include "order/service.h"
#include "responder/ownership.h"
#include "responder/paging.h"
#include "responder/refusal.h"

static void write_order(const struct request *request, const struct order *order,
			struct response *response)
{
	response_version(response, order->version);
	order_write(order, ownership_is_staff(request), response_json(response, 200));
}

static void refuse_query(struct response *response, const char *pointer, const char *detail)
{
	struct violations violations CLEANUP(violations_release) = {0};

	violations_add(&violations, "query", pointer, "%s", detail);
	response_violations(response, &violations);
}

/* ---- getOrder ------------------------------------------------------------------------------- */

/* Of a repeated request. */
static int ask_order(struct request *request, struct response *response UNUSED,
		     struct db_statement *ret_statement)
{
	struct owner owner = request->owner;

	/* Whose cart's secret it has to be is known with the order. */
	if (request->principal.cart_secret)
		owner.guest = "";
	order_store_ask(request_resource_id(request), &owner, ret_statement);
	return 0;
}

static bool is_open_to(const struct request *request, const struct order *order)
{
	return request->owner.any || order->user_id[0] ||
	       ownership_has_secret(request, order->cart_id);
}

static int answer_order(struct request *request, struct response *response, struct db_rows *rows)
{
	struct order order CLEANUP(order_release) = {0};
	int r = order_store_read(rows, &order);

	if (r == -ENOENT || (r == 0 && !is_open_to(request, &order))) {
		response_not_found(response, "Order");
		return 0;
	}
	if (r < 0)
		return r;
	write_order(request, &order, response);
	return 0;
}

const struct lookup order_api_replay = {.ask = ask_order, .answer = answer_order};

static int ask_own(struct request *request, struct response *response,
		   struct db_statement *ret_statement)
{
	if (request->principal.cart_secret && !request->owner.any)
		return LOOKUP_DECLINED;
	return ask_order(request, response, ret_statement);
}

const struct lookup order_api_get = {.ask = ask_own, .answer = answer_order};

/* Nothing but the cart is read of another guest's order, and a secret is compared even where there
 * is no order, so that the time does not tell them apart. */
int order_api_get_guests(struct request *request, struct response *response)
{
	const char *id = request_path_parameter(request, "id");
	struct order order CLEANUP(order_release) = {0};
	char cart_id[ORDER_CART_ID_SIZE] = "";
	int r = order_store_guests_cart(request->db, id, cart_id);

	if (r < 0)
		return r;
	struct owner owner = ownership_of_cart(request, cart_id);
	db_last(request->db);
	r = order_store_find(request->db, id, &owner, &order);
	if (r == -ENOENT)
		response_not_found(response, "Order");
	else if (r == 0)
		write_order(request, &order, response);
	return r == -ENOENT ? 0 : r;
}

/* ---- listOrders ----------------------------------------------------------------------------- */

#define LISTING_FIELDS 2

/* The sort orders; the first is the default. Its cursors are those of the previous version, which
 * had no other sort order. */
static const struct listing {
	const char *sort;
	const char *kind;
	bool by_update;
	bool ascending;
} listings[] = {
	{"-created_at", "created_at", false, false},
	{"created_at", "+created_at", false, true},
	{"-updated_at", "-updated_at", true, false},
	{"updated_at", "+updated_at", true, true},
};

static const struct listing *find_listing(const struct request *request)
{
	const char *sort = request_query(request, "sort");

	for (size_t i = 0; sort && i < ARRAY_SIZE(listings); i++) {
		if (strcmp(listings[i].sort, sort) == 0)
			return &listings[i];
	}
	return &listings[0];
}

static bool read_time(const struct request *request, struct response *response, const char *name,
		      int64_t *time)
{
	const char *text = request_query(request, name);
	char pointer[32];

	if (!text || clock_parse(text, strlen(text), time) == 0)
		return true;
	snprintf(pointer, sizeof(pointer), "/%s", name);
	refuse_query(response, pointer, "is not a date-time of RFC 3339");
	return false;
}

/* Staff see everybody's orders, of one user where they name one. */
static bool read_user(const struct request *request, struct response *response,
		      const char **ret_user_id)
{
	*ret_user_id = request_query(request, "user_id");
	return request->owner.any ||
	       ownership_user(request, response, "query", *ret_user_id, ret_user_id);
}

/* Fills the filter except for the page's place. False: the response says why not. */
static bool read_filter(const struct request *request, struct response *response,
			const struct listing *listing, struct order_filter *filter,
			enum order_status *status)
{
	const char *name = request_query(request, "status");
	const char *user_id;

	if (!read_user(request, response, &user_id))
		return false;
	*filter = (struct order_filter){
		.user_id = user_id,
		.created_from = INT64_MIN,
		.created_before = INT64_MAX,
		.updated_from = INT64_MIN,
		.by_update = listing->by_update,
		.ascending = listing->ascending,
	};
	if (name && order_status_parse(name, status) < 0) {
		refuse_query(response, "/status", "is no status of an order");
		return false;
	}
	if (name)
		filter->status = status;
	return read_time(request, response, "created_after", &filter->created_from) &&
	       read_time(request, response, "created_before", &filter->created_before) &&
	       read_time(request, response, "updated_after", &filter->updated_from);
}

/* Sets where the walk ends, in memory of the caller. 1: there may be further orders. */
static int end_walk(const struct request *request, struct order_filter *filter,
		    struct order_horizon *horizon)
{
	int ahead = order_store_horizon(request->db, filter, horizon);

	if (ahead > 0) {
		filter->until_id = horizon->id;
		filter->until_at = horizon->at;
	}
	return ahead;
}

/* Counts from the beginning of the list, not from this page. */
static int write_total(const struct request *request, struct response *response,
		       struct order_filter filter)
{
	struct order_horizon horizon;
	int64_t total;

	if (!request_query_bool(request, "count", false))
		return 0;
	int ahead = end_walk(request, &filter, &horizon);
	if (ahead < 0)
		return ahead;
	int r = order_store_count(request->db, &filter, &total);
	if (r < 0)
		return r;
	paging_total(response, total, !ahead);
	return 0;
}

static void write_link(const struct request *request, struct response *response,
		       const struct listing *listing, int64_t last_at, const char *last_id)
{
	char at[24];
	const char *fields[LISTING_FIELDS] = {at, last_id};

	snprintf(at, sizeof(at), "%lld", (long long)last_at);
	paging_next(request, response, listing->kind, fields, LISTING_FIELDS);
}

/* A page of very large orders ends early: an answer must not be longer than this. */
#define PAGE_BYTES_MAX (7u << 18) /* 1.75 MiB */

static int write_page(const struct request *request, struct response *response,
		      const struct listing *listing, const struct order_filter *filter)
{
	struct order_list list CLEANUP(order_list_release) = {0};
	int64_t limit = request_query_int(request, "limit", PAGE_LIMIT_DEFAULT);
	/* One more than requested, to know whether there is a next page. */
	int r = order_store_page(request->db, filter, limit + 1, &list);
	size_t written = 0;

	if (r < 0)
		return r;
	struct json_writer *json = response_json(response, 200);
	json_array_begin(json);
	while (written < list.count && (int64_t)written < limit &&
	       response->body.length < PAGE_BYTES_MAX)
		order_write(&list.orders[written++], ownership_is_staff(request), json);
	json_array_end(json);
	if (written < list.count || list.cut) {
		const struct order *last = &list.orders[written - 1];

		write_link(request, response, listing,
			   listing->by_update ? last->updated_at : last->created_at, last->id);
	} else if (filter->until_id) {
		write_link(request, response, listing, filter->until_at, filter->until_id);
	}
	return 0;
}

int order_api_list(struct request *request, struct response *response)
{
	struct cursor cursor CLEANUP(cursor_release) = {0};
	const struct listing *listing = find_listing(request);
	struct order_horizon horizon;
	struct order_filter filter;
	enum order_status status;

	if (!read_filter(request, response, listing, &filter, &status) ||
	    !cursor_read(request, response, listing->kind, LISTING_FIELDS, &cursor))
		return 0;
	int r = write_total(request, response, filter);
	if (r < 0)
		return r;
	if (cursor.count) {
		if (!cursor_int(&cursor, 0, response, &filter.place_at))
			return 0;
		filter.place_id = cursor.fields[1];
	}
	r = end_walk(request, &filter, &horizon);
	if (r < 0)
		return r;
	return write_page(request, response, listing, &filter);
}

/* ---- setOrderStatus ------------------------------------------------------------------------- */

struct change {
	struct request *request;
	struct response *response;
	struct order_note note; /* its time is that of each run */

	/* Reset by each run of the transaction. */
	struct order_effects effects;
};

/* The status may be in the body, in the query, or in both if they agree. */
static const char *read_status(const struct request *request, struct response *response)
{
	const char *in_query = request_query(request, "status");
	const char *in_body = json_get_string(request->body, "status", NULL);
	struct violations violations CLEANUP(violations_release) = {0};

	if (in_query && in_body && strcmp(in_query, in_body) != 0)
		violations_add(&violations, "query", "/status",
			       "differs from the status in the body");
	else if (!in_query && !in_body)
		violations_add(&violations, "body", "/status",
			       "is missing, here and as query parameter");
	else
		return in_body ? in_body : in_query;
	response_violations(response, &violations);
	return NULL;
}

/* The effect commits together with the status that causes it. */
static int add_effect(struct db_conn *conn, struct change *change, const struct order *order)
{
	if (change->note.status != ORDER_CANCELLED && change->note.status != ORDER_SHIPPED)
		return 0;
	return order_effects_add(conn, &change->effects,
				 change->note.status == ORDER_CANCELLED ? ORDER_RELEASE_STOCK
									: ORDER_SHIP_STOCK,
				 order, order->updated_at);
}

static bool is_told(const char *text, const char *known)
{
	return !text || (known && strcmp(text, known) == 0);
}

/* A request is a repetition if the order's last event already says the same. */
static bool tells_nothing_new(const struct change *change, const struct order *order)
{
	return is_told(change->note.tracking_number, order->tracking_number) &&
	       is_told(change->note.reason, order->history[order->event_count - 1].reason);
}

/* A customer may cancel their order while nobody works on it; all else is for staff. */
static bool may_change(const struct change *change, const struct order *order)
{
	return change->request->owner.any || order->status == ORDER_PENDING;
}

static void refuse_customer(const struct change *change)
{
	refuse_scopes(change->request, change->response, change->request->operation->access.scopes);
}

static int change_status(struct db_conn *conn, void *argument)
{
	struct change *change = argument;
	struct response *response = change->response;
	struct order order CLEANUP(order_release) = {0};

	response_reset(response);
	change->effects.count = 0;
	int r = order_store_find_to_change(conn, request_path_parameter(change->request, "id"),
					   &change->request->owner, &order);
	if (r == -ENOENT) {
		response_not_found(response, "Order");
		return 0;
	}
	if (r < 0)
		return r;
	if (!request_precondition(change->request, response, order.version))
		return 0;
	bool stays = order.status == change->note.status;

	if (stays && tells_nothing_new(change, &order)) {
		write_order(change->request, &order, response);
		/* Waits for effects that the first request may have left. */
		return order_outbox_of(conn, order.id, &change->effects);
	}
	if (!may_change(change, &order)) {
		refuse_customer(change);
		return 0;
	}
	if (stays && order.event_count >= ORDER_REMARKS_MAX) {
		order_problem_history_full(response);
		return 0;
	}
	if (!stays && !order_transition_allowed(order.status, change->note.status)) {
		order_problem_transition(response, order.status, change->note.status);
		return 0;
	}
	change->note.at = clock_now();
	r = order_store_set_status(conn, &order, &change->note);
	if (r <= 0)
		return r < 0 ? r : -EAGAIN; /* db_transaction() runs this again */
	write_order(change->request, &order, response);
	return stays ? 0 : add_effect(conn, change, &order);
}

int order_api_set_status(struct request *request, struct response *response)
{
	const struct order_app *app = request->app;
	char actor[ACTOR_SIZE];
	struct change change = {
		.request = request,
		.response = response,
		.note = {.reason = json_get_string(request->body, "reason", NULL),
			 .tracking_number = json_get_string(request->body, "tracking_number", NULL),
			 .actor = ownership_actor(request, actor)},
	};
	const char *status = read_status(request, response);

	if (!status)
		return 0;
	if (order_status_parse(status, &change.note.status) < 0)
		return -EINVAL;
	if (!request->owner.any &&
	    (change.note.status != ORDER_CANCELLED || change.note.tracking_number)) {
		refuse_customer(&change);
		return 0;
	}
	int r = db_transaction(app->runtime->db, change_status, &change);
	if (!r)
		r = failpoint("after_status");
	if (r < 0)
		return r;
	order_effects_carry_out(request, response, &change.effects);
	return 0;
}
