/* order_store.h: reading placed orders, one or a list. */
#include "order/order_store.h"

#include "responder/ownership.h"
#include "responder/paging.h"

#define CLAUSE_SIZE  384
#define QUERY_SIZE   1024
#define CLAUSE_LIMIT 11

/* Selects orders: the text after WHERE, its values, and the sort order. */
struct clause {
	char text[CLAUSE_SIZE];
	struct db_value values[CLAUSE_LIMIT];
	size_t count;
	const char *column;
	const char *direction;
};

static void clause_add(struct clause *clause, const char *comparison, struct db_value value)
{
	size_t length = strlen(clause->text);

	clause->values[clause->count++] = value;
	snprintf(clause->text + length, sizeof(clause->text) - length, " AND %s $%zu", comparison,
		 clause->count);
}

/* Starts at the beginning of the range or, if it is further on, at the page's place. One row
 * comparison, so the index can seek. The range may have changed since the cursor was issued. */
static void clause_start(struct clause *clause, const struct order_filter *filter, int64_t range_at)
{
	bool placed = filter->place_id && (filter->ascending ? filter->place_at >= range_at
							     : filter->place_at < range_at);
	size_t length = strlen(clause->text);

	clause->values[clause->count++] = db_int(placed ? filter->place_at : range_at);
	clause->values[clause->count++] = db_text(placed ? filter->place_id : "");
	snprintf(clause->text + length, sizeof(clause->text) - length, " AND (%s, id) %s ($1, $2)",
		 clause->column, filter->ascending ? ">" : "<");
}

/* The walk ends at this order, inclusive. */
static void clause_end(struct clause *clause, const struct order_filter *filter)
{
	size_t length = strlen(clause->text);

	if (!filter->until_id)
		return;
	clause->values[clause->count++] = db_int(filter->until_at);
	clause->values[clause->count++] = db_text(filter->until_id);
	snprintf(clause->text + length, sizeof(clause->text) - length,
		 " AND (%s, id) %s ($%zu, $%zu)", clause->column,
		 filter->ascending ? "<=" : ">=", clause->count - 1, clause->count);
}

/* The conditions that an index answers: the range of the time that the listing is sorted by. */
static struct clause clause_of_index(const struct order_filter *filter)
{
	/* saga must be a literal, or the partial indexes would not apply. */
	struct clause clause = {
		.text = "saga = 'placed'",
		.column = filter->by_update ? "updated_at" : "created_at",
		.direction = filter->ascending ? "ASC" : "DESC",
	};
	int64_t from = filter->by_update ? filter->updated_from : filter->created_from;
	int64_t before = filter->by_update ? INT64_MAX : filter->created_before;

	clause_start(&clause, filter, filter->ascending ? from : before);
	if (filter->user_id)
		clause_add(&clause, "user_id =", db_text(filter->user_id));
	if (filter->status)
		clause_add(&clause, "status =", db_text(order_status_name(*filter->status)));
	/* A bound that the start already implies would mislead a planner that uses only one of
	 * two. */
	if (from > INT64_MIN && !filter->ascending)
		clause_add(&clause,
			   filter->by_update ? "updated_at >=" : "created_at >=", db_int(from));
	if (before < INT64_MAX && filter->ascending)
		clause_add(&clause, "created_at <", db_int(before));
	return clause;
}

/* Whether the walk passes orders that the other time filters out. */
static bool leaves_out(const struct order_filter *filter)
{
	if (filter->by_update)
		return filter->created_from > INT64_MIN || filter->created_before < INT64_MAX;
	return filter->updated_from > INT64_MIN;
}

/* "+ 0" keeps the planner from using another index than the listing's. */
static struct clause clause_of_filter(const struct order_filter *filter)
{
	struct clause clause = clause_of_index(filter);

	clause_end(&clause, filter);
	if (filter->by_update && filter->created_from > INT64_MIN)
		clause_add(&clause, "created_at + 0 >=", db_int(filter->created_from));
	if (filter->by_update && filter->created_before < INT64_MAX)
		clause_add(&clause, "created_at + 0 <", db_int(filter->created_before));
	if (!filter->by_update && filter->updated_from > INT64_MIN)
		clause_add(&clause, "updated_at + 0 >=", db_int(filter->updated_from));
	return clause;
}

