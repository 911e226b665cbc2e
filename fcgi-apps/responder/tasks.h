/*
 * The threads of background tasks (struct task), one each. task_wake() may be called by any thread;
 * starting and stopping is for the thread that starts and stops the process.
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

#endif
