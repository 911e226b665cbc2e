/* order/order_store.h, order/outbox.h and the sweeper's transaction, on a database file. */
#include "store.h"

#include <pthread.h>

#include "order/migrations.h"
#include "order/order_store.h"
#include "order/outbox.h"
#include "order/sweeper.h"

#define NOW INT64_C(1769853960000000)

static struct db *db;

static void setup(void)
{
	store_prepare();
	struct db_options options = store_options();

	options.migrations = order_migrations;
	options.migration_count = ORDER_MIGRATION_COUNT;
	db = store_open_with(&options);
}

static void teardown(void)
{
	db_close(db);
	store_remove();
}

/* ---- the store's functions, each in a transaction of its own --------------------------------- */

struct step {
	struct order order;
	int (*function)(struct db_conn *conn, struct step *step);
	int64_t at;
	enum order_status status;
	const char *text;
	int result;
};

static int run_step(struct db_conn *conn, void *argument)
{
	struct step *step = argument;

	step->result = step->function(conn, step);
	return step->result < 0 ? step->result : 0;
}

static int step_run(struct step *step)
{
	int error = db_transaction(db, run_step, step);

	ck_assert_int_eq(error, step->result < 0 ? step->result : 0);
	return step->result;
}

static struct step step_for(const char *id, const char *user_id, int64_t created_at)
{
	struct step step = {
		.order = {.created_at = created_at, .updated_at = created_at, .version = 1}};

	snprintf(step.order.id, sizeof(step.order.id), "%s", id);
	snprintf(step.order.cart_id, sizeof(step.order.cart_id), "cart-of-%s", id);
	step.order.user_id = strdup(user_id);
	ck_assert_int_eq(currency_find("USD", &step.order.currency), 0);
	return step;
}

static int begin_function(struct db_conn *conn, struct step *step)
{
	return order_store_begin(conn, &step->order, step->at);
}

static void begin_leased(const char *id, const char *user_id, int64_t lease_until)
{
	struct step step = step_for(id, user_id, NOW);

	step.function = begin_function;
	step.at = lease_until;
	ck_assert_int_eq(step_run(&step), 0);
	order_release(&step.order);
}

static int place_function(struct db_conn *conn, struct step *step)
{
	return order_store_place(conn, &step->order, step->at);
}

