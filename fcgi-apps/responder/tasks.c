#include "responder/tasks.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "base/wait.h"

struct runner {
	const struct task *task;
	void *app;
	struct tasks *tasks;
	pthread_cond_t wake;
	bool due;
	int64_t took; /* duration of the previous run, in microseconds */
	pthread_t thread;
	struct runner *next;
};

struct tasks {
	struct runtime *runtime;
	atomic_bool stopping;
	pthread_mutex_t lock; /* guards the list and the due flags */
	struct runner *list;
};

/* Replicas that were started together must not run in step, so the pause varies by a quarter. */
static int64_t next_run(const struct runner *runner)
{
	int64_t rest = runner->task->rest * runner->took;
	int64_t pause = rest > runner->task->interval ? rest : runner->task->interval;
	int64_t jitter = (int64_t)random_below((uint64_t)pause / 4 + 1);
	return clock_monotonic() + pause - jitter;
}

/* True: run again; false: stop. */
static bool wait_until_due(struct runner *runner)
{
	struct tasks *tasks = runner->tasks;
	int64_t at = next_run(runner);
	pthread_mutex_lock(&tasks->lock);
	while (!atomic_load(&tasks->stopping) && !runner->due &&
	       wait_until(&runner->wake, &tasks->lock, at))
		;
	runner->due = false;
	bool go_on = !atomic_load(&tasks->stopping);
	pthread_mutex_unlock(&tasks->lock);
	return go_on;
}

static void *run(void *argument)
{
	struct runner *runner = argument;
	struct tasks *tasks = runner->tasks;
	while (wait_until_due(runner)) {
		int64_t started = clock_monotonic();
		while (runner->task->run(tasks->runtime, runner->app) &&
		       !atomic_load(&tasks->stopping))
			;
		runner->took = clock_monotonic() - started;
	}
	return NULL;
}

int tasks_create(struct runtime *runtime, struct tasks **ret_tasks)
{
	struct tasks *tasks = calloc(1, sizeof(*tasks));
	if (!tasks)
		return -ENOMEM;
	tasks->runtime = runtime;
	pthread_mutex_init(&tasks->lock, NULL);
	*ret_tasks = tasks;
	return 0;
}

static void runner_free(struct runner *runner)
{
	pthread_cond_destroy(&runner->wake);
	free(runner);
}

static int add(struct tasks *tasks, const struct task *task, void *app)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	if (!runner)
		return -ENOMEM;
	*runner = (struct runner){.task = task, .app = app, .tasks = tasks, .next = tasks->list};
	wait_init(&runner->wake);
	int r = pthread_create(&runner->thread, NULL, run, runner);
	if (r == 0)
		tasks->list = runner;
	else
		runner_free(runner);
	return -r;
}

int tasks_start(struct tasks *tasks, const struct task *list, size_t count, void *app)
{
	int r = 0;
	/* Each thread first takes the lock, so it sees the complete list. */
	pthread_mutex_lock(&tasks->lock);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(tasks, &list[i], app);
	pthread_mutex_unlock(&tasks->lock);
	return r;
}

void task_wake(struct runtime *runtime, const char *name)
{
	struct tasks *tasks = runtime->tasks;
	pthread_mutex_lock(&tasks->lock);
	for (struct runner *runner = tasks->list; runner; runner = runner->next) {
		if (strcmp(runner->task->name, name) == 0) {
			runner->due = true;
			pthread_cond_signal(&runner->wake);
		}
	}
	pthread_mutex_unlock(&tasks->lock);
}

void tasks_stop(struct tasks *tasks)
{
	if (!tasks)
		return;
	pthread_mutex_lock(&tasks->lock);
	atomic_store(&tasks->stopping, true);
	for (struct runner *runner = tasks->list; runner; runner = runner->next)
		pthread_cond_signal(&runner->wake);
	pthread_mutex_unlock(&tasks->lock);
	for (struct runner *runner = tasks->list; runner; runner = runner->next)
		pthread_join(runner->thread, NULL);
	/* Not before: a last run may still wake others, and walks the list. */
	while (tasks->list) {
		struct runner *runner = tasks->list;
		tasks->list = runner->next;
		runner_free(runner);
	}
	pthread_mutex_destroy(&tasks->lock);
	free(tasks);
}

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
