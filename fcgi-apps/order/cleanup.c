#include "order/cleanup.h"

#include "base/clock.h"
#include "order/order_store.h"
#include "responder/tasks.h"

/* Rejected orders are kept for a while to explain them. Not for long: any client can cause them. */
#define REJECTED_LIFETIME (3600 * CLOCK_SECOND)

#define BATCH 100

static int64_t purge_rejected(struct db_conn *conn, int64_t limit)
{
	return order_store_purge_rejected(conn, clock_now() - REJECTED_LIFETIME, limit);
}

bool order_cleanup(struct runtime *runtime, void *app UNUSED)
{
	return task_purge(runtime, purge_rejected, BATCH, "cannot delete rejected orders");
}
