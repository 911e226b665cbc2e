/* The cart's handlers on plain requests: without sockets, and without Product, which nothing here
 * needs. */
#include "carts.h"

#include "cart/cart_api.h"
#include "cart/service.h"
#include "responder/idempotency.h"

typedef int handler(struct request *, struct response *);

static struct cart_app app;
static struct runtime runtime;
static struct response response;
static struct json *answer; /* the response's body, parsed */

static void setup(void)
{
	int64_t now = clock_now();

	carts_open();
	runtime.db = db;
	runtime.currency = (struct currency){.code = "USD", .digits = 2};
	app.lifetime = LIFETIME;
	app.carts_max = 100;
	app.siblings.currency = runtime.currency;
	response_init(&response, "request-1");
	carts_make("a", now - 2, now + LIFETIME);
	carts_make("b", now - 1, now + LIFETIME);
}

static void teardown(void)
{
	json_free(answer);
	response_release(&response);
	carts_close();
}

static void parse_answer(void)
{
	struct json_error error;

	json_free(answer);
	answer = NULL;
	if (response.body.length)
		ck_assert_int_eq(json_parse(text_string(&response.body), response.body.length,
					    JSON_DEPTH_MAX, &answer, &error),
				 0);
}

static int get(struct request *request, struct response *into)
{
	return lookup_run(&cart_api_get, request->db, request, into);
}

struct call {
	handler *handle;
	bool blocking; /* the handler makes its own transaction */
	const char *method;
	const char *id;
	const char *second; /* product_id and order_id of the path */
	const char *body;
	const char *if_match;
	const char *user_id; /* of the query */
	int64_t limit;
	const char *cursor;
};

static void fill_path(struct request *request, const struct call *call)
{
	const char *second = call->second ? call->second : "";

	request->route.parameter_count = 3;
	request->route.parameters[0] = (struct path_parameter){"id", call->id, strlen(call->id)};
	request->route.parameters[1] =
		(struct path_parameter){"product_id", second, strlen(second)};
	request->route.parameters[2] = (struct path_parameter){"order_id", second, strlen(second)};
}

static void fill_query(struct request *request, const struct call *call)
{
	struct arguments *arguments = &request->arguments;

	if (!call->user_id)
		return;
	arguments->list[arguments->count++] = (struct argument){
		.name = "user_id", .text = call->user_id, .length = strlen(call->user_id)};
	arguments->list[arguments->count++] =
		(struct argument){.name = "limit", .text = "", .integer = call->limit};
	arguments->list[arguments->count++] =
		(struct argument){.name = "count", .text = "true", .length = 4, .integer = 1};
	if (call->cursor)
		arguments->list[arguments->count++] = (struct argument){
			.name = "cursor", .text = call->cursor, .length = strlen(call->cursor)};
}

/* Runs one call as the responder does; returns its status. */
static int serve(const struct call *call)
{
	struct operation operation = {.id = "test", .method = "POST"};
	struct request request = {
		.operation = &operation,
		.method = call->method ? call->method : "POST",
		.path = "/carts",
		.prefix = "",
		.query = "",
		.body_text = call->body ? call->body : "",
		.body_length = call->body ? strlen(call->body) : 0,
		.if_match = call->if_match,
		.app = &app,
		.runtime = &runtime,
		.owner = {.any = true},
	};
	struct json_error error;

	fill_path(&request, call);
	fill_query(&request, call);
	if (call->body)
		ck_assert_int_eq(json_parse(call->body, request.body_length, JSON_DEPTH_MAX,
					    &request.body, &error),
				 0);
	response_reset(&response);
	int r = call->blocking ? call->handle(&request, &response)
			       : idempotent_transaction(&request, &response, call->handle);
	json_free(request.body);
	ck_assert_int_eq(r, 0);
	ck_assert_ptr_eq(request.app, &app);
	parse_answer();
	return response.status;
}

static const char *code(void)
{
	return json_get_string(answer, "code", "");
}

static int64_t member(const char *name)
{
	const struct json *value = json_get(answer, name);

	ck_assert_ptr_nonnull(value);
	return json_int(value);
}

static int merge(const char *target, const char *source)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"source_cart_id\": \"%s\"}", source);
	return serve(&(struct call){.handle = cart_api_merge, .id = target, .body = body});
}

static int checkout(handler *handle, const char *cart_id, const char *order_id)
{
	return serve(&(struct call){.handle = handle, .id = cart_id, .second = order_id});
}

static int open_as(const char *cart_id, const char *order_id, const char *user_id)
{
	char body[128];

	snprintf(body, sizeof(body), "{\"user_id\": \"%s\"}", user_id);
	return serve(&(struct call){
		.handle = cart_api_open_checkout, .id = cart_id, .second = order_id, .body = body});
}

