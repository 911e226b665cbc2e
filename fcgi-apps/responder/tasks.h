/*
 * The threads of background tasks (struct task), one each. Starting and stopping is for the thread
 * that starts and stops the process; the rest is thread-safe.
 */
#ifndef RESPONDER_TASKS_H
#define RESPONDER_TASKS_H

#include "responder/service.h"

struct tasks;

/* None so far. -ENOMEM. */
int tasks_create(struct runtime *runtime, struct tasks **ret_tasks);

/* Starts a thread for each task of the list, which stays the caller's. -ENOMEM, -EAGAIN: only some
 * could be started. */
int tasks_start(struct tasks *tasks, const struct task *list, size_t count, void *app);

/* Ends the threads after the run they are in, and frees. Takes NULL. */
void tasks_stop(struct tasks *tasks);

/* Runs the task soon. */
void task_wake(struct runtime *runtime, const char *name);

/*
 * For a task that deletes what has expired, a batch in each transaction: purge deletes at most
 * limit rows and returns how many, or a negative error, which is logged with the message. Returns
 * whether more may be waiting.
 */
bool task_purge(struct runtime *runtime, int64_t (*purge)(struct db_conn *conn, int64_t limit),
		int64_t limit, const char *message);

#endif
