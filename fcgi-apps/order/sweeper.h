/* Ends checkouts that nobody works on any more. Any number of replicas may run it. */
#ifndef ORDER_SWEEPER_H
#define ORDER_SWEEPER_H

#include "order/app.h"

/* The operation whose Idempotency-Keys belong to checkouts. */
#define ORDER_CHECKOUT_OPERATION "createOrder"

/* Inside a transaction: rejects checkouts whose lease ran out before now, a batch at most, with the
 * effects that undo them, and forgets their Idempotency-Keys: returns how many. */
int order_sweep_leases(struct db_conn *conn, int64_t now);

/* Rejects checkouts whose lease ran out, deletes rejected ones of long ago, and recalls effects
 * that wait for too long: whether there may be more. */
bool order_sweep(const struct order_app *app);

#endif
