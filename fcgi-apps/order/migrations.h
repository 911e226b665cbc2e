/* The order service's schema, as numbered steps for storage/options.h. */
#ifndef ORDER_MIGRATIONS_H
#define ORDER_MIGRATIONS_H

#include "storage/options.h"

#define ORDER_MIGRATION_COUNT 8

extern const struct db_migration order_migrations[ORDER_MIGRATION_COUNT];

#endif