static int place_at(const char *id, const char *user_id, int64_t created_at)
{
	struct step step = step_for(id, user_id, created_at);
	struct order_line lines[] = {
		{.product_id = "p2", .name = "Mug", .price = 1250, .quantity = 2},
		{.product_id = "p1", .name = "Plate", .price = 99, .quantity = 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		ck_assert_int_eq(order_add_line(&step.order, &lines[i]), 0);
	ck_assert_int_eq(order_price(&step.order), 0);
	ck_assert_int_eq(order_add_event(&step.order, ORDER_PENDING, NULL, created_at), 0);
	step.function = place_function;
	step.at = NOW;
	int result = step_run(&step);

	order_release(&step.order);
	return result;
}

static int place(const char *id)
{
	return place_at(id, "u", NOW);
}

static int reject_function(struct db_conn *conn, struct step *step)
{
	return order_store_reject(conn, step->order.id, step->at);
}

static int reject(const char *id, int64_t at)
{
	struct step step = step_for(id, "u", NOW);

	step.function = reject_function;
	step.at = at;
	int result = step_run(&step);

	order_release(&step.order);
	return result;
}

static int find_function(struct db_conn *conn, struct step *step)
{
	char id[UUID_TEXT_SIZE];

	memcpy(id, step->order.id, sizeof(id));
	order_release(&step->order);
	return order_store_find(conn, id, &step->order);
}

static int find(const char *id, struct order *ret_order)
{
	struct step step = step_for(id, "u", NOW);

	step.function = find_function;
	int result = step_run(&step);

	if (result == 0)
		*ret_order = step.order;
	return result;
}

static int set_status_function(struct db_conn *conn, struct step *step)
{
	return order_store_set_status(conn, &step->order, step->status, "why", step->text,
				      step->at);
}

/* Changes the order from the state that *order shows. */
static int set_status(struct order *order, enum order_status status, const char *tracking_number,
		      int64_t at)
{
	struct step step = {.order = *order,
			    .function = set_status_function,
			    .status = status,
			    .text = tracking_number,
			    .at = at};
	int result = step_run(&step);

	*order = step.order;
	return result;
}

static int sweep_function(struct db_conn *conn, struct step *step)
{
	return order_sweep_leases(conn, step->at);
}

static int sweep(int64_t now)
{
	struct step step = {.function = sweep_function, .at = now};

	return step_run(&step);
}

static int purge_function(struct db_conn *conn, struct step *step)
{
	return (int)order_store_purge_rejected(conn, step->at, 10);
}

static int purge(int64_t before)
{
	struct step step = {.function = purge_function, .at = before};

	return step_run(&step);
}

/* ---- the saga ------------------------------------------------------------------------------- */

START_TEST(an_order_being_placed_is_hidden)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders"), 1);
}
END_TEST

START_TEST(a_placed_order_comes_back_whole)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(place_at("a", "u", NOW + 5), 1);
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_str_eq(order.id, "a");
	ck_assert_str_eq(order.user_id, "u");
	ck_assert_str_eq(order.cart_id, "cart-of-a");
	ck_assert_str_eq(order.currency.code, "USD");
	ck_assert_ptr_null(order.tracking_number);
	ck_assert_int_eq(order.status, ORDER_PENDING);
	ck_assert_int_eq(order.version, 1);
	ck_assert_int_eq(order.total_amount, 2599);
	ck_assert_int_eq(order.created_at, NOW + 5);
	ck_assert_uint_eq(order.line_count, 2);
	ck_assert_str_eq(order.lines[0].product_id, "p2");
	ck_assert_str_eq(order.lines[0].name, "Mug");
	ck_assert_int_eq(order.lines[0].price, 1250);
	ck_assert_int_eq(order.lines[0].quantity, 2);
	ck_assert_int_eq(order.lines[0].line_total, 2500);
	ck_assert_str_eq(order.lines[1].product_id, "p1");
	ck_assert_uint_eq(order.event_count, 1);
	ck_assert_int_eq(order.history[0].status, ORDER_PENDING);
	ck_assert_int_eq(order.history[0].at, NOW + 5);
	order_release(&order);
}
END_TEST

START_TEST(a_rejected_order_is_never_placed)
{
	struct order order;

	begin_leased("a", "u", NOW + 10);
	ck_assert_int_eq(reject("a", NOW), 1);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_lines"), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_history"), 0);
}
END_TEST

START_TEST(a_placed_order_is_never_rejected)
{
	struct order order;

	begin_leased("a", "u", NOW);
	ck_assert_int_eq(place("a"), 1);
	ck_assert_int_eq(reject("a", NOW), 0);
	ck_assert_int_eq(sweep(NOW + 1), 0);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_uint_eq(order.line_count, 2);
	order_release(&order);
}
END_TEST

START_TEST(an_order_is_not_placed_after_its_lease)
{
	struct order order;

	begin_leased("a", "u", NOW - 1);
	ck_assert_int_eq(place("a"), 0);
	ck_assert_int_eq(find("a", &order), -ENOENT);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_lines"), 0);
	ck_assert_int_eq(sweep(NOW), 1);
}
END_TEST

START_TEST(unknown_orders_cannot_be_placed_or_rejected)
{
	ck_assert_int_eq(place("nobody"), 0);
	ck_assert_int_eq(reject("nobody", NOW), 0);
}
END_TEST

/* ---- the sweeper ---------------------------------------------------------------------------- */

START_TEST(only_leases_that_ran_out_are_swept)
{
	begin_leased("late", "u", NOW - 1);
	begin_leased("due", "u", NOW);
	begin_leased("busy", "u", NOW + 1);
	ck_assert_int_eq(sweep(NOW), 1);
	ck_assert_int_eq(sweep(NOW), 0);
	ck_assert_int_eq(place("late"), 0);
	ck_assert_int_eq(place("due"), 1);
	ck_assert_int_eq(place("busy"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"
					  " WHERE order_id = 'late' AND cart_id = 'cart-of-late'"
					  " AND kind IN ('release_cart', 'release_stock')"),
			 2);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 2);
}
END_TEST

