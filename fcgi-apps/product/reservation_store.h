/*
 * Stock held for orders, inside db_read or db_transaction:
 *
 *	(nothing) --hold--> held --ship--> shipped
 *	    |                 '--release--> released
 *	    '------release------------------^
 *
 * Every step is idempotent. Releasing an order that was never held leaves a tombstone, so that a
 * late hold is refused. Products are updated in the order of their ids, by one conditional UPDATE
 * each: no deadlocks, no lost updates. actor is who asks, for the ledger, or NULL. Errors are those
 * of storage/conn.h.
 */
#ifndef PRODUCT_RESERVATION_STORE_H
#define PRODUCT_RESERVATION_STORE_H

#include "base/clock.h"
#include "storage/conn.h"

#define RESERVATION_LINES_MAX 200

enum product_line_state { LINE_HELD, LINE_SHORT, LINE_GONE, LINE_REPRICED };

/* One product of a hold. product_id is borrowed. */
struct product_line {
	const char *product_id;
	int64_t quantity;
	enum product_line_state state; /* out: the outcome */
	int64_t available;             /* out: for LINE_SHORT */
	bool priced;                   /* if set, hold only at this price: */
	int64_t price;
	int64_t price_now; /* out: for LINE_HELD and LINE_REPRICED */
	char *name;        /* out: for LINE_HELD; NULL before, product_lines_release() after */
};

enum product_hold {
	HOLD_DONE,
	HOLD_REPLAYED, /* held before with the same lines */
	HOLD_SHIPPED,  /* the same, but shipped meanwhile */
	HOLD_MISMATCH, /* held before with other lines */
	HOLD_RELEASED, /* released before, so this hold is too late */
	HOLD_SHORT,    /* the lines' states say where; the caller must roll back */
	HOLD_GONE,     /* likewise; some products no longer exist */
	HOLD_REPRICED, /* likewise; some prices differ, and nothing else is wrong */
};

/* Sorts by product id and sums the quantities of lines of the same product. Returns the number of
 * lines left. The sums must fit an int64. */
size_t product_lines_merge(struct product_line *lines, size_t count);

/* Frees the names. */
void product_lines_release(struct product_line *lines, size_t count);

/* Holds all lines or none; lines must be merged. */
int product_reservation_hold(struct db_conn *conn, const char *order_id, struct product_line *lines,
			     size_t count, const char *actor, int64_t now,
			     enum product_hold *ret_outcome);

enum product_reservation_state {
	RESERVATION_UNKNOWN,
	RESERVATION_HELD,
	RESERVATION_SHIPPED,
	RESERVATION_RELEASED,
};

int product_reservation_state(struct db_conn *conn, const char *order_id,
			      enum product_reservation_state *ret_state);

/* held -> shipped. *ret_before is the state before; only RESERVATION_HELD is changed. */
int product_reservation_ship(struct db_conn *conn, const char *order_id, const char *actor,
			     int64_t now, enum product_reservation_state *ret_before);

/* held -> released, giving the stock back (also of deleted products); unknown -> tombstone.
 * *ret_before is the state before; RESERVATION_SHIPPED is not changed. */
int product_reservation_release(struct db_conn *conn, const char *order_id, const char *actor,
				int64_t now, enum product_reservation_state *ret_before);

/* How long tombstones are kept: they stop holds that are seconds late, and a repeated release just
 * makes another one. */
#define TOMBSTONE_MEMORY CLOCK_DAY

/* Deletes at most limit tombstones made before a time. Returns how many. */
int64_t product_tombstones_purge(struct db_conn *conn, int64_t before, int64_t limit);

enum product_item_column { ITEM_PRODUCT_ID, ITEM_QUANTITY, ITEM_NAME, ITEM_PRICE };

/* What an order holds, with the names and prices of that time, by product id. */
int product_reservation_items(struct db_conn *conn, const char *order_id,
			      struct db_rows **ret_rows);

#endif
