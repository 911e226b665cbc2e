/*
 * Opens a store's remaining connections while it is already in use, because each is expensive for a
 * server: one after the other, each after a pause of up to twice the time that the previous one
 * took. So many workers that start at once can serve with two connections each, and do not
 * overwhelm a slow server with the others. Internal to storage/.
 */
#ifndef STORAGE_OPENER_H
#define STORAGE_OPENER_H

#include "storage/driver.h"
#include "storage/pool.h"
#include "storage/writer.h"

struct opener;

/* Gives this many connections to readers and writer, however long it takes; writer may be NULL.
 * shared, and everything that the options point to, must stay until opener_stop(). -ENOMEM. */
MUST_CHECK int opener_start(const struct db_options *options, const struct db_driver *driver,
			    void *shared, struct pool *readers, size_t reader_count,
			    struct writer *writer, size_t writer_count, struct opener **ret_opener);

/* Waits for the attempt in progress and gives up the rest. Takes NULL. */
void opener_stop(struct opener *opener);

#endif
