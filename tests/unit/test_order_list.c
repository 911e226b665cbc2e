/* Listings of orders (order/order_store.h), on a database. */
#include "orders.h"

#include "unit.h"

struct listing {
	struct order_filter filter;
	int64_t limit;
	struct order_list list;
	int64_t count;
};

static int page_function(struct db_conn *conn, void *argument)
{
	struct listing *listing = argument;
	int r = order_store_count(conn, &listing->filter, &listing->count);

	return r ? r : order_store_page(conn, &listing->filter, listing->limit, &listing->list);
}

/* Walks all pages and appends the ids to out. */
static int64_t walk(struct order_filter filter, int64_t limit, char *out, size_t size)
{
	char place_id[UUID_TEXT_SIZE] = "";
	int64_t count = -1;
	bool more = true;

	out[0] = '\0';
	while (more) {
		struct listing listing = {.filter = filter, .limit = limit};

		ck_assert_int_eq(db_read(db, page_function, &listing), 0);
		count = count < 0 ? listing.count : count;
		for (size_t i = 0; i < listing.list.count; i++) {
			const struct order *order = &listing.list.orders[i];
			size_t length = strlen(out);

			snprintf(out + length, size - length, "%s ", order->id);
			ck_assert_uint_eq(order->line_count, 2);
			ck_assert_uint_ge(order->event_count, 1);
			memcpy(place_id, order->id, sizeof(place_id));
			filter.place_id = place_id;
			filter.place_at = filter.by_update ? order->updated_at : order->created_at;
		}
		more = (int64_t)listing.list.count == limit;
		order_list_release(&listing.list);
	}
	return count;
}

static void make_listing(void)
{
	static const struct {
		const char *id;
		const char *user_id;
		int64_t created_at;
		bool shipped;
	} made[] = {
		{"a", "u", NOW + 1, false}, {"b", "u", NOW + 1, true},  {"c", "v", NOW + 1, false},
		{"d", "v", NOW + 3, true},  {"e", "u", NOW + 2, false}, {"f", "u", NOW + 4, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		begin_leased(made[i].id, made[i].user_id, NOW + 10);
		ck_assert_int_eq(place_at(made[i].id, made[i].user_id, made[i].created_at), 1);
		if (made[i].shipped) {
			struct order order;

			ck_assert_int_eq(find(made[i].id, &order), 0);
			ck_assert_int_eq(
				set_status(&order, ORDER_SHIPPED, NULL, NOW + 9 - (int64_t)i), 1);
			order_release(&order);
		}
	}
	begin_leased("placing", "u", NOW + 10);
	begin_leased("rejected", "u", NOW + 10);
	reject("rejected", NOW);
}

static const enum order_status pending = ORDER_PENDING;
static const enum order_status shipped = ORDER_SHIPPED;

static const struct {
	struct order_filter filter; /* a time of 0 is any */
	const char *expected;
} listings[] = {
	{{0}, "f d e c b a "},
	{{.user_id = "u"}, "f e b a "},
	{{.status = &pending}, "e c a "},
	{{.user_id = "u", .status = &shipped}, "f b "},
	{{.user_id = "w"}, ""},
	/* A range includes its beginning and excludes its end. */
	{{.created_from = NOW + 2}, "f d e "},
	{{.created_before = NOW + 3}, "e c b a "},
	{{.created_from = NOW + 2, .created_before = NOW + 4}, "d e "},
	{{.user_id = "u", .created_from = NOW + 2, .created_before = NOW + 4}, "e "},
	{{.created_from = NOW + 4, .created_before = NOW + 2}, ""},
	{{.ascending = true}, "a b c e d f "},
	{{.ascending = true, .created_from = NOW + 2}, "e d f "},
	{{.ascending = true, .created_before = NOW + 3}, "a b c e "},
	{{.ascending = true, .status = &shipped, .created_from = NOW + 2}, "d f "},
	/* Shipped at +4 (f), +6 (d), +8 (b); the others are as they were made. */
	{{.by_update = true}, "b d f e c a "},
	{{.by_update = true, .ascending = true}, "a c e f d b "},
	{{.by_update = true, .ascending = true, .updated_from = NOW + 4}, "f d b "},
	{{.by_update = true, .updated_from = NOW + 4, .user_id = "u"}, "b f "},
	{{.by_update = true, .ascending = true, .user_id = "u", .status = &pending}, "a e "},
	{{.by_update = true, .ascending = true, .created_before = NOW + 4}, "a c e d b "},
	{{.updated_from = NOW + 6}, "d b "},
	{{.ascending = true, .updated_from = NOW + 6, .created_from = NOW + 3}, "d "},
};

START_TEST(pages_neither_skip_nor_repeat)
{
	struct order_filter filter = listings[_i].filter;
	char ids[256];

	filter.created_from = filter.created_from ? filter.created_from : INT64_MIN;
	filter.created_before = filter.created_before ? filter.created_before : INT64_MAX;
	filter.updated_from = filter.updated_from ? filter.updated_from : INT64_MIN;
	make_listing();
	for (int64_t limit = 1; limit <= 8; limit++) {
		int64_t count = walk(filter, limit, ids, sizeof(ids));

		ck_assert_str_eq(ids, listings[_i].expected);
		ck_assert_int_eq(count, (int64_t)strlen(ids) / 2);
	}
}
END_TEST

static int count_function(struct db_conn *conn, void *counts)
{
	return order_store_count_statuses(conn, counts);
}

START_TEST(statuses_are_counted)
{
	int64_t counts[ORDER_STATUS_COUNT];

	make_listing();
	ck_assert_int_eq(db_read(db, count_function, counts), 0);
	ck_assert_int_eq(counts[ORDER_PENDING], 3);
	ck_assert_int_eq(counts[ORDER_SHIPPED], 3);
	ck_assert_int_eq(counts[ORDER_DELIVERED], 0);
}
END_TEST

/* ---- full pages ------------------------------------------------------------------------------ */

#define FULL_ORDERS 40

static int add_parts(struct db_conn *conn, void *sql)
{
	for (int64_t i = 0; i < FULL_ORDERS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "full%02d", (int)i);
		int64_t r = db_run(conn, sql, DB_VALUES(db_text(id)));
		if (r < 0)
			return (int)r;
	}
	return 0;
}