START_TEST(a_new_cart_is_empty_and_located)
{
	ck_assert_int_eq(serve(&(struct call){.handle = cart_api_create,
					      .id = "",
					      .body = "{\"user_id\": \"Zo\xc3\xab\"}"}),
			 201);
	ck_assert_str_eq(json_get_string(answer, "user_id", ""), "Zo\xc3\xab");
	ck_assert_uint_eq(json_length(json_get(answer, "items")), 0);
	ck_assert_str_eq(json_number_text(json_get(answer, "total_amount")), "0.00");
	ck_assert_int_eq(member("version"), 1);
	ck_assert_str_eq(response.etag, "\"1\"");
	ck_assert_int_eq(store_number(db, "SELECT COUNT(*) FROM carts"), 3);
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Location: /carts/"));
	ck_assert_int_eq(
		serve(&(struct call){.handle = get, .id = json_get_string(answer, "id", "")}), 200);
}
END_TEST

START_TEST(unknown_carts_are_404)
{
	static handler *const handlers[] = {get, cart_api_clear, cart_api_remove_item};

	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		ck_assert_int_eq(serve(&(struct call){.handle = handlers[i],
						      .id = "nobody's",
						      .second = carts_product(1)}),
				 404);
		ck_assert_str_eq(json_get_string(answer, "detail", ""), "Cart not found");
	}
	ck_assert_int_eq(merge("unknown", "a"), 404);
	ck_assert_int_eq(merge("a", "unknown"), 404);
}
END_TEST

START_TEST(an_old_version_is_412)
{
	struct call call = {.handle = cart_api_clear, .id = "a", .if_match = "\"1\""};

	carts_set("a", 1, 1);
	ck_assert_int_eq(serve(&call), 412);
	ck_assert_int_eq(carts_quantity("a", 1), 1);
	call.handle = get; /* reading is always fine */
	ck_assert_int_eq(serve(&call), 200);
	call.handle = cart_api_clear;
	call.if_match = "\"2\"";
	ck_assert_int_eq(serve(&call), 200);
	ck_assert_int_eq(member("version"), 3);
	ck_assert_int_eq(carts_quantity("a", 1), 0);
}
END_TEST

START_TEST(removing_nothing_changes_nothing)
{
	struct call call = {.handle = cart_api_remove_item, .id = "a", .second = carts_product(1)};

	carts_set("a", 1, 1);
	ck_assert_int_eq(serve(&call), 200);
	ck_assert_int_eq(member("version"), 3);
	ck_assert_int_eq(serve(&call), 200);
	ck_assert_int_eq(member("version"), 3);
	call.handle = cart_api_clear;
	ck_assert_int_eq(serve(&call), 200);
	ck_assert_int_eq(member("version"), 3);
}
END_TEST

START_TEST(a_quantity_of_zero_removes)
{
	ck_assert_int_eq(serve(&(struct call){.handle = cart_api_set_item,
					      .blocking = true,
					      .id = "a",
					      .second = carts_product(1),
					      .body = "{\"quantity\": 0}"}),
			 200);
	carts_set("a", 1, 1);
	ck_assert_int_eq(serve(&(struct call){.handle = cart_api_set_item,
					      .blocking = true,
					      .id = "a",
					      .second = carts_product(1),
					      .body = "{\"quantity\": 0}"}),
			 200);
	ck_assert_int_eq(carts_quantity("a", 1), 0);
}
END_TEST

START_TEST(a_product_id_that_is_none_never_leaves_the_house)
{
	static const char *const bodies[] = {
		"{\"product_id\": \"../internal\", \"quantity\": 1}",
		"{\"product_id\": \"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a1?\", \"quantity\": 1}",
		"{\"product_id\": \"x\", \"quantity\": 1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct call call = {.handle = cart_api_add_item,
				    .blocking = true,
				    .id = "a",
				    .body = bodies[i]};

		ck_assert_int_eq(serve(&call), 404);
		ck_assert_str_eq(json_get_string(answer, "detail", ""), "Product not found");
		call.id = "unknown";
		ck_assert_int_eq(serve(&call), 404);
		ck_assert_str_eq(json_get_string(answer, "detail", ""), "Cart not found");
	}
}
END_TEST

START_TEST(refreshing_an_empty_cart_asks_nobody)
{
	ck_assert_int_eq(
		serve(&(struct call){.handle = cart_api_refresh, .blocking = true, .id = "a"}),
		200);
	ck_assert_int_eq(member("version"), 1);
	ck_assert_int_eq(serve(&(struct call){
				 .handle = cart_api_refresh, .blocking = true, .id = "unknown"}),
			 404);
}
END_TEST

