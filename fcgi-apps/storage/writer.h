/*
 * Runs transactions: a queue of jobs, served by as many threads as there are connections. A thread
 * takes what waits, up to the driver's group limit, runs each job in its savepoint, commits once,
 * and then tells the jobs. While a group is on its way to the disk the next one gathers; nobody
 * waits for company. A caller that waits for its transaction anyway runs it itself, where there are
 * several connections, one is idle and no job waits. Thread-safe.
 */
#ifndef STORAGE_WRITER_H
#define STORAGE_WRITER_H

#include "storage/driver.h"

struct writer;

/* Takes over the connections (driver->writers at most) on success. */
MUST_CHECK int writer_start(const struct db_driver *driver, struct db_conn *const *conns,
			    size_t count, const struct db_options *options,
			    struct writer **ret_writer);

/* Takes over one more, up to driver->writers in all. -ENOMEM. One thread at a time, which ends
 * before writer_stop(). */
MUST_CHECK int writer_add(struct writer *writer, struct db_conn *conn);

/* Refuses new jobs, runs those queued, closes the connections. Takes NULL. */
void writer_stop(struct writer *writer);

/* As db_submit and db_transaction. */
MUST_CHECK int writer_submit(struct writer *writer, struct db_job *job);
MUST_CHECK int writer_run(struct writer *writer, db_function *function, void *argument);

/* Fills commits, jobs, retries and waiting. */
void writer_stats(struct writer *writer, struct db_stats *ret_stats);

#endif