static int insert_key(struct db_conn *conn, struct step *step)
{
	return (int)db_run(conn,
			   "INSERT INTO idempotency_keys VALUES"
			   " ('createOrder', $1, 'f', $2, $3, '', '', '', 1)",
			   DB_VALUES(db_text(step->text), db_text(step->text), db_int(step->at)));
}

static void add_key(const char *order_id, int status)
{
	struct step step = {.function = insert_key, .text = order_id, .at = status};

	ck_assert_int_eq(step_run(&step), 1);
}

START_TEST(sweeping_forgets_the_key_of_the_abandoned_request)
{
	begin_leased("late", "u", NOW - 1);
	begin_leased("busy", "u", NOW + 1);
	add_key("late", 0);
	add_key("busy", 0);
	ck_assert_int_eq(sweep(NOW), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM idempotency_keys"), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM idempotency_keys"
					  " WHERE key = 'busy'"),
			 1);
}
END_TEST

START_TEST(a_long_queue_is_swept_in_batches)
{
	char id[UUID_TEXT_SIZE];
	int swept = 0;
	int batch;

	for (int i = 0; i < 70; i++) {
		snprintf(id, sizeof(id), "o%d", i);
		begin_leased(id, "u", NOW - 1 - i);
	}
	while ((batch = sweep(NOW)) > 0) {
		ck_assert_int_le(batch, 32);
		swept += batch;
	}
	ck_assert_int_eq(swept, 70);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 140);
}
END_TEST

/* ---- the outbox ----------------------------------------------------------------------------- */

static int add_effect_function(struct db_conn *conn, struct step *step)
{
	struct order_effect effect = {.kind = (enum order_effect_kind)step->status,
				      .leased_until = step->at};

	memcpy(effect.order_id, step->order.id, sizeof(effect.order_id));
	memcpy(effect.cart_id, step->order.cart_id, sizeof(effect.cart_id));
	return order_outbox_add(conn, &effect, NOW);
}

static void add_effect(const char *order_id, enum order_effect_kind kind, int64_t due)
{
	struct step step = step_for(order_id, "u", NOW);

	step.function = add_effect_function;
	step.status = (enum order_status)kind;
	step.at = due;
	ck_assert_int_eq(step_run(&step), 0);
	order_release(&step.order);
}

struct relay {
	enum order_effect_target target;
	int64_t now;
	int64_t lease_until;
	size_t batch;
	struct order_effect effects[128];
	size_t total;
	int count;
};

static int claim_function(struct db_conn *conn, void *argument)
{
	struct relay *relay = argument;

	relay->count = order_outbox_claim(conn, relay->target, relay->now, relay->lease_until,
					  relay->effects + relay->total, relay->batch);
	return relay->count < 0 ? relay->count : 0;
}

static int claim(struct relay *relay)
{
	ck_assert_int_eq(db_transaction(db, claim_function, relay), 0);
	relay->total += (size_t)relay->count;
	return relay->count;
}

static int done_function(struct db_conn *conn, void *effect)
{
	return order_outbox_done(conn, effect);
}

static int retry_function(struct db_conn *conn, void *effect)
{
	return order_outbox_retry(conn, effect, NOW + 500);
}

static void *claim_all(void *relay)
{
	while (claim(relay) > 0)
		;
	return NULL;
}

START_TEST(two_relays_share_the_effects)
{
	struct relay relays[2];
	pthread_t threads[2];
	bool seen[60] = {0};
	char id[UUID_TEXT_SIZE];

	for (int i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "%d", i);
		add_effect(id, ORDER_CONSUME_CART, NOW);
	}
	for (int i = 0; i < 2; i++) {
		relays[i] = (struct relay){.target = ORDER_TARGET_CART,
					   .now = NOW,
					   .lease_until = NOW + 100,
					   .batch = 7};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, claim_all, &relays[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(relays[0].total + relays[1].total, 60);
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < relays[i].total; k++) {
			long number = strtol(relays[i].effects[k].order_id, NULL, 10);

			ck_assert(!seen[number]);
			seen[number] = true;
		}
	}
}
END_TEST

