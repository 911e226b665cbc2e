/* What the tests of orders in the store share: a fresh order database, and the store's functions,
 * each run in a transaction of its own. */
#ifndef TESTS_UNIT_ORDERS_H
#define TESTS_UNIT_ORDERS_H

#include "store.h"

#include "order/migrations.h"
#include "order/order_store.h"
#include "order/outbox_store.h"
#include "responder/ownership.h"

#define NOW INT64_C(1769853960000000)

static struct db *db;
static struct db *other_db; /* of a process beside this one */

static struct db *orders_open_session(void)
{
	struct db_options options = store_options();

	options.migrations = order_migrations;
	options.migration_count = ORDER_MIGRATION_COUNT;
	options.session = true;
	return store_open_with(&options);
}

static void orders_open(void)
{
	store_prepare();
	db = orders_open_session();
}

static void orders_close(void)
{
	db_close(other_db);
	db_close(db);
	store_remove();
}

static int read_session(struct db_conn *conn, void *session)
{
	*(int64_t *)session = db_session(conn);
	return 0;
}

/* Starts the other process; its session. */
static UNUSED int64_t other_session(void)
{
	int64_t session;

	other_db = orders_open_session();
	ck_assert_int_eq(db_read(other_db, read_session, &session), 0);
	return session;
}

/* Does something there. */
#define in_other_session(call)                                                                     \
	do {                                                                                       \
		struct db *own = db;                                                               \
		db = other_db;                                                                     \
		call;                                                                              \
		db = own;                                                                          \
	} while (0)

static int read_ended(struct db_conn *conn, void *session)
{
	return db_session_ended(conn, *(int64_t *)session);
}

/* Ends it. A server notices within a moment. */
static UNUSED void other_dies(int64_t session)
{
	db_close(other_db);
	other_db = NULL;
	for (int i = 0; i < 1000 && db_read(db, read_ended, &session) == 0; i++)
		usleep(10000);
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
	int r = db_transaction(db, run_step, step);

	ck_assert_int_eq(r, step->result < 0 ? step->result : 0);
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

static UNUSED void begin_leased(const char *id, const char *user_id, int64_t lease_until)
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

static UNUSED int place_at(const char *id, const char *user_id, int64_t created_at)
{
	struct step step = step_for(id, user_id, created_at);
	struct order_item items[] = {
		{.product_id = "p2", .name = "Mug", .price = 1250, .quantity = 2},
		{.product_id = "p1", .name = "Plate", .price = 99, .quantity = 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		ck_assert_int_eq(order_add_line(&step.order, &items[i]), 0);
	ck_assert_int_eq(order_price(&step.order), 0);
	ck_assert_int_eq(order_add_event(&step.order, &(struct order_note){.status = ORDER_PENDING,
									   .at = created_at}),
			 0);
	step.function = place_function;
	step.at = NOW;
	int r = step_run(&step);

	order_release(&step.order);
	return r;
}

static UNUSED int place(const char *id)
{
	return place_at(id, "u", NOW);
}

static int reject_function(struct db_conn *conn, struct step *step)
{
	return order_store_reject(conn, step->order.id, step->at);
}

static UNUSED int reject(const char *id, int64_t at)
{
	struct step step = step_for(id, "u", NOW);

	step.function = reject_function;
	step.at = at;
	int r = step_run(&step);

	order_release(&step.order);
	return r;
}

static int add_effect_function(struct db_conn *conn, struct step *step)
{
	struct order_effect effect = {.kind = (enum order_effect_kind)step->status,
				      .leased_until = step->at};

	memcpy(effect.order_id, step->order.id, sizeof(effect.order_id));
	memcpy(effect.cart_id, step->order.cart_id, sizeof(effect.cart_id));
	return order_outbox_add(conn, &effect, NOW);
}

static UNUSED void add_effect(const char *order_id, enum order_effect_kind kind, int64_t due)
{
	struct step step = step_for(order_id, "u", NOW);

	step.function = add_effect_function;
	step.status = (enum order_status)kind;
	step.at = due;
	ck_assert_int_eq(step_run(&step), 0);
	order_release(&step.order);
}

static int find_function(struct db_conn *conn, struct step *step)
{
	char id[UUID_TEXT_SIZE];

	memcpy(id, step->order.id, sizeof(id));
	order_release(&step->order);
	return order_store_find(conn, id, EVERYBODYS, &step->order);
}

static UNUSED int find(const char *id, struct order *ret_order)
{
	struct step step = step_for(id, "u", NOW);

	step.function = find_function;
	int r = step_run(&step);

	if (r == 0)
		*ret_order = step.order;
	return r;
}

static int set_status_function(struct db_conn *conn, struct step *step)
{
	const struct order_note note = {.status = step->status,
					.reason = "why",
					.tracking_number = step->text,
					.actor = "clerk",
					.at = step->at};

	return order_store_set_status(conn, &step->order, &note);
}

/* Changes the order from the state that *order shows. */
static UNUSED int set_status(struct order *order, enum order_status status,
			     const char *tracking_number, int64_t at)
{
	struct step step = {.order = *order,
			    .function = set_status_function,
			    .status = status,
			    .text = tracking_number,
			    .at = at};
	int r = step_run(&step);

	*order = step.order;
	return r;
}

#endif
