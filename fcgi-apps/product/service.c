#include "product/service.h"

#include "base/clock.h"
#include "base/embed.h"
#include "product/api.h"
#include "product/checks.h"
#include "product/cleanup.h"
#include "product/metrics.h"
#include "product/migrations.h"
#include "product/prices.h"
#include "product/word_index.h"

EMBED(product_openapi, "product/openapi.json");

static const struct binding bindings[] = {
	{.operation_id = "listProducts",
	 .mode = RUN_READ,
	 .is_lookup = product_api_list_is_lookup,
	 .handle = product_api_list},
	{.operation_id = "createProduct", .mode = RUN_TRANSACTION, .handle = product_api_create},
	{.operation_id = "getProduct", .mode = RUN_LOOKUP, .handle = product_api_get},
	{.operation_id = "replaceProduct", .mode = RUN_TRANSACTION, .handle = product_api_replace},
	{.operation_id = "patchProduct", .mode = RUN_TRANSACTION, .handle = product_api_patch},
	{.operation_id = "deleteProduct", .mode = RUN_TRANSACTION, .handle = product_api_delete},
	{.operation_id = "restoreProduct",
	 .mode = RUN_TRANSACTION,
	 .handle = product_api_restore,
	 .replay = product_api_get},
	{.operation_id = "adjustStock",
	 .mode = RUN_TRANSACTION,
	 .handle = product_api_adjust_stock,
	 .replay = product_api_get},
	{.operation_id = "listStockMovements",
	 .mode = RUN_READ,
	 .handle = product_api_list_movements},
	{.operation_id = "importProducts",
	 .mode = RUN_BLOCKING,
	 .streams_body = true,
	 .handle = product_api_import},
	{.operation_id = "exportProducts", .mode = RUN_BLOCKING, .handle = product_api_export},
	{.operation_id = "holdStock", .mode = RUN_TRANSACTION, .handle = product_api_hold},
	{.operation_id = "shipStock", .mode = RUN_TRANSACTION, .handle = product_api_ship},
	{.operation_id = "releaseStock", .mode = RUN_TRANSACTION, .handle = product_api_release},
};

static const struct task tasks[] = {
	{.name = "index-words", .interval = 5 * CLOCK_SECOND, .run = word_index_catch_up},
	{.name = "purge-tombstones", .interval = 60 * CLOCK_SECOND, .run = product_cleanup},
};

const struct service product_service = {
	.name = "product",
	.title = "Product Service API",
	.openapi = product_openapi,
	.openapi_length = &product_openapi_size,
	.migrations = product_migrations,
	.migration_count = PRODUCT_MIGRATION_COUNT,
	.before_commit = word_index_update,
	.bindings = bindings,
	.binding_count = ARRAY_SIZE(bindings),
	.tasks = tasks,
	.task_count = ARRAY_SIZE(tasks),
	.checks = product_checks,
	.check_count = PRODUCT_CHECK_COUNT,
	.default_database = "sqlite:///var/product.db",
	.check_store = product_prices_check,
	.blocking_threads = 7, /* nginx lets in 4 imports and 3 exports at once (nginx/render.sh) */
	.metrics = product_metrics_write,
};
