#include "order/cleanup.h"

#include "base/clock.h"
#include "base/log.h"
#include "order/order_store.h"

/* Rejected orders are kept for a while, for whoever asks why; anybody can have them made. */
#define REJECTED_LIFETIME (3600 * CLOCK_SECOND)

#define BATCH 100

static int delete_batch(struct db_conn *conn, void *argument)
{
	int64_t count = order_store_purge_rejected(conn, clock_now() - REJECTED_LIFETIME, BATCH);

	*(int64_t *)argument = count;
	return count < 0 ? (int)count : 0;
}

bool order_cleanup(struct runtime *runtime, void *app UNUSED)
{
	int64_t deleted = 0;
	int r = db_transaction(runtime->db, delete_batch, &deleted);

	if (r < 0)
		log_write(LOG_WARN, "cannot delete rejected orders", log_error_code(r));
	return r == 0 && deleted == BATCH;
}
