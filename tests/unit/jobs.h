/*
 * What the tests of the writer share: a store, a gate that jobs gather behind, and jobs that
 * remember what they were told.
 */
#ifndef TESTS_UNIT_JOBS_H
#define TESTS_UNIT_JOBS_H

#include "items.h"

#include <semaphore.h>

#define JOBS 64

static int insert(struct db_conn *conn, void *argument)
{
	int64_t r = db_run(conn, "INSERT INTO items VALUES ($1, 1)", DB_VALUES(db_text(argument)));
	return r < 0 ? (int)r : 0;
}

/* Holds all writers back until it is opened, so that jobs gather behind it: one on SQLite, up to
 * WRITERS of them elsewhere. */
#define WRITERS 8

struct gate {
	struct db_job jobs[WRITERS];
	size_t count;
	sem_t entered, open, left;
};

static int wait_at_gate(UNUSED struct db_conn *conn, void *argument)
{
	struct gate *gate = argument;
	sem_post(&gate->entered);
	sem_wait(&gate->open);
	return 0;
}

static void leave_gate(struct db_job *job, int result)
{
	struct gate *gate = job->argument;
	ck_assert_int_eq(result, 0);
	sem_post(&gate->left);
}

static void gate_close(struct gate *gate)
{
	*gate = (struct gate){.count = store_is_postgres() ? WRITERS : 1};
	sem_init(&gate->entered, 0, 0);
	sem_init(&gate->open, 0, 0);
	sem_init(&gate->left, 0, 0);
	for (size_t i = 0; i < gate->count; i++) {
		gate->jobs[i] = (struct db_job){
			.function = wait_at_gate, .done = leave_gate, .argument = gate};
		ck_assert_int_eq(db_submit(db, &gate->jobs[i]), 0);
		sem_wait(&gate->entered);
	}
}

/* Returns when those who held it are through: they are counted, and the gate may go. */
static void gate_open(struct gate *gate)
{
	for (size_t i = 0; i < gate->count; i++)
		sem_post(&gate->open);
	for (size_t i = 0; i < gate->count; i++)
		sem_wait(&gate->left);
}

/* A job that remembers what it was told. */
struct task {
	struct db_job job;
	db_function *function;
	char id[16];
	int runs;
	int told;
	int result;
	sem_t *all;
};

static int run_task(struct db_conn *conn, void *argument)
{
	struct task *task = argument;
	task->runs++;
	return task->function(conn, task);
}

static void task_done(struct db_job *job, int result)
{
	struct task *task = job->argument;
	task->told++;
	task->result = result;
	sem_post(task->all);
}

static int insert_task(struct db_conn *conn, void *argument)
{
	struct task *task = argument;
	return insert(conn, task->id);
}

static UNUSED int insert_and_fail(struct db_conn *conn, void *argument)
{
	int r = insert_task(conn, argument);
	return r ? r : -EDOM;
}

/* Submits all of them behind a gate, so that they are one group, and waits for the last. */
static UNUSED void run_together(struct task tasks[JOBS])
{
	sem_t all;
	struct gate gate;
	sem_init(&all, 0, 0);
	gate_close(&gate);
	for (int i = 0; i < JOBS; i++) {
		struct task *task = &tasks[i];
		snprintf(task->id, sizeof(task->id), "id%d", i);
		if (!task->function)
			task->function = insert_task;
		task->job =
			(struct db_job){.function = run_task, .done = task_done, .argument = task};
		task->all = &all;
		ck_assert_int_eq(db_submit(db, &task->job), 0);
	}
	gate_open(&gate);
	for (int i = 0; i < JOBS; i++)
		sem_wait(&all);
	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(tasks[i].told, 1);
}

#endif
