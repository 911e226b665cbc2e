/*
 * Reads whose statements travel together (db_read_batch). Internal to storage/.
 */
#ifndef STORAGE_BATCH_H
#define STORAGE_BATCH_H

#include "storage/pool.h"

/* Runs those of the reads that can go together; the others are left in state DB_BATCHED. */
void batch_read(struct pool *pool, struct db_batched *reads, size_t count);

#endif
