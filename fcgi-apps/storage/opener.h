/*
 * Opens the rest of a store's connections beside its work, where each is dear to a server: one
 * after the other, and each after a pause of up to twice the time that the one before took. Many
 * workers that start at once need two connections each to serve, and do not overwhelm a slow server
 * with all others. Internal to storage/.
 */
#ifndef STORAGE_OPENER_H
#define STORAGE_OPENER_H

#include "storage/driver.h"
#include "storage/pool.h"
#include "storage/writer.h"

struct opener;

/* Gives so many connections to each, however long it takes; writer may be NULL. What the options
 * point to and shared must stay until opener_stop(). -ENOMEM. */
MUST_CHECK int opener_start(const struct db_options *options, const struct db_driver *driver,
			    void *shared, struct pool *readers, size_t reader_count,
			    struct writer *writer, size_t writer_count, struct opener **ret_opener);

/* Gives up what is not open yet, after the attempt under way. Takes NULL. */
void opener_stop(struct opener *opener);

#endif
