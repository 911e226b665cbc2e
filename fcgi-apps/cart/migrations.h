/* The steps of the cart service's schema (storage/options.h). */
#ifndef CART_MIGRATIONS_H
#define CART_MIGRATIONS_H

#include "storage/options.h"

#define CART_MIGRATION_COUNT 5

extern const struct db_migration cart_migrations[CART_MIGRATION_COUNT];

#endif
