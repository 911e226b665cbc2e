/* Work for a store (db.h), and the figures that the store keeps about it. */
#ifndef STORAGE_WORK_H
#define STORAGE_WORK_H

#include "storage/conn.h"

/* A transaction whose end is reported later. The caller keeps the job until done is called, which
 * happens exactly once, on the writer's thread, after the commit or roll-back; result is the
 * function's result or the store's error. done may free the job; it must be quick. */
struct db_job {
	db_function *function;
	void (*done)(struct db_job *job, int result);
	void *argument;
	struct db_job *next; /* this and the following members are for the store */
	int result;
	unsigned attempts;
};

/* When to abort a read that may take long. */
struct db_watch {
	int64_t deadline; /* clock_monotonic() */
	/* 0, or the error to end with. Called on the thread of the read: often on SQLite, which
	 * computes there, and after a read has failed. From the deadline on it returns an error. */
	int (*look)(void *argument);
	void *argument;
};

/* A read by one statement. Its functions run on the thread that called db_read_batch(). */
struct db_batched {
	struct db_statement statement; /* the caller's to release */
	/* Reads the rows, which are valid only during the call. Called once, unless the store
	 * fails. */
	int (*answer)(void *argument, struct db_rows *rows);
	/* Called exactly once: with the result of answer, as soon as that returns, or with an error
	 * of the store. */
	void (*done)(void *argument, int result);
	void *argument;
	enum { DB_BATCHED, DB_BATCHED_ASKED, DB_BATCHED_DONE } state; /* for the store */
};

/* The most reads in a batch: more would save little, and the last one waits for all. */
#define DB_BATCH_MAX 16

/* Figures for /metrics. */
struct db_stats {
	int64_t commits; /* groups */
	int64_t jobs;    /* transactions inside them */
	int64_t retries; /* functions run again */
	int64_t waiting; /* jobs queued now */
	int64_t readers_in_use;
	int64_t readers;
	int64_t reader_timeouts; /* reads given up because no connection was free in time */
};

#endif
