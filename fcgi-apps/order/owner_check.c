/* The cart service's database is only read, and only what it has had from the beginning. */
#include "contract/schema_text.h"
#include "order/checks.h"
#include "order/order.h"

#define RULE "orders-are-their-carts-users"

struct comparison {
	struct db *carts;
	check_visitor *visit;
	void *context;
	struct db_rows *orders;
	int64_t found;
	const char *order_id, *cart_id, *user_id; /* of the order that is looked at */
};

/* Each service brings old ids into their normal form in its own time, and checkouts keep theirs
 * (responder/old_user_ids.h). 1, 0 or -ENOMEM. */
static int is_same_user(const char *one, const char *other)
{
	struct text first CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	struct text second CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	if (strcmp(one, other) == 0)
		return 1;
	schema_text_renew(one, strlen(one), false, &first);
	schema_text_renew(other, strlen(other), false, &second);
	int r = text_error(&first) ? text_error(&first) : text_error(&second);
	/* An id that has no normal form is no guest. */
	return r ? r : first.length > 0 && strcmp(text_string(&first), text_string(&second)) == 0;
}

static void append_user(struct text *out, const char *user_id)
{
	if (*user_id)
		text_printf(out, "the user \"%s\"", user_id);
	else
		text_append_string(out, "a guest");
}

static int report(struct comparison *comparison, const char *cart_user_id)
{
	struct text detail CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	text_append_string(&detail, "is of ");
	append_user(&detail, comparison->user_id);
	text_printf(&detail, ", but its cart %s of ", comparison->cart_id);
	append_user(&detail, cart_user_id);
	if (text_error(&detail))
		return text_error(&detail);
	comparison->found++;
	comparison->visit(comparison->context, RULE, comparison->order_id, text_string(&detail));
	return 0;
}

/* A checkout outlives its cart. */
static int compare_one(struct db_conn *carts, struct comparison *comparison)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(carts,
			 "SELECT user_id FROM carts WHERE id = $1 UNION ALL"
			 " SELECT user_id FROM checkouts WHERE cart_id = $1 AND order_id = $2"
			 " AND user_id IS NOT NULL",
			 DB_VALUES(db_text(comparison->cart_id), db_text(comparison->order_id)),
			 &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		const char *user_id = db_column_text(rows, 0, NULL);

		r = user_id ? is_same_user(comparison->user_id, user_id) : -ENOMEM;
		if (r <= 0)
			return r < 0 ? r : report(comparison, user_id);
	}
	return r;
}

static int compare_all(struct db_conn *carts, void *argument)
{
	struct comparison *comparison = argument;
	int r;

	while ((r = db_next(comparison->orders)) > 0) {
		comparison->order_id = db_column_text(comparison->orders, 0, NULL);
		comparison->cart_id = db_column_text(comparison->orders, 1, NULL);
		comparison->user_id = db_column_text(comparison->orders, 2, NULL);
		if (!comparison->order_id || !comparison->cart_id || !comparison->user_id)
			return -ENOMEM;
		r = compare_one(carts, comparison);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_orders(struct db_conn *conn, void *argument)
{
	struct comparison *comparison = argument;
	struct db_rows *orders CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn,
			 "SELECT id, cart_id, user_id FROM orders WHERE saga = 'placed'"
			 " ORDER BY id",
			 DB_NO_VALUES, &orders);

	if (r < 0)
		return r;
	comparison->orders = orders;
	return db_read(comparison->carts, compare_all, comparison);
}

static int64_t compare(struct db *orders, struct db *carts, check_visitor *visit, void *context)
{
	struct comparison comparison = {.carts = carts, .visit = visit, .context = context};
	int r = db_read(orders, read_orders, &comparison);

	return r < 0 ? r : comparison.found;
}

const struct sibling_check order_owner_check = {.setting = "CART_DATABASE_URL", .run = compare};
