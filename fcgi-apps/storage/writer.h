/*
 * Runs transactions: a queue of jobs, served by as many threads as there are connections. A thread
 * takes the waiting jobs, up to the driver's group limit, runs each in a savepoint, commits once,
 * and then calls each job's done. While one group is being written to the disk, the next gathers;
 * no job waits for company. writer_run() uses the caller's own thread if there are several
 * connections, one of them is idle, and no job waits. Thread-safe.
 */
#ifndef STORAGE_WRITER_H
#define STORAGE_WRITER_H

#include "storage/driver.h"

struct writer;

/* Takes over the connections (driver->writers at most) on success. */
MUST_CHECK int writer_start(const struct db_driver *driver, struct db_conn *const *conns,
			    size_t count, const struct db_options *options,
			    struct writer **ret_writer);

/* Takes over one more, up to driver->writers in all. -ENOMEM. For one thread at a time, which must
 * end before writer_stop(). */
MUST_CHECK int writer_add(struct writer *writer, struct db_conn *conn);

/* Refuses new jobs, runs the queued ones, closes the connections. Takes NULL. */
void writer_stop(struct writer *writer);

/* As db_submit and db_transaction. */
MUST_CHECK int writer_submit(struct writer *writer, struct db_job *job);
MUST_CHECK int writer_run(struct writer *writer, db_function *function, void *argument);

/* Fills commits, jobs, retries and waiting. */
void writer_stats(struct writer *writer, struct db_stats *ret_stats);

#endif
