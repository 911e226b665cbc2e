/* Ends checkouts that nobody works on any more. Any number of replicas may run it. */
#ifndef ORDER_SWEEPER_H
#define ORDER_SWEEPER_H

#include "order/service.h"

/* The operation whose Idempotency-Keys belong to checkouts. */
#define ORDER_CHECKOUT_OPERATION "createOrder"

/* Inside a transaction: rejects checkouts whose lease ran out before now, a batch at most, with the
 * effects that undo them, and forgets their Idempotency-Keys: returns how many. */
int order_sweep_leases(struct db_conn *conn, int64_t now);

/* Inside a transaction: rejects checkouts that are leased to that session, as above, and makes its
 * effects due: returns how many checkouts. */
int order_sweep_session(struct db_conn *conn, int64_t session, int64_t now);

enum order_fate {
	ORDER_GOES_ON, /* it is being placed, by somebody who lives */
	ORDER_DECIDED, /* it was placed or rejected before */
	ORDER_GIVEN_UP /* nobody worked on it any more: it is rejected now */
};

/* Inside a transaction: what becomes of an order that is in somebody's way; ends it where nobody
 * works on it any more, as above. -ENOENT where there is no such order. */
int order_decide(struct db_conn *conn, const char *order_id, int64_t now,
		 enum order_fate *ret_fate);

/* struct task: rejects checkouts whose lease ran out or whose process has died, takes the effects
 * that it tried from the latter, and recalls effects that wait for too long: whether there may be
 * more. */
bool order_sweep(struct runtime *runtime, void *app);

/* Ends what dead processes left behind, and carries out the effects of that, for a second at most
 * and not beyond the deadline (clock_monotonic()); what is left is for the tasks. Whether there was
 * anything. */
bool order_recover(const struct order_app *app, int64_t deadline);

#endif
