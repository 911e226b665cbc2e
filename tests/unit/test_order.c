#include "unit.h"

#include "order/order.h"

#define AT INT64_C(1769853960000000) /* 2026-01-31T10:06:00Z */

static struct order order;

static void start(void)
{
	snprintf(order.id, sizeof(order.id), "o1");
	snprintf(order.cart_id, sizeof(order.cart_id), "c1");
	order.user_id = strdup("u1");
	ck_assert_int_eq(currency_find("USD", &order.currency), 0);
	order.version = 1;
	order.created_at = AT;
	order.updated_at = AT;
}

static void stop(void)
{
	order_release(&order);
}

static void add(const char *product_id, int64_t price, int64_t quantity)
{
	struct order_item item = {
		.product_id = product_id, .name = "Thing", .price = price, .quantity = quantity};

	ck_assert_int_eq(order_add_line(&order, &item), 0);
}

/* The rows stand for "from", the letters for "to", in the sequence of the enumeration. */
static const char *const transitions[ORDER_STATUS_COUNT] = {
	[ORDER_PENDING] = ".ps.c",   [ORDER_PROCESSING] = "..s.c", [ORDER_SHIPPED] = "...d.",
	[ORDER_DELIVERED] = ".....", [ORDER_CANCELLED] = ".....",
};

START_TEST(status_machine)
{
	int from = _i / ORDER_STATUS_COUNT;
	int to = _i % ORDER_STATUS_COUNT;

	ck_assert_int_eq(order_transition_allowed((enum order_status)from, (enum order_status)to),
			 transitions[from][to] != '.');
}
END_TEST

static const char *const listed[ORDER_STATUS_COUNT] = {
	[ORDER_PENDING] = "[\"processing\",\"shipped\",\"cancelled\"]",
	[ORDER_PROCESSING] = "[\"shipped\",\"cancelled\"]",
	[ORDER_SHIPPED] = "[\"delivered\"]",
	[ORDER_DELIVERED] = "[]",
	[ORDER_CANCELLED] = "[]",
};

START_TEST(transitions_are_listed_in_order)
{
	struct text text = TEXT_INIT(1000);
	struct json_writer json;

	json_writer_init(&json, &text);
	order_write_transitions((enum order_status)_i, &json);
	ck_assert_str_eq(text_string(&text), listed[_i]);
	text_release(&text);
}
END_TEST

START_TEST(status_names_read_back)
{
	enum order_status status;

	ck_assert_int_eq(order_status_parse(order_status_name((enum order_status)_i), &status), 0);
	ck_assert_int_eq(status, _i);
}
END_TEST

START_TEST(other_names_are_no_status)
{
	static const char *const names[] = {"", "Pending", "pending ", "rejected", "placing"};
	enum order_status status = ORDER_SHIPPED;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(order_status_parse(names[i], &status), -EINVAL);
	ck_assert_int_eq(status, ORDER_SHIPPED);
}
END_TEST