START_TEST(no_cart_is_made_beyond_the_limit)
{
	struct call create = {.handle = cart_api_create, .id = "", .body = "{\"user_id\": \"u\"}"};

	atomic_store(&app.cart_count, app.carts_max);
	ck_assert_int_eq(serve(&create), 503);
	ck_assert_str_eq(code(), "carts-full");
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Retry-After: 60"));
	atomic_store(&app.cart_count, 0);
	ck_assert_int_eq(serve(&create), 201);
}
END_TEST

START_TEST(a_cart_is_merged_once)
{
	int64_t now = clock_now();

	carts_make("d", now, now + LIFETIME);
	carts_set("a", 1, 2);
	carts_set("b", 1, 3);
	carts_set("b", 2, 1);
	ck_assert_int_eq(merge("a", "b"), 200);
	ck_assert_uint_eq(json_length(json_get(answer, "items")), 2);
	ck_assert_str_eq(json_number_text(json_get(answer, "total_amount")), "75.00");
	ck_assert_int_eq(member("version"), 3);
	ck_assert_int_eq(carts_quantity("a", 1), 5);
	ck_assert_int_eq(carts_quantity("b", 1), 0);

	ck_assert_int_eq(merge("a", "b"), 200);
	ck_assert_int_eq(member("version"), 3);
	ck_assert_int_eq(carts_quantity("a", 1), 5);

	ck_assert_int_eq(merge("d", "b"), 409);
	ck_assert_str_eq(code(), "already-merged");
}
END_TEST

START_TEST(lines_that_come_after_a_merge_are_merged_too)
{
	int64_t now = clock_now();

	carts_make("d", now, now + LIFETIME);
	carts_set("b", 1, 3);
	ck_assert_int_eq(merge("a", "b"), 200);
	carts_set("b", 1, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(merge("a", "b"), 200);
		ck_assert_int_eq(member("version"), 3);
		ck_assert_int_eq(carts_quantity("a", 1), 4);
		ck_assert_int_eq(carts_quantity("b", 1), 0);
	}

	/* The guest has signed in as another user. */
	carts_set("b", 2, 2);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(merge("d", "b"), 200);
		ck_assert_int_eq(carts_quantity("d", 2), 2);
	}
	ck_assert_int_eq(merge("a", "b"), 409);
	ck_assert_int_eq(carts_quantity("a", 2), 0);
}
END_TEST

START_TEST(a_merge_that_is_refused_moves_nothing)
{
	ck_assert_int_eq(merge("a", "a"), 422);
	ck_assert_str_eq(json_get_string(json_at(json_get(answer, "errors"), 0), "pointer", ""),
			 "/source_cart_id");

	carts_set("a", 1, 600);
	carts_set("b", 2, 1);
	carts_set("b", 1, 400);
	ck_assert_int_eq(merge("a", "b"), 409);
	ck_assert_str_eq(code(), "quantity-limit");
	ck_assert_int_eq(json_int(json_get(json_at(json_get(answer, "items"), 0), "requested")),
			 1000);
	ck_assert_int_eq(carts_quantity("a", 2), 0);
	ck_assert_int_eq(carts_quantity("b", 1), 400);

	carts_set("b", 1, 1);
	ck_assert_int_eq(checkout(cart_api_open_checkout, "b", "o1"), 200);
	ck_assert_int_eq(merge("a", "b"), 409);
	ck_assert_str_eq(code(), "checkout-in-progress");
	ck_assert_str_eq(json_get_string(answer, "order_id", ""), "o1");
	ck_assert_int_eq(checkout(cart_api_release_checkout, "b", "o1"), 204);
	ck_assert_int_eq(merge("a", "b"), 200);
}
END_TEST