static void make_full_orders(const char *sql)
{
	for (int i = 0; i < FULL_ORDERS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "full%02d", i);
		begin_leased(id, "u", NOW + 10);
		ck_assert_int_eq(place_at(id, "u", NOW + i / 3), 1);
	}
	ck_assert_int_eq(db_transaction(db, add_parts, (void *)sql), 0);
}

#define NUMBERS "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < "

static const struct {
	const char *sql;
	size_t lines;
	size_t events;
} full[] = {
	{NUMBERS "107) INSERT INTO order_lines (order_id, position, product_id, name, price,"
		 " quantity, line_total) SELECT $1, i, 'p', 'Lamp', 1, 1, 1 FROM n",
	 100, 1},
	{NUMBERS "108) INSERT INTO order_history (order_id, version, status, at)"
		 " SELECT $1, i, 'pending', i FROM n",
	 2, 100},
};

/* Each order comes whole and once, although pages end before their limit. */
START_TEST(pages_of_full_orders_end_early)
{
	struct order_filter filter = {
		.created_from = INT64_MIN, .created_before = INT64_MAX, .updated_from = INT64_MIN};
	char place_id[UUID_TEXT_SIZE];
	size_t found = 0;
	bool more = true;

	make_full_orders(full[_i].sql);
	while (more) {
		struct listing listing = {.filter = filter, .limit = FULL_ORDERS};

		ck_assert_int_eq(db_read(db, page_function, &listing), 0);
		ck_assert_uint_gt(listing.list.count, 0);
		ck_assert_uint_lt(listing.list.count, FULL_ORDERS);
		for (size_t i = 0; i < listing.list.count; i++) {
			const struct order *order = &listing.list.orders[i];

			ck_assert_uint_eq(order->line_count, full[_i].lines);
			ck_assert_uint_eq(order->event_count, full[_i].events);
			memcpy(place_id, order->id, sizeof(place_id));
			filter.place_id = place_id;
			filter.place_at = order->created_at;
			found++;
		}
		more = listing.list.cut;
		order_list_release(&listing.list);
	}
	ck_assert_uint_eq(found, FULL_ORDERS);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("order_list");

	tcase_add_checked_fixture(tcase, orders_open, orders_close);
	tcase_add_loop_test(tcase, pages_neither_skip_nor_repeat, 0, ARRAY_SIZE(listings));
	tcase_add_test(tcase, statuses_are_counted);
	tcase_add_loop_test(tcase, pages_of_full_orders_end_early, 0, ARRAY_SIZE(full));
	return unit_run(tcase, "order_list");
}