START_TEST(a_lease_holds_until_it_runs_out)
{
	struct relay first = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay second = first;
	struct relay third = first;

	add_effect("a", ORDER_CONSUME_CART, NOW);
	ck_assert_int_eq(claim(&first), 1);
	ck_assert_int_eq(first.effects[0].kind, ORDER_CONSUME_CART);
	ck_assert_str_eq(first.effects[0].order_id, "a");
	ck_assert_str_eq(first.effects[0].cart_id, "cart-of-a");
	ck_assert_uint_eq(first.effects[0].attempts, 0);
	second.now = NOW + 99;
	ck_assert_int_eq(claim(&second), 0);
	third.now = NOW + 100;
	third.lease_until = NOW + 200;
	ck_assert_int_eq(claim(&third), 1);
}
END_TEST

START_TEST(an_effect_leased_to_its_request_is_not_due)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};

	add_effect("a", ORDER_CONSUME_CART, NOW + 1);
	ck_assert_int_eq(claim(&relay), 0);
	relay.now = NOW + 1;
	ck_assert_int_eq(claim(&relay), 1);
}
END_TEST

START_TEST(each_sibling_has_effects_of_its_own)
{
	struct relay cart = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay product = cart;

	product.target = ORDER_TARGET_PRODUCT;
	add_effect("a", ORDER_RELEASE_CART, NOW);
	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("b", ORDER_SHIP_STOCK, NOW);
	ck_assert_int_eq(claim(&cart), 1);
	ck_assert_int_eq(cart.effects[0].kind, ORDER_RELEASE_CART);
	ck_assert_int_eq(claim(&product), 2);
}
END_TEST

START_TEST(a_failed_effect_waits_and_counts)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};

	add_effect("a", ORDER_CONSUME_CART, NOW);
	claim(&relay);
	ck_assert_int_eq(db_transaction(db, retry_function, &relay.effects[0]), 0);
	relay.total = 0;
	relay.now = NOW + 499;
	ck_assert_int_eq(claim(&relay), 0);
	relay.now = NOW + 500;
	relay.lease_until = NOW + 600;
	ck_assert_int_eq(claim(&relay), 1);
	ck_assert_uint_eq(relay.effects[0].attempts, 1);
}
END_TEST

static int hurry_function(struct db_conn *conn, void *order_id)
{
	return order_outbox_hurry(conn, order_id, ORDER_TARGET_CART, NOW + 10);
}

START_TEST(a_waiting_effect_can_be_hurried)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};

	add_effect("a", ORDER_RELEASE_CART, NOW);
	add_effect("b", ORDER_RELEASE_CART, NOW);
	ck_assert_int_eq(claim(&relay), 2);
	ck_assert_int_eq(db_transaction(db, retry_function, &relay.effects[0]), 0);
	ck_assert_int_eq(db_transaction(db, retry_function, &relay.effects[1]), 0);
	add_effect("a", ORDER_CONSUME_CART, NOW + 100); /* leased to its request */
	ck_assert_int_eq(db_transaction(db, hurry_function, "a"), 0);
	relay.total = 0;
	relay.now = NOW + 10;
	ck_assert_int_eq(claim(&relay), 1);
	ck_assert_str_eq(relay.effects[0].order_id, "a");
	ck_assert_int_eq(relay.effects[0].kind, ORDER_RELEASE_CART);
}
END_TEST

START_TEST(a_holder_that_lost_its_lease_changes_nothing)
{
	struct relay slow = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};
	struct relay next = slow;

	add_effect("a", ORDER_CONSUME_CART, NOW);
	claim(&slow);
	next.now = NOW + 100;
	next.lease_until = NOW + 200;
	claim(&next);
	ck_assert_int_eq(db_transaction(db, retry_function, &slow.effects[0]), 0);
	ck_assert_int_eq(store_number(db, "SELECT attempts FROM order_effects"), 0);
	ck_assert_int_eq(store_number(db, "SELECT next_attempt_at FROM order_effects"), NOW + 200);
	/* that it is done is true whoever says it */
	ck_assert_int_eq(db_transaction(db, done_function, &slow.effects[0]), 0);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 0);
}
END_TEST

