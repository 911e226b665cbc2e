#include "product/service.h"

#include "base/clock.h"
#include "product/checks.h"
#include "product/cleanup.h"
#include "product/currency.h"
#include "product/metrics.h"
#include "product/migrations.h"
#include "product/product_api.h"
#include "product/word_index.h"

/* Generated from openapi.json. */
extern const struct contract product_contract;
extern const struct binding *const product_bindings[];

BINDING(listProducts) = {
	.lookup = &product_api_list_lookup,
	.mode = RUN_READ,
	.handle = product_api_list,
};
BINDING(createProduct) = {.mode = RUN_TRANSACTION, .handle = product_api_create};
BINDING(getProduct) = {.lookup = &product_api_get};
BINDING(replaceProduct) = {.mode = RUN_TRANSACTION, .handle = product_api_replace};
BINDING(patchProduct) = {.mode = RUN_TRANSACTION, .handle = product_api_patch};
BINDING(deleteProduct) = {.mode = RUN_TRANSACTION, .handle = product_api_delete};
BINDING(restoreProduct) = {
	.mode = RUN_TRANSACTION,
	.handle = product_api_restore,
	.replay = &product_api_get,
};
BINDING(adjustStock) = {
	.mode = RUN_TRANSACTION,
	.handle = product_api_adjust_stock,
	.replay = &product_api_get,
};
BINDING(listStockMovements) = {.mode = RUN_READ, .handle = product_api_list_movements};
BINDING(importProducts) = {
	.mode = RUN_BLOCKING,
	.streams_body = true,
	.handle = product_api_import,
};
BINDING(exportProducts) = {.mode = RUN_BLOCKING, .handle = product_api_export};
BINDING(holdStock) = {.mode = RUN_TRANSACTION, .handle = product_api_hold};
BINDING(shipStock) = {.mode = RUN_TRANSACTION, .handle = product_api_ship};
BINDING(releaseStock) = {.mode = RUN_TRANSACTION, .handle = product_api_release};

static const struct task tasks[] = {
	{.name = "index-words", .interval = 5 * CLOCK_SECOND, .run = word_index_catch_up},
	{.name = "purge-tombstones", .interval = 60 * CLOCK_SECOND, .run = product_cleanup},
};

const struct service product_service = {
	.name = "product",
	.title = "Product Service API",
	.contract = &product_contract,
	.migrations = product_migrations,
	.migration_count = PRODUCT_MIGRATION_COUNT,
	.before_commit = word_index_update,
	.bindings = product_bindings,
	.tasks = tasks,
	.task_count = ARRAY_SIZE(tasks),
	.checks = product_checks,
	.check_count = PRODUCT_CHECK_COUNT,
	.default_database = "sqlite:///var/product.db",
	.check_store = product_currency_check,
	.blocking_threads = 7, /* nginx admits 4 imports and 3 exports at once (nginx/render.sh) */
	.metrics = product_metrics_write,
};