int order_store_horizon(struct db_conn *conn, const struct order_filter *filter,
			struct order_horizon *ret_horizon)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct clause clause = clause_of_index(filter);
	char sql[QUERY_SIZE];

	if (!leaves_out(filter))
		return 0;
	snprintf(sql, sizeof(sql),
		 "SELECT id, %s FROM orders WHERE %s ORDER BY %s %s, id %s LIMIT 1 OFFSET %d",
		 clause.column, clause.text, clause.column, clause.direction, clause.direction,
		 ORDER_HORIZON - 1);
	int r = db_query_row(conn, sql, clause.values, clause.count, &rows);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	db_column_copy(rows, 0, ret_horizon->id, sizeof(ret_horizon->id));
	ret_horizon->at = db_column_int(rows, 1);
	return 1;
}

void order_list_release(struct order_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		order_release(&list->orders[i]);
	free(list->orders);
	*list = (struct order_list){0};
}

static int read_order(struct db_rows *row, struct order *order)
{
	const char *tracking_number = db_column_text(row, 6, NULL);
	int r = currency_find(db_column_text(row, 3, NULL), &order->currency);

	if (!r)
		r = order_status_parse(db_column_text(row, 5, NULL), &order->status);
	if (r)
		return -EIO;

	snprintf(order->id, sizeof(order->id), "%s", db_column_text(row, 0, NULL));
	snprintf(order->cart_id, sizeof(order->cart_id), "%s", db_column_text(row, 2, NULL));
	order->total_amount = db_column_int(row, 4);
	order->version = db_column_int(row, 7);
	order->created_at = db_column_int(row, 8);
	order->updated_at = db_column_int(row, 9);
	order->user_id = strdup(db_column_text(row, 1, NULL));
	if (tracking_number)
		order->tracking_number = strdup(tracking_number);
	return !order->user_id || (tracking_number && !order->tracking_number) ? -ENOMEM : 0;
}

/* Like read_event(), returns how many bytes of text it copied. */
static int read_line(struct db_rows *row, struct order *order)
{
	const struct order_item item = {
		.product_id = db_column_text(row, 1, NULL),
		.name = db_column_text(row, 2, NULL),
		.price = db_column_int(row, 3),
		.quantity = db_column_int(row, 4),
	};
	int r = order_add_line(order, &item);

	if (r < 0)
		return r;
	order->lines[order->line_count - 1].line_total = db_column_int(row, 5);
	return (int)strlen(item.name);
}

static int read_event(struct db_rows *row, struct order *order)
{
	struct order_note note = {
		.reason = db_column_text(row, 2, NULL),
		.at = db_column_int(row, 3),
		.tracking_number = db_column_text(row, 4, NULL),
		.actor = db_column_text(row, 5, NULL),
	};

	if (order_status_parse(db_column_text(row, 1, NULL), &note.status) < 0)
		return -EIO;
	int r = order_add_event(order, &note);
	if (r < 0)
		return r;
	return (int)((note.reason ? strlen(note.reason) : 0) +
		     (note.tracking_number ? strlen(note.tracking_number) : 0) +
		     (note.actor ? strlen(note.actor) : 0));
}

