#include "product/cleanup.h"

#include "base/clock.h"
#include "base/log.h"
#include "product/reservation_store.h"

static int delete_batch(struct db_conn *conn, void *argument)
{
	int64_t count = product_tombstones_purge(conn, clock_now() - TOMBSTONE_MEMORY);

	*(int64_t *)argument = count;
	return count < 0 ? (int)count : 0;
}

bool product_cleanup(struct runtime *runtime, void *app UNUSED)
{
	int64_t deleted = 0;
	int r = db_transaction(runtime->db, delete_batch, &deleted);

	if (r < 0)
		log_write(LOG_WARN, "cannot delete old tombstones", log_error_code(r));
	return r == 0 && deleted == TOMBSTONE_BATCH;
}
