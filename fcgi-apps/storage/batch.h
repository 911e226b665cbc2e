/*
 * Reads whose statements travel together (db_read_batch). Internal to storage/.
 */
#ifndef STORAGE_BATCH_H
#define STORAGE_BATCH_H

#include "storage/driver.h"

struct batch {
	struct db_batched *reads;
	size_t count;
	bool begun; /* set by batch_read() */
};

/* A db_function of a read, whose argument is the batch: runs the reads that can be sent together,
 * and leaves the others in state DB_BATCHED. Always returns 0. */
int batch_read(struct db_conn *conn, void *argument);

#endif
