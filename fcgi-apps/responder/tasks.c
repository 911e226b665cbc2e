#include <malloc.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "base/wait.h"
#include "responder/exchange.h"
#include "responder/idempotency.h"
#include "responder/server.h"

#define PURGE_INTERVAL  (60 * CLOCK_SECOND)
#define PURGE_BATCH     500
#define COUNT_INTERVAL  (15 * CLOCK_SECOND)
#define MEMORY_INTERVAL (2 * CLOCK_SECOND)

struct runner {
	const struct task *task;
	struct server *server;
	struct tasks *tasks;
	pthread_cond_t wake;
	bool due;
	int64_t took; /* the run before, microseconds */
	pthread_t thread;
};

struct tasks {
	pthread_mutex_t lock;
	bool stopping;
	size_t count;
	struct runner runners[];
};

struct batch {
	int64_t (*purge)(struct db_conn *conn, int64_t limit);
	int64_t limit;
	int64_t count;
};

static int purge_batch(struct db_conn *conn, void *argument)
{
	struct batch *batch = argument;
	batch->count = batch->purge(conn, batch->limit);
	return batch->count < 0 ? (int)batch->count : 0;
}

bool task_purge(struct runtime *runtime, int64_t (*purge)(struct db_conn *conn, int64_t limit),
		int64_t limit, const char *message)
{
	struct batch batch = {.purge = purge, .limit = limit};
	int r = db_transaction(runtime->db, purge_batch, &batch);
	if (r < 0)
		log_write(LOG_WARN, message, log_error_code(r));
	return r == 0 && batch.count == limit;
}

static int64_t purge_expired(struct db_conn *conn, int64_t limit)
{
	return idempotency_purge(conn, clock_now(), limit);
}

static bool purge_keys(struct runtime *runtime, void *app UNUSED)
{
	return task_purge(runtime, purge_expired, PURGE_BATCH, "cannot purge idempotency keys");
}

static int count(struct db_conn *conn, void *argument)
{
	struct server *server = argument;
	int64_t keys = 0;
	int r = idempotency_count(conn, server->keys_max, &keys);

	if (r < 0)
		return r;
	atomic_store_explicit(&server->key_count, keys, memory_order_relaxed);
	atomic_store_explicit(&server->runtime.keys_full, keys >= server->keys_max,
			      memory_order_relaxed);
	return 0;
}

static bool count_keys(struct runtime *runtime, void *app UNUSED)
{
	int r = db_read(runtime->db, count, runtime->server);

	if (r < 0)
		log_write(LOG_WARN, "cannot count the idempotency keys", log_error_code(r));
	return false;
}

/* glibc keeps what a burst of requests needed; the system gets it back soon after. Twice: threads
 * that end for want of work give back what malloc() cached for them. */
static bool give_memory_back(struct runtime *runtime, void *app UNUSED)
{
	struct server *server = runtime->server;
	if (atomic_load(&server->trims) == 0)
		return false;
	atomic_fetch_sub(&server->trims, 1);
	exchange_free_all(server);
	malloc_trim(0);
	return false;
}

/* Every service has POSTs, so every service forgets their keys in time. */
static const struct task own_tasks[] = {
	{.name = "purge-idempotency-keys", .interval = PURGE_INTERVAL, .run = purge_keys},
	/* Takes the longer the more there are. */
	{.name = "count-idempotency-keys",
	 .interval = COUNT_INTERVAL,
	 .rest = 100,
	 .run = count_keys},
	{.name = "give-memory-back", .interval = MEMORY_INTERVAL, .run = give_memory_back},
};

/* Replicas started together must not run in step: the pause varies by a quarter. */
static int64_t next_run(const struct runner *runner)
{
	int64_t rest = runner->task->rest * runner->took;
	int64_t pause = rest > runner->task->interval ? rest : runner->task->interval;
	int64_t jitter = (int64_t)random_below((uint64_t)pause / 4 + 1);
	return clock_monotonic() + pause - jitter;
}

/* Whether to go on. */
static bool wait_until_due(struct runner *runner)
{
	struct tasks *tasks = runner->tasks;
	int64_t at = next_run(runner);
	pthread_mutex_lock(&tasks->lock);
	while (!tasks->stopping && !runner->due && wait_until(&runner->wake, &tasks->lock, at))
		;
	runner->due = false;
	bool go_on = !tasks->stopping;
	pthread_mutex_unlock(&tasks->lock);
	return go_on;
}

static void *run(void *argument)
{
	struct runner *runner = argument;
	struct server *server = runner->server;
	while (wait_until_due(runner)) {
		int64_t started = clock_monotonic();
		while (runner->task->run(&server->runtime, server->app) &&
		       !atomic_load(&server->stopping))
			;
		runner->took = clock_monotonic() - started;
	}
	return NULL;
}

static int add(struct tasks *tasks, struct server *server, const struct task *task)
{
	struct runner *runner = &tasks->runners[tasks->count];
	*runner = (struct runner){.task = task, .server = server, .tasks = tasks};
	wait_init(&runner->wake);
	int r = pthread_create(&runner->thread, NULL, run, runner);
	if (r) {
		pthread_cond_destroy(&runner->wake);
		return -r;
	}
	tasks->count++;
	return 0;
}

int tasks_start(struct server *server)
{
	const struct service *service = server->runtime.service;
	struct tasks *tasks =
		calloc(1, sizeof(*tasks) + (service->task_count + ARRAY_SIZE(own_tasks)) *
						   sizeof(tasks->runners[0]));
	if (!tasks)
		return -ENOMEM;
	pthread_mutex_init(&tasks->lock, NULL);
	server->tasks = tasks;
	/* A thread's first act is to take the lock: it sees a complete list. */
	pthread_mutex_lock(&tasks->lock);
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(own_tasks); i++)
		r = add(tasks, server, &own_tasks[i]);
	for (size_t i = 0; r == 0 && i < service->task_count; i++)
		r = add(tasks, server, &service->tasks[i]);
	pthread_mutex_unlock(&tasks->lock);
	return r;
}

void task_wake(struct runtime *runtime, const char *name)
{
	struct tasks *tasks = runtime->server->tasks;
	pthread_mutex_lock(&tasks->lock);
	for (size_t i = 0; i < tasks->count; i++) {
		if (strcmp(tasks->runners[i].task->name, name) == 0) {
			tasks->runners[i].due = true;
			pthread_cond_signal(&tasks->runners[i].wake);
		}
	}
	pthread_mutex_unlock(&tasks->lock);
}

void tasks_stop(struct tasks *tasks)
{
	if (!tasks)
		return;
	pthread_mutex_lock(&tasks->lock);
	tasks->stopping = true;
	for (size_t i = 0; i < tasks->count; i++)
		pthread_cond_signal(&tasks->runners[i].wake);
	pthread_mutex_unlock(&tasks->lock);
	for (size_t i = 0; i < tasks->count; i++) {
		pthread_join(tasks->runners[i].thread, NULL);
		pthread_cond_destroy(&tasks->runners[i].wake);
	}
	pthread_mutex_destroy(&tasks->lock);
	free(tasks);
}