static const struct {
	const char *id;
	bool valid;
} cart_ids[] = {
	{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a10", true},
	{"a", true},
	{"A_z-9", true},
	{"0123456789012345678901234567890123456789012345678901234567890123", true},
	{"01234567890123456789012345678901234567890123456789012345678901234", false},
	{"", false},
	{"..", false},
	{"a/b", false},
	{"a?b", false},
	{"a#b", false},
	{"a%2fb", false},
	{"a b", false},
	{"a\r\nb", false},
	{"\xc3\xa4", false},
};

START_TEST(cart_ids_that_may_stand_in_a_path)
{
	ck_assert_int_eq(order_cart_id_valid(cart_ids[_i].id), cart_ids[_i].valid);
}
END_TEST

START_TEST(totals_add_up)
{
	add("p1", 1250, 2);
	add("p2", 1, 999);
	add("p3", 0, 5);
	ck_assert_int_eq(order_price(&order), 0);
	ck_assert_int_eq(order.lines[0].line_total, 2500);
	ck_assert_int_eq(order.lines[1].line_total, 999);
	ck_assert_int_eq(order.lines[2].line_total, 0);
	ck_assert_int_eq(order.total_amount, 3499);
}
END_TEST

START_TEST(the_fullest_cart_does_not_overflow)
{
	for (int i = 0; i < ORDER_LINES_MAX; i++)
		add("p", MONEY_PRICE_MAX, 999);
	ck_assert_int_eq(order_price(&order), 0);
	ck_assert_int_eq(order.total_amount, MONEY_PRICE_MAX * 999 * ORDER_LINES_MAX);
}
END_TEST

START_TEST(an_overflowing_line_is_refused)
{
	add("p1", 100, 1);
	add("p2", INT64_MAX / 2 + 1, 2);
	ck_assert_int_eq(order_price(&order), -ERANGE);
	ck_assert_int_eq(order.total_amount, 0);
	ck_assert_int_eq(order.lines[0].line_total, 0);
}
END_TEST

START_TEST(an_overflowing_sum_is_refused)
{
	add("p1", INT64_MAX, 1);
	add("p2", 1, 1);
	ck_assert_int_eq(order_price(&order), -ERANGE);
	ck_assert_int_eq(order.total_amount, 0);
}
END_TEST

START_TEST(lines_are_limited)
{
	struct order_item item = {.product_id = "p", .name = "n", .price = 1, .quantity = 1};

	for (int i = 0; i < ORDER_LINES_MAX; i++)
		ck_assert_int_eq(order_add_line(&order, &item), 0);
	ck_assert_int_eq(order_add_line(&order, &item), -EMSGSIZE);
	ck_assert_uint_eq(order.line_count, ORDER_LINES_MAX);
}
END_TEST

static bool with_actors;

static void check_json(const char *expected)
{
	struct text text = TEXT_INIT(10000);
	struct json_writer json;

	json_writer_init(&json, &text);
	order_write(&order, with_actors, &json);
	ck_assert_int_eq(text_error(&text), 0);
	ck_assert_str_eq(text_string(&text), expected);
	text_release(&text);
}

START_TEST(written_with_everything)
{
	const struct order_note shipped = {.status = ORDER_SHIPPED,
					   .reason = "by \"air\"",
					   .tracking_number = "1Z",
					   .actor = "clerk",
					   .at = AT + 1};

	add("p1", 1250, 2);
	ck_assert_int_eq(order_price(&order), 0);
	ck_assert_int_eq(
		order_add_event(&order, &(struct order_note){.status = ORDER_PENDING, .at = AT}),
		0);
	ck_assert_int_eq(order_add_event(&order, &shipped), 0);
	order.status = ORDER_SHIPPED;
	order.version = 2;
	order.updated_at = AT + 1;
	order.tracking_number = strdup("1Z");
	check_json(
		"{\"id\":\"o1\",\"user_id\":\"u1\",\"cart_id\":\"c1\",\"items\":["
		"{\"product_id\":\"p1\",\"name\":\"Thing\",\"price\":12.50,\"quantity\":2,"
		"\"line_total\":25.00}],\"total_amount\":25.00,\"currency\":\"USD\","
		"\"status\":\"shipped\",\"allowed_transitions\":[\"delivered\"],\"history\":["
		"{\"status\":\"pending\",\"at\":\"2026-01-31T10:06:00.000000Z\"},"
		"{\"status\":\"shipped\",\"reason\":\"by \\\"air\\\"\",\"tracking_number\":\"1Z\","
		"\"at\":\"2026-01-31T10:06:00.000001Z\"}],\"tracking_number\":\"1Z\","
		"\"version\":2,\"created_at\":\"2026-01-31T10:06:00.000000Z\","
		"\"updated_at\":\"2026-01-31T10:06:00.000001Z\"}");
}
END_TEST

START_TEST(staff_see_who_did_what)
{
	const struct order_note notes[] = {{.status = ORDER_PENDING, .actor = "u1", .at = AT},
					   {.status = ORDER_PENDING, .at = AT}};

	ck_assert_int_eq(order_add_event(&order, &notes[0]), 0);
	ck_assert_int_eq(order_add_event(&order, &notes[1]), 0);
	with_actors = true;
	check_json("{\"id\":\"o1\",\"user_id\":\"u1\",\"cart_id\":\"c1\",\"items\":[],"
		   "\"total_amount\":0.00,\"currency\":\"USD\",\"status\":\"pending\","
		   "\"allowed_transitions\":[\"processing\",\"shipped\",\"cancelled\"],"
		   "\"history\":[{\"status\":\"pending\",\"actor\":\"u1\","
		   "\"at\":\"2026-01-31T10:06:00.000000Z\"},"
		   "{\"status\":\"pending\",\"at\":\"2026-01-31T10:06:00.000000Z\"}],"
		   "\"version\":1,\"created_at\":\"2026-01-31T10:06:00.000000Z\","
		   "\"updated_at\":\"2026-01-31T10:06:00.000000Z\"}");
	with_actors = false;
}
END_TEST

START_TEST(written_without_what_is_not_there)
{
	check_json("{\"id\":\"o1\",\"user_id\":\"u1\",\"cart_id\":\"c1\",\"items\":[],"
		   "\"total_amount\":0.00,\"currency\":\"USD\",\"status\":\"pending\","
		   "\"allowed_transitions\":[\"processing\",\"shipped\",\"cancelled\"],"
		   "\"history\":[],\"version\":1,\"created_at\":\"2026-01-31T10:06:00.000000Z\","
		   "\"updated_at\":\"2026-01-31T10:06:00.000000Z\"}");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("order");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, status_machine, 0, ORDER_STATUS_COUNT * ORDER_STATUS_COUNT);
	tcase_add_loop_test(tcase, transitions_are_listed_in_order, 0, ORDER_STATUS_COUNT);
	tcase_add_loop_test(tcase, status_names_read_back, 0, ORDER_STATUS_COUNT);
	tcase_add_test(tcase, other_names_are_no_status);
	tcase_add_loop_test(tcase, cart_ids_that_may_stand_in_a_path, 0, ARRAY_SIZE(cart_ids));
	tcase_add_test(tcase, totals_add_up);
	tcase_add_test(tcase, the_fullest_cart_does_not_overflow);
	tcase_add_test(tcase, an_overflowing_line_is_refused);
	tcase_add_test(tcase, an_overflowing_sum_is_refused);
	tcase_add_test(tcase, lines_are_limited);
	tcase_add_test(tcase, written_with_everything);
	tcase_add_test(tcase, staff_see_who_did_what);
	tcase_add_test(tcase, written_without_what_is_not_there);
	return unit_run(tcase, "order");
}
