#include "order/service.h"

#include <limits.h>

#include "base/clock.h"
#include "base/config.h"
#include "order/checks.h"
#include "order/cleanup.h"
#include "order/effects.h"
#include "order/metrics.h"
#include "order/migrations.h"
#include "order/order_api.h"
#include "order/order_store.h"
#include "order/sweeper.h"
#include "responder/old_user_ids.h"

/* Generated from openapi.json. */
extern const struct contract order_contract;
extern const struct binding *const order_bindings[];

BINDING(createOrder) = {
	.mode = RUN_BLOCKING,
	.handle = order_api_create,
	.replay = &order_api_replay,
};
BINDING(listOrders) = {.mode = RUN_READ, .handle = order_api_list};
BINDING(getOrder) = {
	.lookup = &order_api_get,
	.mode = RUN_READ,
	.handle = order_api_get_guests,
};
BINDING(setOrderStatus) = {.mode = RUN_BLOCKING, .handle = order_api_set_status};

static bool relay_cart(UNUSED struct runtime *runtime, void *app)
{
	return order_effects_relay(app, ORDER_TARGET_CART, INT64_MAX);
}

static bool relay_product(UNUSED struct runtime *runtime, void *app)
{
	return order_effects_relay(app, ORDER_TARGET_PRODUCT, INT64_MAX);
}

static bool renew_user_ids(struct runtime *runtime, void *app UNUSED)
{
	return old_user_ids_renew(runtime, &order_old_user_ids);
}

static const struct task tasks[] = {
	{.name = ORDER_TASK_RELAY_CART, .interval = CLOCK_SECOND / 2, .run = relay_cart},
	{.name = ORDER_TASK_RELAY_PRODUCT, .interval = CLOCK_SECOND / 2, .run = relay_product},
	{.name = "sweep", .interval = CLOCK_SECOND / 4, .run = order_sweep},
	{.name = "delete-rejected-orders", .interval = 60 * CLOCK_SECOND, .run = order_cleanup},
	{.name = "renew-user-ids", .interval = 5 * CLOCK_SECOND, .run = renew_user_ids},
	/* Takes time in proportion to the number of orders. */
	{.name = "count-orders",
	 .interval = 15 * CLOCK_SECOND,
	 .rest = 100,
	 .run = order_metrics_count},
};

static void stop(void *argument)
{
	struct order_app *app = argument;

	/* Otherwise the next process would carry them out again. */
	if (app->done)
		order_effects_write_done(app);
	upstream_free(app->siblings.cart);
	upstream_free(app->siblings.product);
	order_done_free(app->done);
	free(app);
}

#define TOKENS_WANTED "a folder with the files cart and product, each the token for calls to it"

/* Names the file with the token for calls to a sibling. */
static void set_credential(const char *folder, struct upstream_options *options,
			   char path[PATH_MAX])
{
	if (!folder)
		return;
	snprintf(path, PATH_MAX, "%s/%s", folder, options->name);
	options->credential = path;
}

/* A credential that cannot be read is a bad setting as well. */
static int create_upstream(const struct upstream_options *options, struct upstream **ret_upstream)
{
	int r = upstream_create(options, ret_upstream);

	if (r == -EIO || (r == -EINVAL && options->credential))
		config_reject("SERVICE_TOKENS", options->credential, TOKENS_WANTED);
	return r;
}

static int start(struct runtime *runtime, void **ret_app)
{
	struct upstream_options product = upstream_defaults(
		"product", config_url("PRODUCT_SERVICE_URL", "http://127.0.0.1:9001"));
	struct upstream_options cart =
		upstream_defaults("cart", config_url("CART_SERVICE_URL", "http://127.0.0.1:9002"));
	const char *tokens = config_text("SERVICE_TOKENS", NULL);
	char product_token[PATH_MAX], cart_token[PATH_MAX];
	struct order_app *app;

	/* Siblings that ask nobody take them as well: so AUTH can be turned on one by one. */
	if (runtime->guard && !tokens)
		config_reject("SERVICE_TOKENS", "", TOKENS_WANTED);
	if (config_failed())
		return -EINVAL;
	set_credential(tokens, &product, product_token);
	set_credential(tokens, &cart, cart_token);
	app = calloc(1, sizeof(*app));
	if (!app)
		return -ENOMEM;
	app->runtime = runtime;
	app->siblings.currency = runtime->currency;
	for (size_t i = 0; i < ORDER_STATUS_COUNT; i++)
		atomic_init(&app->status_counts[i], ORDER_NOT_COUNTED);
	int r = create_upstream(&product, &app->siblings.product);
	if (!r)
		r = create_upstream(&cart, &app->siblings.cart);
	app->done = order_done_create();
	if (!r && !app->done)
		r = -ENOMEM;
	if (r) {
		stop(app);
		return r;
	}
	*ret_app = app;
	return 0;
}

static void recover(void *app)
{
	order_recover(app, INT64_MAX);
}

static size_t upstreams(void *argument, struct upstream **list, size_t size)
{
	const struct order_app *app = argument;
	struct upstream *all[] = {app->siblings.cart, app->siblings.product};
	size_t number = ARRAY_SIZE(all) < size ? ARRAY_SIZE(all) : size;

	memcpy(list, all, number * sizeof(*list));
	return number;
}

const struct service order_service = {
	.name = "order",
	.title = "Order Service API",
	.contract = &order_contract,
	.migrations = order_migrations,
	.migration_count = ORDER_MIGRATION_COUNT,
	.bindings = order_bindings,
	.tasks = tasks,
	.task_count = ARRAY_SIZE(tasks),
	.checks = order_checks,
	.check_count = ORDER_CHECK_COUNT,
	.sibling_check = &order_owner_check,
	.default_database = "sqlite:///var/order.db",
	.session = true,
	.blocking_threads = 32,
	.start = start,
	.stop = stop,
	.recover = recover,
	.upstreams = upstreams,
	.metrics = order_metrics_write,
};
