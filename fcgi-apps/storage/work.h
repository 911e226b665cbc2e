/* Work that is handed to a store (db.h), and the figures it keeps of it. */
#ifndef STORAGE_WORK_H
#define STORAGE_WORK_H

#include "storage/conn.h"

/* A transaction whose end is told later. The caller owns the job until done is called, which
 * happens exactly once, on the writer thread, after the commit or roll-back; result is the
 * function's own or the store's error. done may free the job; it must be quick. */
struct db_job {
	db_function *function;
	void (*done)(struct db_job *job, int result);
	void *argument;
	struct db_job *next; /* from here on the store's own */
	int result;
	unsigned attempts;
};

/* When a read that may take long ends before its time. */
struct db_watch {
	int64_t deadline; /* clock_monotonic() */
	/* 0, or the error to end with. Called on the thread of the read, often on SQLite, which
	 * computes there, and at the end of one that failed. From the deadline on it is an error.
	 */
	int (*look)(void *argument);
	void *argument;
};

/* A read by one statement. Its functions run on the thread that called db_read_batch(). */
struct db_batched {
	struct db_statement statement; /* the caller's to release */
	/* Walks the rows, which end with it. Not called where the store fails, else once. */
	int (*answer)(void *argument, struct db_rows *rows);
	/* Called exactly once, as soon as the result of answer is there; or with an error of the
	 * store. */
	void (*done)(void *argument, int result);
	void *argument;
	enum { DB_BATCHED, DB_BATCHED_ASKED, DB_BATCHED_DONE } state; /* the store's own */
};

/* Reads of a batch, at most: more save little, and the last waits for all. */
#define DB_BATCH_MAX 16

/* Figures for /metrics. */
struct db_stats {
	int64_t commits; /* groups */
	int64_t jobs;    /* transactions inside them */
	int64_t retries; /* functions run again */
	int64_t waiting; /* jobs queued now */
	int64_t readers_in_use;
	int64_t readers;
	int64_t reader_timeouts; /* reads given up since no connection was free in time */
};

#endif