static int load_orders(struct db_conn *conn, const struct clause *clause, size_t limit,
		       struct order_list *list)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char sql[QUERY_SIZE];

	snprintf(sql, sizeof(sql),
		 "SELECT id, user_id, cart_id, currency, total_amount, status, tracking_number,"
		 " version, created_at, updated_at FROM orders WHERE %s"
		 " ORDER BY %s %s, id %s LIMIT $%zu",
		 clause->text, clause->column, clause->direction, clause->direction, clause->count);
	int r = db_query(conn, sql, clause->values, clause->count, &rows);
	if (r < 0)
		return r;
	while (list->count < limit && (r = db_next(rows)) > 0) {
		r = read_order(rows, &list->orders[list->count++]);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static void cut(struct order_list *list, size_t count)
{
	while (list->count > count)
		order_release(&list->orders[--list->count]);
	list->cut = true;
}

/* The page's orders up to and including last. */
static struct clause clause_up_to(const struct order_filter *filter, const struct order *last)
{
	struct order_filter page = *filter;

	page.until_id = last->id;
	page.until_at = filter->by_update ? last->updated_at : last->created_at;
	return clause_of_filter(&page);
}

/* Limit for the text of one kind of part on a page. A single order has less of each kind. */
#define PART_BYTES_MAX (1 << 20)

/* One kind of part of the page's orders: lines or history entries. */
struct parts {
	const char *table;
	const char *columns;
	const char *position;
	int (*read)(struct db_rows *row, struct order *order);
	int limit; /* more than a single order can have */
};

/* Reads the parts of all listed orders, which come in the same order as the orders. If a limit is
 * reached, the list ends before the order whose parts may be incomplete. */
static int load_parts(struct db_conn *conn, const struct order_filter *filter,
		      const struct parts *parts, struct order_list *list)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	char limit[64] = "";
	char sql[QUERY_SIZE];
	size_t at = 0;
	int count = 0;
	int bytes = 0;

	if (list->count == 0)
		return 0;
	struct clause clause = clause_up_to(filter, &list->orders[list->count - 1]);
	/* PostgreSQL needs the limit to see that the page is short. SQLite must not get one: it
	 * would no longer see that the index has the right order, and would sort all parts. */
	if (db_dialect(conn) == DB_POSTGRES)
		snprintf(limit, sizeof(limit), " ORDER BY place %s, id %s LIMIT %d",
			 clause.direction, clause.direction, PAGE_LIMIT_MAX + 1);
	snprintf(sql, sizeof(sql),
		 "SELECT page.id, %s FROM (SELECT id, %s AS place FROM orders WHERE %s%s) AS page"
		 " CROSS JOIN %s AS part WHERE part.order_id = page.id"
		 " ORDER BY page.place %s, page.id %s, part.%s LIMIT %d",
		 parts->columns, clause.column, clause.text, limit, parts->table, clause.direction,
		 clause.direction, parts->position, parts->limit);
	int r = db_query(conn, sql, clause.values, clause.count, &rows);
	if (r < 0)
		return r;
	while (bytes < PART_BYTES_MAX && (r = db_next(rows)) > 0) {
		const char *id = db_column_text(rows, 0, NULL);

		while (at < list->count && strcmp(list->orders[at].id, id) != 0)
			at++;
		if (at == list->count)
			return -EIO;
		r = parts->read(rows, &list->orders[at]);
		if (r < 0)
			return r;
		bytes += r;
		count++;
	}
	if (r < 0)
		return r;
	if (count == parts->limit || bytes >= PART_BYTES_MAX)
		cut(list, at);
	return 0;
}

/* Nothing else is read of an order that is not found: it takes as long as one that is not there. */
#define FOUND "orders WHERE id = $1 AND saga = 'placed' AND " OWNED_BY("$2", "$3", "$4")

/* Reads a whole order by one statement: the order, its lines and its history, in the columns that
 * their readers expect. A column can have only one type, so numbers come as text. */
#define FIND                                                                                       \
	"SELECT id, user_id, cart_id, currency, CAST(total_amount AS TEXT), status,"               \
	" tracking_number, CAST(version AS TEXT), CAST(created_at AS TEXT),"                       \
	" CAST(updated_at AS TEXT), 0 AS part, 0 AS place"                                         \
	" FROM " FOUND " UNION ALL SELECT order_id, product_id, name, CAST(price AS TEXT),"        \
	" CAST(quantity AS TEXT), CAST(line_total AS TEXT), NULL, NULL, NULL, NULL, 1, position"   \
	" FROM order_lines WHERE order_id = $1 AND EXISTS (SELECT 1 FROM " FOUND ")"               \
	" UNION ALL SELECT order_id, status, reason, CAST(at AS TEXT), tracking_number,"           \
	" actor, NULL, NULL, NULL, NULL, 2, version"                                               \
	" FROM order_history WHERE order_id = $1 AND EXISTS (SELECT 1 FROM " FOUND ")"             \
	" ORDER BY part, place"
#define FIND_PART 10

static int read_parts(struct db_rows *rows, struct order *order)
{
	static int (*const readers[])(struct db_rows *, struct order *) = {read_order, read_line,
									   read_event};
	int r = db_next(rows);

	/* An order that is not placed may already have lines. */
	if (r == 0 || (r > 0 && db_column_int(rows, FIND_PART) != 0))
		return -ENOENT;
	while (r > 0) {
		r = readers[db_column_int(rows, FIND_PART)](rows, order);
		if (r >= 0)
			r = db_next(rows);
	}
	return r;
}

