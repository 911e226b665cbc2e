/* Ends abandoned checkouts. Any number of replicas may run it. */
#ifndef ORDER_SWEEPER_H
#define ORDER_SWEEPER_H

#include "order/service.h"

/* The operation whose Idempotency-Keys belong to checkouts. */
#define ORDER_CHECKOUT_OPERATION "createOrder"

/* Inside a transaction: rejects up to a batch of checkouts whose lease ran out before now, adds the
 * effects that undo them, and forgets their Idempotency-Keys. Returns how many. */
int order_sweep_leases(struct db_conn *conn, int64_t now);

/* Inside a transaction: rejects checkouts that are leased to that session, as above, and makes the
 * session's effects due. Returns how many checkouts. */
int order_sweep_session(struct db_conn *conn, int64_t session, int64_t now);

enum order_fate {
	ORDER_GOES_ON, /* a live process is placing it */
	ORDER_DECIDED, /* it has already been placed or rejected */
	ORDER_GIVEN_UP /* its process has died: it is rejected now */
};

/* Inside a transaction: finds out the fate of an order that is in the way, and ends it, as above,
 * if it is abandoned. -ENOENT: no such order. */
int order_decide(struct db_conn *conn, const char *order_id, int64_t now,
		 enum order_fate *ret_fate);

/* Ends the order that has a cart open, if its process has died, and carries out its effects, also
 * where the cart has not yet been told that the order had ended. True: it is out of the way. */
bool order_end_other(const struct order_app *app, const struct order_call *call,
		     const char *order_id);

/* A struct task's run: rejects checkouts whose lease ran out or whose process has died, makes the
 * dead process's effects due, and recalls effects that would wait too long. True: there may be
 * more. */
bool order_sweep(struct runtime *runtime, void *app);

/* Ends what dead processes left behind and carries out the resulting effects, for a second at most
 * and not beyond the deadline (clock_monotonic()); the tasks do the rest. True: there was
 * something. */
bool order_recover(const struct order_app *app, int64_t deadline);

#endif