START_TEST(checkouts_answer_what_the_order_service_relies_on)
{
	ck_assert_int_eq(checkout(cart_api_open_checkout, "unknown", "o1"), 404);
	ck_assert_str_eq(json_get_string(answer, "detail", ""), "Cart not found");
	ck_assert_ptr_nonnull(json_get(answer, "never_opened"));
	ck_assert_int_eq(open_as("a", "o1", "stranger"), 404);
	ck_assert_str_eq(json_get_string(answer, "detail", ""), "Cart not found");
	ck_assert_ptr_nonnull(json_get(answer, "never_opened"));
	ck_assert_int_eq(open_as("a", "o1", "u"), 409);
	ck_assert_str_eq(code(), "cart-empty");
	ck_assert_ptr_null(json_get(answer, "last_order_id"));

	carts_set("a", 1, 2);
	ck_assert_int_eq(checkout(cart_api_open_checkout, "a", "o1"), 200);
	ck_assert_str_eq(json_get_string(answer, "cart_id", ""), "a");
	ck_assert_str_eq(json_get_string(answer, "user_id", ""), "u");
	ck_assert_str_eq(json_get_string(answer, "order_id", ""), "o1");
	ck_assert_int_eq(member("revision"), 2);
	const struct json *item = json_at(json_get(answer, "items"), 0);
	ck_assert_str_eq(json_get_string(item, "product_id", ""), carts_product(1));
	ck_assert_str_eq(json_number_text(json_get(item, "unit_price")), "12.50");
	ck_assert_int_eq(json_int(json_get(item, "quantity")), 2);

	ck_assert_int_eq(checkout(cart_api_open_checkout, "a", "o2"), 409);
	ck_assert_str_eq(code(), "checkout-in-progress");
	ck_assert_str_eq(json_get_string(answer, "order_id", ""), "o1");
	ck_assert_int_eq(checkout(cart_api_consume_checkout, "a", "o2"), 404);
	ck_assert_int_eq(checkout(cart_api_consume_checkout, "a", "o1"), 200);
	ck_assert_str_eq(json_get_string(answer, "state", ""), "consumed");
	ck_assert_int_eq(checkout(cart_api_release_checkout, "a", "o1"), 409);
	ck_assert_str_eq(code(), "checkout-consumed");
	ck_assert_int_eq(checkout(cart_api_open_checkout, "a", "o2"), 409);
	ck_assert_str_eq(code(), "cart-empty");
	ck_assert_str_eq(json_get_string(answer, "last_order_id", ""), "o1");

	ck_assert_int_eq(checkout(cart_api_release_checkout, "unknown", "o3"), 204);
	ck_assert_int_eq(checkout(cart_api_open_checkout, "unknown", "o3"), 404);
	ck_assert_int_eq(checkout(cart_api_consume_checkout, "unknown", "o3"), 404);
	ck_assert_int_eq(checkout(cart_api_release_checkout, "a", "o3"), 204);
	ck_assert_int_eq(checkout(cart_api_open_checkout, "a", "o3"), 409);
	ck_assert_str_eq(code(), "checkout-released");
	ck_assert_int_eq(checkout(cart_api_consume_checkout, "a", "o3"), 409);
	ck_assert_str_eq(code(), "checkout-released");
	ck_assert_int_eq(checkout(cart_api_release_checkout, "a", "not an id"), 404);
}
END_TEST

/* The opaque cursor inside the Link header, or NULL. */
static char *next_cursor(void)
{
	const char *at = strstr(text_string(&response.headers), "cursor=");

	return at ? strndup(at + 7, strcspn(at + 7, "&>")) : NULL;
}

START_TEST(pages_neither_skip_nor_repeat)
{
	static const char *const expected[] = {"c", "b", "a"};
	char *cursor CLEANUP(free_p) = NULL;
	int64_t now = clock_now();

	carts_make("c", now, now + LIFETIME);
	for (int page = 0; page < 3; page++) {
		ck_assert_int_eq(serve(&(struct call){.handle = cart_api_list,
						      .method = "GET",
						      .id = "",
						      .user_id = "u",
						      .limit = 1,
						      .cursor = cursor}),
				 200);
		ck_assert_uint_eq(json_length(answer), 1);
		ck_assert_str_eq(json_get_string(json_at(answer, 0), "id", ""), expected[page]);
		ck_assert_ptr_nonnull(
			strstr(text_string(&response.headers),
			       page < 2 ? "X-Total-Count: 3\r\n" : "X-Total-Count: 4\r\n"));
		free(cursor);
		cursor = next_cursor();
		ck_assert(!cursor == (page == 2));
		if (page == 1) /* comes before what was read: no later page changes */
			carts_make("newer", now + 1, now + LIFETIME);
	}
}
END_TEST

START_TEST(a_bad_cursor_is_422)
{
	ck_assert_int_eq(serve(&(struct call){.handle = cart_api_list,
					      .method = "GET",
					      .id = "",
					      .user_id = "u",
					      .limit = 1,
					      .cursor = "nonsense"}),
			 422);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cart_api");
	TCase *tcase = tcase_create("cart_api");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_new_cart_is_empty_and_located);
	tcase_add_test(tcase, unknown_carts_are_404);
	tcase_add_test(tcase, an_old_version_is_412);
	tcase_add_test(tcase, removing_nothing_changes_nothing);
	tcase_add_test(tcase, a_quantity_of_zero_removes);
	tcase_add_test(tcase, a_product_id_that_is_none_never_leaves_the_house);
	tcase_add_test(tcase, refreshing_an_empty_cart_asks_nobody);
	tcase_add_test(tcase, no_cart_is_made_beyond_the_limit);
	tcase_add_test(tcase, a_cart_is_merged_once);
	tcase_add_test(tcase, lines_that_come_after_a_merge_are_merged_too);
	tcase_add_test(tcase, a_merge_that_is_refused_moves_nothing);
	tcase_add_test(tcase, checkouts_answer_what_the_order_service_relies_on);
	tcase_add_test(tcase, pages_neither_skip_nor_repeat);
	tcase_add_test(tcase, a_bad_cursor_is_422);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
