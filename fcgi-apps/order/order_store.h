/*
 * Orders in the database. Every function runs on a connection from db_read or db_transaction
 * (storage/db.h) and returns its errors besides the ones named here. The error of an insertion may
 * be reported by the commit instead (db_post). Times are base/clock.h microseconds.
 */
#ifndef ORDER_ORDER_STORE_H
#define ORDER_ORDER_STORE_H

#include "auth/authorize.h"
#include "base/base.h"
#include "order/order.h"
#include "storage/conn.h"

/* ---- the saga ------------------------------------------------------------------------------- */

/* Writes an order that is being placed, leased to this process until then. Uses the order's id,
 * cart, user, currency and created_at. */
int order_store_begin(struct db_conn *conn, const struct order *order, int64_t lease_until);

/* Places an order that is being placed, with its user, lines, total, history and times. 1; or 0 if
 * it is no longer being placed or its lease ran out before now, and then nothing is written. */
int order_store_place(struct db_conn *conn, const struct order *order, int64_t now);

/* Rejects an order that is being placed. 1; or 0 if it is no longer being placed. */
int order_store_reject(struct db_conn *conn, const char *id, int64_t now);

/* The same for an order that left nothing at a sibling: it is deleted. */
int order_store_forget(struct db_conn *conn, const char *id);

struct order_ref {
	char id[UUID_TEXT_SIZE];
	char cart_id[ORDER_CART_ID_SIZE];
};

/* 1 if one of the two functions below, or order_outbox_recall(), would find something, else 0. */
int order_store_anything_to_sweep(struct db_conn *conn, int64_t now);

/* The state of an order's saga. */
struct order_lease {
	bool placing;
	int64_t until;
	int64_t holder; /* a session (storage/conn.h), or 0 */
	struct order_ref ref;
};

/* -ENOENT: no such order. */
int order_store_find_lease(struct db_conn *conn, const char *id, struct order_lease *ret_lease);

/* Lists up to size sessions, other than this process's own, that hold a lease of an order or an
 * effect. Returns how many. */
int order_store_holders(struct db_conn *conn, int64_t now, int64_t *ret_list, size_t size);

/* Rejects up to size orders leased to that session and lists them. Returns how many. */
int order_store_reject_held(struct db_conn *conn, int64_t holder, int64_t now,
			    struct order_ref *ret_list, size_t size);

/* Rejects up to size orders whose lease ran out before now, or is too long to come from this clock
 * (ORDER_LEASE_MAX), and lists them. Returns how many. */
int order_store_reject_expired(struct db_conn *conn, int64_t now, struct order_ref *ret_list,
			       size_t size);

/* Deletes up to limit orders that were rejected before a time and have no effect waiting. Returns
 * how many. */
int64_t order_store_purge_rejected(struct db_conn *conn, int64_t before, int64_t limit);

/* ---- placed orders -------------------------------------------------------------------------- */

/* The statement that finds a placed order of that owner with all its parts. The texts must stay
 * until the rows have been read. */
void order_store_ask(const char *id, const struct owner *owner, struct db_statement *ret_statement);

/* Each makes an order, which the caller releases; the first from the rows of that statement.
 * -ENOENT: no placed order of that owner has this id. */
int order_store_read(struct db_rows *rows, struct order *ret_order);
int order_store_find(struct db_conn *conn, const char *id, const struct owner *owner,
		     struct order *ret_order);

/* The cart of a guest's placed order; "" where there is no such order. */
int order_store_guests_cart(struct db_conn *conn, const char *id,
			    char ret_cart_id[ORDER_CART_ID_SIZE]);

/* The same as order_store_find() inside a transaction that writes: until it ends, no other one
 * changes the order. */
int order_store_find_to_change(struct db_conn *conn, const char *id, const struct owner *owner,
			       struct order *ret_order);

/* What a listing selects: orders in a range of times, which includes its beginning and not its end,
 * sorted by one of the two times and then by id. */
struct order_filter {
	const char *user_id;             /* NULL: any */
	const enum order_status *status; /* NULL: any */
	int64_t created_from;            /* INT64_MIN: any */
	int64_t created_before;          /* INT64_MAX: any */
	int64_t updated_from;            /* INT64_MIN: any */
	bool by_update;                  /* by updated_at, else by created_at */
	bool ascending;
	const char *place_id; /* the page begins after this order; NULL: at the beginning */
	int64_t place_at;     /* that order's time, by which the listing is sorted */
	const char *until_id; /* the page ends with this order at the latest; NULL: no limit */
	int64_t until_at;
};

/* How many orders a page or a count looks at if a filter by the other time leaves some out. */
#define ORDER_HORIZON 10000

struct order_horizon {
	char id[UUID_TEXT_SIZE];
	int64_t at;
};

/* How far a listing looks from its place on. 1, or 0: to the end. */
int order_store_horizon(struct db_conn *conn, const struct order_filter *filter,
			struct order_horizon *ret_horizon);

struct order_list {
	struct order *orders;
	size_t count;
	bool cut; /* further orders of the page were left out */
};
void order_list_release(struct order_list *list);

/* A page ends before it would have more lines or history entries than this, or more than a megabyte
 * of text of either, to bound memory whatever limit the client asked for. */
#define ORDER_PAGE_LINES  1500
#define ORDER_PAGE_EVENTS 1000

int order_store_page(struct db_conn *conn, const struct order_filter *filter, int64_t limit,
		     struct order_list *ret_list);
/* Counts the orders from the place on, but no further than PAGING_COUNTED. */
int order_store_count(struct db_conn *conn, const struct order_filter *filter, int64_t *ret_count);

/* Changes the status of an order that has the version in *order to what the note says, and updates
 * *order. Without a tracking number the one it has stays. 1, or 0 if another change came first. */
int order_store_set_status(struct db_conn *conn, struct order *order,
			   const struct order_note *note);

/* Counts the placed orders by status. */
int order_store_count_statuses(struct db_conn *conn, int64_t ret_counts[ORDER_STATUS_COUNT]);

/* Placed orders of users whose ids are not in normal form. */
struct old_user_ids;
extern const struct old_user_ids order_old_user_ids;

#endif
