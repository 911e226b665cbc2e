#include "responder/housekeeping.h"

#include "base/clock.h"
#include "base/log.h"
#include "responder/guard.h"
#include "responder/idempotency.h"

#define PURGE_INTERVAL  (60 * CLOCK_SECOND)
#define PURGE_BATCH     500
#define COUNT_INTERVAL  (15 * CLOCK_SECOND)
#define MEMORY_INTERVAL (2 * CLOCK_SECOND)

static int64_t purge_expired(struct db_conn *conn, int64_t limit)
{
	return idempotency_purge(conn, clock_now(), limit);
}

static bool purge_keys(struct runtime *runtime, void *exchanges UNUSED)
{
	return task_purge(runtime, purge_expired, PURGE_BATCH, "cannot purge idempotency keys");
}

static int count(struct db_conn *conn, void *argument)
{
	struct runtime *runtime = argument;
	int64_t keys = 0;
	int r = idempotency_count(conn, runtime->keys_max, &keys);

	if (r < 0)
		return r;
	atomic_store_explicit(&runtime->key_count, keys, memory_order_relaxed);
	atomic_store_explicit(&runtime->keys_full, keys >= runtime->keys_max, memory_order_relaxed);
	return 0;
}

static bool count_keys(struct runtime *runtime, void *exchanges UNUSED)
{
	int r = db_read(runtime->db, count, runtime);

	if (r < 0)
		log_write(LOG_WARN, "cannot count the idempotency keys", log_error_code(r));
	return false;
}

static bool give_memory_back(struct runtime *runtime UNUSED, void *exchanges)
{
	exchanges_trim(exchanges);
	return false;
}

/* Every service has POSTs, so every service deletes their old keys. */
static const struct task tasks_of_all[] = {
	{.name = "purge-idempotency-keys", .interval = PURGE_INTERVAL, .run = purge_keys},
	/* Takes time in proportion to the number of keys. */
	{.name = "count-idempotency-keys",
	 .interval = COUNT_INTERVAL,
	 .rest = 100,
	 .run = count_keys},
	{.name = "give-memory-back", .interval = MEMORY_INTERVAL, .run = give_memory_back},
};

static bool renew_keys(struct runtime *runtime, void *exchanges UNUSED)
{
	guard_renew_keys(runtime->guard);
	return false;
}

static const struct task renewing = {
	.name = "renew-keys", .interval = CLOCK_SECOND, .run = renew_keys};

int housekeeping_renew_keys(struct tasks *tasks)
{
	return tasks_start(tasks, &renewing, 1, NULL);
}

int housekeeping_start(struct tasks *tasks, struct exchanges *exchanges)
{
	return tasks_start(tasks, tasks_of_all, ARRAY_SIZE(tasks_of_all), exchanges);
}
