/* What the tests of the database share: a store with the tables of store_schema, open as "db". */
#ifndef TESTS_UNIT_ITEMS_H
#define TESTS_UNIT_ITEMS_H

#include "store.h"

static struct db *db;

static void set_up(void)
{
	store_prepare();
	db = store_open();
}

static void tear_down(void)
{
	db_close(db);
	store_remove();
}

#endif
