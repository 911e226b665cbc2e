/*
 * Orders in the database. Every function runs on a connection that db_read or db_transaction lent
 * (storage/db.h) and returns its errors besides the ones named here; that of an insertion may be
 * told by the commit instead (db_post). Times are base/clock.h microseconds.
 */
#ifndef ORDER_ORDER_STORE_H
#define ORDER_ORDER_STORE_H

#include "base/base.h"
#include "order/order.h"
#include "storage/conn.h"

/* ---- the saga ------------------------------------------------------------------------------- */

/* Writes the order down as being placed, leased until then to this process: id, cart, user,
 * currency and created_at of it count. */
int order_store_begin(struct db_conn *conn, const struct order *order, int64_t lease_until);

/* Makes an order that is being placed a placed one, with lines, total, history and times of it.
 * 1, or 0 when it is not being placed any more or its lease ran out before now: nothing is written
 * then. */
int order_store_place(struct db_conn *conn, const struct order *order, int64_t now);

/* Ends an order that is being placed. 1, or 0 when it is not being placed any more. */
int order_store_reject(struct db_conn *conn, const char *id, int64_t now);

/* The same of one that need not be remembered, since no sibling was left with anything of it: it is
 * deleted. */
int order_store_forget(struct db_conn *conn, const char *id);

struct order_ref {
	char id[UUID_TEXT_SIZE];
	char cart_id[ORDER_CART_ID_SIZE];
};

/* 1 where one of the two functions below, or order_outbox_recall(), would find something, else 0.
 */
int order_store_anything_to_sweep(struct db_conn *conn, int64_t now);

/* An order's place in the saga. */
struct order_lease {
	bool placing;
	int64_t until;
	int64_t holder; /* a session (storage/conn.h), or 0 */
	struct order_ref ref;
};

/* -ENOENT where there is no such order. */
int order_store_find_lease(struct db_conn *conn, const char *id, struct order_lease *ret_lease);

/* The sessions, up to size and without this process' own, that hold a lease of an order or an
 * effect: returns how many. */
int order_store_holders(struct db_conn *conn, int64_t now, int64_t *ret_list, size_t size);

/* Rejects up to size orders that are leased to that session, and tells which: returns how many. */
int order_store_reject_held(struct db_conn *conn, int64_t holder, int64_t now,
			    struct order_ref *ret_list, size_t size);

/* Rejects up to size orders whose lease ran out before now, or is none of this clock's
 * (ORDER_LEASE_MAX), and tells which: returns how many. */
int order_store_reject_expired(struct db_conn *conn, int64_t now, struct order_ref *ret_list,
			       size_t size);

/* Deletes up to limit orders that were rejected before then and have no effect waiting: returns
 * how many. */
int64_t order_store_purge_rejected(struct db_conn *conn, int64_t before, int64_t limit);

/* ---- placed orders -------------------------------------------------------------------------- */

/* -ENOENT where there is no placed order of that id. The order is the caller's to release. One
 * statement. */
int order_store_find(struct db_conn *conn, const char *id, struct order *ret_order);

/* The same inside a transaction that writes: until its end nobody else changes the order. */
int order_store_find_to_change(struct db_conn *conn, const char *id, struct order *ret_order);

/* What a listing is about: orders of a range of times, each of which includes its beginning and not
 * its end, by one of the two times and, where that is the same, by id. */
struct order_filter {
	const char *user_id;             /* NULL: any */
	const enum order_status *status; /* NULL: any */
	int64_t created_from;            /* INT64_MIN: any */
	int64_t created_before;          /* INT64_MAX: any */
	int64_t updated_from;            /* INT64_MIN: any */
	bool by_update;                  /* by updated_at, else by created_at */
	bool ascending;
	const char *place_id; /* a page holds what comes after this order; NULL: the beginning */
	int64_t place_at;     /* its time, of the two the one that the listing is by */
	const char *until_id; /* no further than this order; NULL: to the end */
	int64_t until_at;
};

/* Orders that a page, or a count, looks at where a filter by the other time leaves some out. */
#define ORDER_HORIZON 10000

struct order_horizon {
	char id[UUID_TEXT_SIZE];
	int64_t at;
};

/* How far a listing looks from its place on: 1, or 0 where that is to the end. */
int order_store_horizon(struct db_conn *conn, const struct order_filter *filter,
			struct order_horizon *ret_horizon);

struct order_list {
	struct order *orders;
	size_t count;
	bool cut; /* further orders of the page were left out */
};
void order_list_release(struct order_list *list);

/* A page ends before the order with which it would have so many lines or entries of a history, or
 * a megabyte of text of either: memory stays bounded, whatever the limit asks for. */
#define ORDER_PAGE_LINES  1500
#define ORDER_PAGE_EVENTS 1000

int order_store_page(struct db_conn *conn, const struct order_filter *filter, int64_t limit,
		     struct order_list *ret_list);
/* How many there are from the place on; counts no further than PAGING_COUNTED. */
int order_store_count(struct db_conn *conn, const struct order_filter *filter, int64_t *ret_count);

/* Moves the order on from the version it has in *order, and brings *order up to date; texts may be
 * NULL (the tracking number stays then). 1, or 0 when another change came first. */
int order_store_set_status(struct db_conn *conn, struct order *order, enum order_status status,
			   const char *reason, const char *tracking_number, int64_t now);

/* How many placed orders have each status. */
int order_store_count_statuses(struct db_conn *conn, int64_t ret_counts[ORDER_STATUS_COUNT]);

/* Placed orders of users whose ids are not in their normal form. */
struct old_user_ids;
extern const struct old_user_ids order_old_user_ids;

#endif
