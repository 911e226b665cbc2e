#include "cart/service.h"

#include "base/clock.h"
#include "base/config.h"
#include "cart/cart_api.h"
#include "cart/cart_store.h"
#include "cart/checks.h"
#include "cart/cleanup.h"
#include "cart/metrics.h"
#include "cart/migrations.h"
#include "responder/old_user_ids.h"

/* Generated from openapi.json. */
extern const struct contract cart_contract;
extern const struct binding *const cart_bindings[];

BINDING(createCart) = {
	.mode = RUN_TRANSACTION,
	.handle = cart_api_create,
	.complete = cart_api_created,
};
BINDING(listCarts) = {.mode = RUN_READ, .handle = cart_api_list};
BINDING(getCart) = {.lookup = &cart_api_get};
BINDING(clearCart) = {.mode = RUN_TRANSACTION, .handle = cart_api_clear};
BINDING(addItem) = {.mode = RUN_BLOCKING, .handle = cart_api_add_item, .replay = &cart_api_get};
BINDING(setItem) = {.mode = RUN_BLOCKING, .handle = cart_api_set_item};
BINDING(removeItem) = {.mode = RUN_TRANSACTION, .handle = cart_api_remove_item};
BINDING(refreshCart) = {.mode = RUN_BLOCKING, .handle = cart_api_refresh, .replay = &cart_api_get};
BINDING(mergeCart) = {.mode = RUN_TRANSACTION, .handle = cart_api_merge, .replay = &cart_api_get};
BINDING(openCheckout) = {.mode = RUN_TRANSACTION, .handle = cart_api_open_checkout};
BINDING(consumeCheckout) = {.mode = RUN_TRANSACTION, .handle = cart_api_consume_checkout};
BINDING(releaseCheckout) = {.mode = RUN_TRANSACTION, .handle = cart_api_release_checkout};

static bool renew_user_ids(struct runtime *runtime, void *state UNUSED)
{
	return old_user_ids_renew(runtime, &cart_old_user_ids);
}

static const struct task tasks[] = {
	{.name = "delete-expired-carts", .interval = CART_CLEANUP_INTERVAL, .run = cart_cleanup},
	{.name = "renew-user-ids", .interval = 5 * CLOCK_SECOND, .run = renew_user_ids},
	/* Takes time in proportion to the number of carts. */
	{.name = "count-carts", .interval = 15 * CLOCK_SECOND, .rest = 100, .run = cart_count},
};

static void stop(void *state)
{
	struct cart_app *app = state;

	upstream_free(app->siblings.product);
	free(app);
}

static int start(struct runtime *runtime, void **ret_app)
{
	const char *url = config_url("PRODUCT_SERVICE_URL", "http://127.0.0.1:9001");
	int64_t days = config_int("CART_TTL_DAYS", 30, 1, 3650);
	int64_t carts_max = config_int("CARTS_MAX", 2000000, 2, 1000000000);
	struct upstream_options options = upstream_defaults("product", url);
	struct cart_app *app;

	if (config_failed())
		return -EINVAL;
	app = calloc(1, sizeof(*app));
	int r = app ? upstream_create(&options, &app->siblings.product) : -ENOMEM;
	if (r < 0) {
		free(app);
		return r;
	}
	app->siblings.currency = runtime->currency;
	app->lifetime = days * CLOCK_DAY;
	app->carts_max = carts_max;
	*ret_app = app;
	return 0;
}

static size_t upstreams(void *state, struct upstream **list, size_t size)
{
	const struct cart_app *app = state;

	if (!size)
		return 0;
	list[0] = app->siblings.product;
	return 1;
}

const struct service cart_service = {
	.name = "cart",
	.title = "Cart Service API",
	.contract = &cart_contract,
	.migrations = cart_migrations,
	.migration_count = CART_MIGRATION_COUNT,
	.bindings = cart_bindings,
	.tasks = tasks,
	.task_count = ARRAY_SIZE(tasks),
	.checks = cart_checks,
	.check_count = CART_CHECK_COUNT,
	.default_database = "sqlite:///var/cart.db",
	.blocking_threads = 16,
	.start = start,
	.stop = stop,
	.upstreams = upstreams,
	.metrics = cart_metrics_write,
};
