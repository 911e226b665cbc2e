/* cart/cart.h: totals, limits, adding, merging. */
#include "unit.h"

#include "base/clock.h"
#include "cart/cart.h"

static const struct currency usd = {.code = "USD", .digits = 2};

/* A product whose id ends in number. The name is borrowed, so it is never released. */
static struct cart_product product(int number, int64_t price, int64_t inventory)
{
	struct cart_product made = {.name = "Mug", .price = price, .inventory = inventory};

	snprintf(made.id, sizeof(made.id), "00000000-0000-7000-8000-%012d", number);
	return made;
}

static void fill(struct cart *cart, int first, int count, int64_t price, int64_t quantity,
		 int64_t seen_at)
{
	for (int i = first; i < first + count; i++) {
		struct cart_product one = product(i, price, INT64_MAX);
		struct cart_refusal refusal;

		ck_assert_int_eq(cart_set(cart, &one, quantity, seen_at, &refusal), CART_FINE);
	}
}

START_TEST(ids_are_checked)
{
	static const struct {
		const char *id;
		bool cart;
		bool product;
	} cases[] = {
		{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a10", true, true},
		{"01987F6E-5F3A-7C21-9D6B-2F4F0C8F5A10", true, true},
		{"order_1", true, false},
		{"", false, false},
		{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a1", true, false},
		{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a100", true, false},
		{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a1g", true, false},
		{"01987f6e05f3a07c2109d6b02f4f0c8f5a10", true, false},
		{"../../internal/reservations/00000000", false, false},
		{"01987f6e-5f3a-7c21-9d6b-2f4f0c8f5a?x", false, false},
		{"caf\xc3\xa9", false, false},
		{"0123456789012345678901234567890123456789012345678901234567890123", true, false},
		{"01234567890123456789012345678901234567890123456789012345678901234", false, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_msg(cart_id_is_valid(cases[i].id) == cases[i].cart, "cart id %s",
			      cases[i].id);
		ck_assert_msg(cart_product_id_is_valid(cases[i].id) == cases[i].product,
			      "product id %s", cases[i].id);
	}
}
END_TEST

START_TEST(the_largest_cart_has_a_total)
{
	struct cart cart = {0};
	int64_t total = 0;

	fill(&cart, 0, CART_LINES_MAX, MONEY_PRICE_MAX, CART_QUANTITY_MAX, 1);
	ck_assert_int_eq(cart_total(&cart, &total), 0);
	ck_assert_int_eq(total, INT64_C(99899999900100));
	cart_release(&cart);
}
END_TEST

START_TEST(an_overflow_is_an_error)
{
	struct cart cart = {0};
	int64_t total = 7;

	fill(&cart, 0, 2, INT64_MAX, 1, 1);
	ck_assert_int_eq(cart_total(&cart, &total), -ERANGE);
	cart.lines[0].quantity = 2;
	ck_assert_int_eq(cart_line_total(&cart.lines[0], &total), -ERANGE);
	ck_assert_int_eq(total, 7);
	cart_release(&cart);
}
END_TEST

START_TEST(adding_sums_up_and_takes_the_new_price)
{
	struct cart cart = {0};
	struct cart_refusal refusal;
	struct cart_product before = product(1, 1000, 10);
	struct cart_product after = product(1, 1250, 10);

	after.name = "Enamel mug";
	ck_assert_int_eq(cart_add(&cart, &before, 3, 5, &refusal), CART_FINE);
	ck_assert_int_eq(cart_add(&cart, &after, 4, 6, &refusal), CART_FINE);
	ck_assert_uint_eq(cart.line_count, 1);
	ck_assert_int_eq(cart.lines[0].quantity, 7);
	ck_assert_int_eq(cart.lines[0].unit_price, 1250);
	ck_assert_int_eq(cart.lines[0].seen_at, 6);
	ck_assert_str_eq(cart.lines[0].name, "Enamel mug");

	ck_assert_int_eq(cart_set(&cart, &before, 2, 7, &refusal), CART_FINE);
	ck_assert_int_eq(cart.lines[0].quantity, 2);
	ck_assert_int_eq(cart.lines[0].unit_price, 1000);
	cart_release(&cart);
}
END_TEST

/* A slow request asked Product before another one, which changed the line first. */
START_TEST(an_older_price_is_not_taken)
{
	struct cart cart = {0};
	struct cart_refusal refusal;
	struct cart_product older = product(1, 1000, 10);
	struct cart_product newer = product(1, 1250, 10);

	newer.name = "Enamel mug";
	ck_assert_int_eq(cart_add(&cart, &newer, 3, 6, &refusal), CART_FINE);
	ck_assert_int_eq(cart_add(&cart, &older, 4, 5, &refusal), CART_FINE);
	ck_assert_int_eq(cart.lines[0].quantity, 7);
	ck_assert_int_eq(cart_set(&cart, &older, 2, 5, &refusal), CART_FINE);
	ck_assert_int_eq(cart.lines[0].quantity, 2);
	ck_assert_int_eq(cart_update_line(&cart.lines[0], &older, 5), 0);
	ck_assert_int_eq(cart.lines[0].unit_price, 1250);
	ck_assert_int_eq(cart.lines[0].seen_at, 6);
	ck_assert_str_eq(cart.lines[0].name, "Enamel mug");
	cart_release(&cart);
}
END_TEST

START_TEST(a_price_from_ahead_of_the_clock_is_not_newer)
{
	struct cart cart = {0};
	struct cart_refusal refusal;
	struct cart_product today = product(1, 1250, 10);
	int64_t now = clock_now();

	fill(&cart, 1, 1, 1000, 3, now + 3600 * CLOCK_SECOND);
	ck_assert_int_eq(cart_set(&cart, &today, 2, now, &refusal), CART_FINE);
	ck_assert_int_eq(cart.lines[0].unit_price, 1250);
	ck_assert_int_eq(cart.lines[0].seen_at, now);
	cart_release(&cart);
}
END_TEST

START_TEST(refusals_tell_why_and_change_nothing)
{
	static const struct {
		int64_t held, inventory, more;
		enum cart_reason reason;
		int64_t requested, allowed;
	} cases[] = {
		{0, 5, 5, CART_FINE, 0, 0},
		{0, 5, 6, CART_SHORT_STOCK, 6, 5},
		{3, 5, 3, CART_SHORT_STOCK, 6, 5},
		{0, 0, 1, CART_SHORT_STOCK, 1, 0},
		{998, 5000, 1, CART_FINE, 0, 0},
		{999, 5000, 1, CART_QUANTITY_LIMIT, 1000, 999},
		{999, 10, 999, CART_QUANTITY_LIMIT, 1998, 999},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cart cart = {0};
		struct cart_refusal refusal;
		struct cart_product one = product(1, 500, cases[i].inventory);
		int64_t held;

		if (cases[i].held)
			fill(&cart, 1, 1, 100, cases[i].held, 1);
		int r = cart_add(&cart, &one, cases[i].more, 2, &refusal);
		ck_assert_int_eq(r, (int)cases[i].reason);
		held = cart.line_count ? cart.lines[0].quantity : 0;
		if (cases[i].reason == CART_FINE) {
			ck_assert_int_eq(held, cases[i].held + cases[i].more);
		} else {
			ck_assert_int_eq(held, cases[i].held);
			ck_assert_int_eq(refusal.reason, cases[i].reason);
			ck_assert_int_eq(refusal.requested, cases[i].requested);
			ck_assert_int_eq(refusal.allowed, cases[i].allowed);
			ck_assert_str_eq(refusal.product_id, one.id);
			if (cart.line_count)
				ck_assert_int_eq(cart.lines[0].unit_price, 100);
		}
		cart_release(&cart);
	}
}
END_TEST

START_TEST(a_full_cart_takes_no_new_product)
{
	struct cart cart = {0};
	struct cart_refusal refusal;
	struct cart_product other = product(CART_LINES_MAX, 100, 10);
	struct cart_product held = product(0, 100, 10);

	fill(&cart, 0, CART_LINES_MAX, 100, 1, 1);
	ck_assert_int_eq(cart_add(&cart, &other, 1, 2, &refusal), CART_FULL);
	ck_assert_int_eq(refusal.allowed, CART_LINES_MAX);
	ck_assert_int_eq(cart_add(&cart, &held, 1, 2, &refusal), CART_FINE);
	cart_release(&cart);
}
END_TEST

START_TEST(removing_keeps_the_order)
{
	struct cart cart = {0};
	struct cart_product last = product(9, 100, 10);
	struct cart_refusal refusal;

	fill(&cart, 0, 3, 100, 1, 1);
	ck_assert(cart_remove_line(&cart, product(1, 0, 0).id));
	ck_assert(!cart_remove_line(&cart, product(1, 0, 0).id));
	ck_assert_int_eq(cart_add(&cart, &last, 1, 1, &refusal), CART_FINE);
	ck_assert_uint_eq(cart.line_count, 3);
	ck_assert_str_eq(cart.lines[0].product_id, product(0, 0, 0).id);
	ck_assert_str_eq(cart.lines[1].product_id, product(2, 0, 0).id);
	ck_assert_str_eq(cart.lines[2].product_id, last.id);
	ck_assert_int_lt(cart.lines[1].position, cart.lines[2].position);
	cart_release(&cart);
}
END_TEST

START_TEST(updating_tells_whether_something_changed)
{
	struct cart cart = {0};
	struct cart_product same = product(1, 100, 0);
	struct cart_product dearer = product(1, 101, 0);
	struct cart_product renamed = product(1, 101, 0);

	renamed.name = "Cup";
	fill(&cart, 1, 1, 100, 3, 1);
	ck_assert_int_eq(cart_update_line(&cart.lines[0], &same, 2), 0);
	ck_assert_int_eq(cart_update_line(&cart.lines[0], &dearer, 3), 1);
	ck_assert_int_eq(cart_update_line(&cart.lines[0], &renamed, 4), 1);
	ck_assert_str_eq(cart.lines[0].name, "Cup");
	ck_assert_int_eq(cart.lines[0].unit_price, 101);
	ck_assert_int_eq(cart.lines[0].quantity, 3);
	ck_assert_int_eq(cart.lines[0].seen_at, 4);
	cart_release(&cart);
}
END_TEST

START_TEST(merging_sums_and_keeps_the_latest_price)
{
	struct cart target = {0};
	struct cart source = {0};
	struct cart_refusal refusal;

	fill(&target, 1, 1, 100, 2, 10); /* older than the source's */
	fill(&target, 2, 1, 200, 2, 30); /* newer */
	fill(&source, 1, 1, 111, 3, 20);
	fill(&source, 2, 1, 222, 3, 20);
	fill(&source, 3, 1, 333, 3, 20);
	ck_assert_int_eq(cart_merge(&target, &source, &refusal), CART_FINE);

	ck_assert_uint_eq(target.line_count, 3);
	ck_assert_int_eq(target.lines[0].quantity, 5);
	ck_assert_int_eq(target.lines[0].unit_price, 111);
	ck_assert_int_eq(target.lines[1].quantity, 5);
	ck_assert_int_eq(target.lines[1].unit_price, 200);
	ck_assert_int_eq(target.lines[2].quantity, 3);
	ck_assert_int_eq(target.lines[2].unit_price, 333);
	ck_assert_int_lt(target.lines[1].position, target.lines[2].position);
	ck_assert_uint_eq(source.line_count, 3);
	cart_release(&target);
	cart_release(&source);
}
END_TEST

START_TEST(merging_is_all_or_nothing)
{
	static const struct {
		int lines;
		int64_t quantity;
		int more_lines;
		int64_t more;
		enum cart_reason reason;
	} cases[] = {
		{1, 500, 3, 499, CART_FINE}, {1, 500, 3, 500, CART_QUANTITY_LIMIT},
		{100, 1, 100, 1, CART_FINE}, {99, 1, 100, 1, CART_FINE},
		{0, 0, 100, 1, CART_FINE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cart target = {0};
		struct cart source = {0};
		struct cart_refusal refusal;
		bool fine = cases[i].reason == CART_FINE;

		fill(&target, 0, cases[i].lines, 100, cases[i].quantity, 1);
		fill(&source, 0, cases[i].more_lines, 100, cases[i].more, 1);
		ck_assert_int_eq(cart_merge(&target, &source, &refusal), (int)cases[i].reason);
		ck_assert_uint_eq(target.line_count,
				  (size_t)(fine ? cases[i].more_lines : cases[i].lines));
		if (!fine)
			ck_assert_int_eq(target.lines[0].quantity, cases[i].quantity);
		cart_release(&target);
		cart_release(&source);
	}
}
END_TEST

START_TEST(merging_too_many_products_is_refused)
{
	struct cart target = {0};
	struct cart source = {0};
	struct cart_refusal refusal;

	fill(&target, 0, 60, 100, 1, 1);
	fill(&source, 59, 42, 100, 1, 1);
	ck_assert_int_eq(cart_merge(&target, &source, &refusal), CART_FULL);
	ck_assert_uint_eq(target.line_count, 60);
	ck_assert_int_eq(target.lines[59].quantity, 1);
	cart_release(&target);
	cart_release(&source);
}
END_TEST

START_TEST(touching_is_a_new_version_and_a_fresh_life)
{
	struct cart cart = {0};

	cart.version = 4;
	cart_touch(&cart, 1000, 50);
	ck_assert_int_eq(cart.version, 5);
	ck_assert_int_eq(cart.updated_at, 1000);
	ck_assert_int_eq(cart.expires_at, 1050);
}
END_TEST

START_TEST(json_is_what_the_contract_says)
{
	struct cart cart = {0};
	struct text out = TEXT_INIT(4096);
	struct json_writer writer;

	snprintf(cart.id, sizeof(cart.id), "c1");
	snprintf(cart.user_id, sizeof(cart.user_id), "u\"1");
	cart.version = 3;
	cart.expires_at = 1;
	fill(&cart, 1, 1, 1250, 2, 1);
	json_writer_init(&writer, &out);
	ck_assert_int_eq(cart_write(&cart, usd, &writer), 0);
	ck_assert_str_eq(text_string(&out),
			 "{\"id\":\"c1\",\"user_id\":\"u\\\"1\",\"items\":[{\"product_id\":"
			 "\"00000000-0000-7000-8000-000000000001\",\"name\":\"Mug\","
			 "\"unit_price\":12.50,\"quantity\":2,\"line_total\":25.00}],"
			 "\"total_amount\":25.00,\"currency\":\"USD\",\"version\":3,"
			 "\"created_at\":\"1970-01-01T00:00:00.000000Z\","
			 "\"updated_at\":\"1970-01-01T00:00:00.000000Z\","
			 "\"expires_at\":\"1970-01-01T00:00:00.000001Z\"}");
	text_reset(&out);
	json_writer_init(&writer, &out);
	snprintf(cart.last_order_id, sizeof(cart.last_order_id), "o1");
	ck_assert_int_eq(cart_write(&cart, usd, &writer), 0);
	ck_assert_ptr_nonnull(strstr(text_string(&out), ",\"last_order_id\":\"o1\"}"));
	text_release(&out);
	cart_release(&cart);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("cart");

	tcase_add_test(tcase, ids_are_checked);
	tcase_add_test(tcase, the_largest_cart_has_a_total);
	tcase_add_test(tcase, an_overflow_is_an_error);
	tcase_add_test(tcase, adding_sums_up_and_takes_the_new_price);
	tcase_add_test(tcase, an_older_price_is_not_taken);
	tcase_add_test(tcase, a_price_from_ahead_of_the_clock_is_not_newer);
	tcase_add_test(tcase, refusals_tell_why_and_change_nothing);
	tcase_add_test(tcase, a_full_cart_takes_no_new_product);
	tcase_add_test(tcase, removing_keeps_the_order);
	tcase_add_test(tcase, updating_tells_whether_something_changed);
	tcase_add_test(tcase, merging_sums_and_keeps_the_latest_price);
	tcase_add_test(tcase, merging_is_all_or_nothing);
	tcase_add_test(tcase, merging_too_many_products_is_refused);
	tcase_add_test(tcase, touching_is_a_new_version_and_a_fresh_life);
	tcase_add_test(tcase, json_is_what_the_contract_says);
	return unit_run(tcase, "cart");
}
