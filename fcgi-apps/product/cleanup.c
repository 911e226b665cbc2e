#include "product/cleanup.h"

#include "base/clock.h"
#include "product/reservation_store.h"
#include "responder/tasks.h"

#define BATCH 100

static int64_t purge_tombstones(struct db_conn *conn, int64_t limit)
{
	return product_tombstones_purge(conn, clock_now() - TOMBSTONE_MEMORY, limit);
}

bool product_cleanup(struct runtime *runtime, void *app UNUSED)
{
	return task_purge(runtime, purge_tombstones, BATCH, "cannot delete old tombstones");
}