START_TEST(an_effect_is_queued_once)
{
	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("a", ORDER_RELEASE_STOCK, NOW + 7);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_effects"), 1);
	ck_assert_int_eq(store_number(db, "SELECT next_attempt_at FROM order_effects"), NOW);
}
END_TEST

START_TEST(rejected_orders_go_once_nothing_waits_for_them)
{
	struct relay relay = {
		.target = ORDER_TARGET_CART, .now = NOW, .lease_until = NOW + 100, .batch = 5};

	begin_leased("old", "u", NOW + 10);
	begin_leased("waiting", "u", NOW + 10);
	begin_leased("new", "u", NOW + 10);
	begin_leased("placed", "u", NOW + 10);
	ck_assert_int_eq(reject("old", NOW), 1);
	ck_assert_int_eq(reject("waiting", NOW), 1);
	ck_assert_int_eq(reject("new", NOW + 50), 1);
	ck_assert_int_eq(place("placed"), 1);
	add_effect("waiting", ORDER_RELEASE_CART, NOW);
	ck_assert_int_eq(purge(NOW + 50), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders WHERE id = 'old'"), 0);
	claim(&relay);
	ck_assert_int_eq(db_transaction(db, done_function, &relay.effects[0]), 0);
	ck_assert_int_eq(purge(NOW + 50), 1);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM orders"), 2);
}
END_TEST

/* ---- status --------------------------------------------------------------------------------- */

START_TEST(a_change_is_kept_with_its_reason)
{
	struct order order;
	struct order stored;

	begin_leased("a", "u", NOW + 10);
	place("a");
	ck_assert_int_eq(find("a", &order), 0);
	ck_assert_int_eq(set_status(&order, ORDER_SHIPPED, "1Z", NOW + 1), 1);
	ck_assert_int_eq(set_status(&order, ORDER_DELIVERED, NULL, NOW + 2), 1);
	ck_assert_int_eq(find("a", &stored), 0);
	ck_assert_int_eq(stored.status, ORDER_DELIVERED);
	ck_assert_str_eq(stored.tracking_number, "1Z");
	ck_assert_int_eq(stored.version, 3);
	ck_assert_int_eq(stored.updated_at, NOW + 2);
	ck_assert_uint_eq(stored.event_count, 3);
	ck_assert_int_eq(stored.history[1].status, ORDER_SHIPPED);
	ck_assert_str_eq(stored.history[1].reason, "why");
	ck_assert_int_eq(stored.history[2].at, NOW + 2);
	ck_assert_int_eq(order.version, stored.version);
	order_release(&order);
	order_release(&stored);
}
END_TEST

START_TEST(of_two_changes_of_one_version_one_is_kept)
{
	struct order first;
	struct order second;

	begin_leased("a", "u", NOW + 10);
	place("a");
	ck_assert_int_eq(find("a", &first), 0);
	ck_assert_int_eq(find("a", &second), 0);
	ck_assert_int_eq(set_status(&first, ORDER_CANCELLED, NULL, NOW + 1), 1);
	ck_assert_int_eq(set_status(&second, ORDER_SHIPPED, "1Z", NOW + 1), 0);
	ck_assert_int_eq(second.status, ORDER_PENDING);
	ck_assert_int_eq(store_number(db, "SELECT count(*) FROM order_history"), 2);
	order_release(&first);
	order_release(&second);
}
END_TEST

/* ---- listing -------------------------------------------------------------------------------- */

struct listing {
	struct order_filter filter;
	int64_t limit;
	struct order_list list;
	int64_t count;
};

static int page_function(struct db_conn *conn, void *argument)
{
	struct listing *listing = argument;
	int error = order_store_count(conn, &listing->filter, &listing->count);

	return error ? error
		     : order_store_page(conn, &listing->filter, listing->limit, &listing->list);
}

/* Walks all pages and appends the ids to out. */
static int64_t walk(struct order_filter filter, int64_t limit, char *out, size_t size)
{
	char before_id[UUID_TEXT_SIZE] = "";
	int64_t count = -1;
	bool more = true;

	filter.before_id = before_id;
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
			memcpy(before_id, order->id, sizeof(before_id));
			filter.before_at = order->created_at;
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
			ck_assert_int_eq(set_status(&order, ORDER_SHIPPED, NULL, NOW + 9), 1);
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
	struct order_filter filter;
	const char *expected;
} listings[] = {
	{{.created_after = INT64_MIN, .before_at = INT64_MAX}, "f d e c b a "},
	{{.user_id = "u", .created_after = INT64_MIN, .before_at = INT64_MAX}, "f e b a "},
	{{.status = &pending, .created_after = INT64_MIN, .before_at = INT64_MAX}, "e c a "},
	{{.user_id = "u", .status = &shipped, .created_after = INT64_MIN, .before_at = INT64_MAX},
	 "f b "},
	{{.user_id = "w", .created_after = INT64_MIN, .before_at = INT64_MAX}, ""},
	{{.created_after = NOW + 1, .before_at = INT64_MAX}, "f d e "},
	{{.created_after = INT64_MIN, .before_at = NOW + 3}, "e c b a "},
	{{.user_id = "u", .created_after = NOW + 1, .before_at = NOW + 4}, "e "},
};

START_TEST(pages_neither_skip_nor_repeat)
{
	char ids[256];

	make_listing();
	for (int64_t limit = 1; limit <= 8; limit++) {
		int64_t count = walk(listings[_i].filter, limit, ids, sizeof(ids));

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

static int measure_function(struct db_conn *conn, void *figures)
{
	return order_outbox_measure(conn, figures);
}

START_TEST(the_outbox_is_measured)
{
	struct order_outbox_figures figures[ORDER_TARGET_COUNT];

	add_effect("a", ORDER_RELEASE_STOCK, NOW);
	add_effect("b", ORDER_SHIP_STOCK, NOW);
	ck_assert_int_eq(db_read(db, measure_function, figures), 0);
	ck_assert_int_eq(figures[ORDER_TARGET_CART].depth, 0);
	ck_assert_int_eq(figures[ORDER_TARGET_PRODUCT].depth, 2);
	ck_assert_int_eq(figures[ORDER_TARGET_PRODUCT].oldest_at, NOW);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("order_store");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_order_being_placed_is_hidden);
	tcase_add_test(tcase, a_placed_order_comes_back_whole);
	tcase_add_test(tcase, a_rejected_order_is_never_placed);
	tcase_add_test(tcase, a_placed_order_is_never_rejected);
	tcase_add_test(tcase, an_order_is_not_placed_after_its_lease);
	tcase_add_test(tcase, unknown_orders_cannot_be_placed_or_rejected);
	tcase_add_test(tcase, only_leases_that_ran_out_are_swept);
	tcase_add_test(tcase, sweeping_forgets_the_key_of_the_abandoned_request);
	tcase_add_test(tcase, a_long_queue_is_swept_in_batches);
	tcase_add_test(tcase, two_relays_share_the_effects);
	tcase_add_test(tcase, a_lease_holds_until_it_runs_out);
	tcase_add_test(tcase, an_effect_leased_to_its_request_is_not_due);
	tcase_add_test(tcase, each_sibling_has_effects_of_its_own);
	tcase_add_test(tcase, a_failed_effect_waits_and_counts);
	tcase_add_test(tcase, a_waiting_effect_can_be_hurried);
	tcase_add_test(tcase, a_holder_that_lost_its_lease_changes_nothing);
	tcase_add_test(tcase, an_effect_is_queued_once);
	tcase_add_test(tcase, rejected_orders_go_once_nothing_waits_for_them);
	tcase_add_test(tcase, a_change_is_kept_with_its_reason);
	tcase_add_test(tcase, of_two_changes_of_one_version_one_is_kept);
	tcase_add_loop_test(tcase, pages_neither_skip_nor_repeat, 0, ARRAY_SIZE(listings));
	tcase_add_test(tcase, statuses_are_counted);
	tcase_add_test(tcase, the_outbox_is_measured);

	Suite *suite = suite_create("order_store");

	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