void order_store_ask(const char *id, const struct owner *owner, struct db_statement *ret_statement)
{
	db_statement_set(ret_statement, FIND, DB_VALUES(db_text(id), OWNED_BY_VALUES(owner)));
}

int order_store_read(struct db_rows *rows, struct order *ret_order)
{
	struct order order = {0};
	int r = read_parts(rows, &order);

	if (r < 0) {
		order_release(&order);
		return r;
	}
	*ret_order = order;
	return 0;
}

int order_store_find(struct db_conn *conn, const char *id, const struct owner *owner,
		     struct order *ret_order)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	struct db_statement statement;

	order_store_ask(id, owner, &statement);
	int r = db_query_statement(conn, &statement, &rows);
	return r < 0 ? r : order_store_read(rows, ret_order);
}

int order_store_guests_cart(struct db_conn *conn, const char *id,
			    char ret_cart_id[ORDER_CART_ID_SIZE])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query_row(conn,
			     "SELECT cart_id FROM orders"
			     " WHERE id = $1 AND saga = 'placed' AND user_id = ''",
			     DB_VALUES(db_text(id)), &rows);

	ret_cart_id[0] = '\0';
	if (r == 0)
		db_column_copy(rows, 0, ret_cart_id, ORDER_CART_ID_SIZE);
	return r == -ENOENT ? 0 : r;
}

int order_store_find_to_change(struct db_conn *conn, const char *id, const struct owner *owner,
			       struct order *ret_order)
{
	/* Another's is not locked: to wait for it would tell of it. */
	int r = db_lock(conn, "SELECT 1 FROM " FOUND " FOR UPDATE",
			DB_VALUES(db_text(id), OWNED_BY_VALUES(owner)));

	return r < 0 ? r : order_store_find(conn, id, owner, ret_order);
}

/* Three queries for any number of orders, on the one snapshot that db.h promises to readers. A
 * single query would make SQLite sort all parts. */
int order_store_page(struct db_conn *conn, const struct order_filter *filter, int64_t limit,
		     struct order_list *ret_list)
{
	static const struct parts lines = {
		"order_lines",
		"part.product_id, part.name, part.price, part.quantity, part.line_total",
		"position", read_line, ORDER_PAGE_LINES};
	static const struct parts events = {
		"order_history",
		"part.status, part.reason, part.at, part.tracking_number, part.actor", "version",
		read_event, ORDER_PAGE_EVENTS};
	struct clause clause = clause_of_filter(filter);
	struct order_list list = {.orders = calloc((size_t)limit, sizeof(struct order))};

	if (!list.orders)
		return -ENOMEM;
	clause.values[clause.count++] = db_int(limit);
	int r = load_orders(conn, &clause, (size_t)limit, &list);
	if (r == 0)
		r = load_parts(conn, filter, &lines, &list);
	if (r == 0)
		r = load_parts(conn, filter, &events, &list);
	if (r < 0) {
		order_list_release(&list);
		return r;
	}
	*ret_list = list;
	return 0;
}

int order_store_count(struct db_conn *conn, const struct order_filter *filter, int64_t *ret_count)
{
	struct clause clause = clause_of_filter(filter);
	char sql[QUERY_SIZE];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM (SELECT 1 FROM orders WHERE %s LIMIT " PAGING_COUNTED
		 ") AS counted",
		 clause.text);
	return db_query_int(conn, sql, clause.values, clause.count, ret_count);
}

int order_store_count_statuses(struct db_conn *conn, int64_t ret_counts[ORDER_STATUS_COUNT])
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int64_t counts[ORDER_STATUS_COUNT] = {0};
	int r = db_query(conn,
			 "SELECT status, count(*) FROM orders WHERE saga = 'placed'"
			 " GROUP BY status",
			 DB_NO_VALUES, &rows);

	if (r < 0)
		return r;
	while ((r = db_next(rows)) > 0) {
		enum order_status status;

		if (order_status_parse(db_column_text(rows, 0, NULL), &status) == 0)
			counts[status] = db_column_int(rows, 1);
	}
	if (r == 0)
		memcpy(ret_counts, counts, sizeof(counts));
	return r;
}
