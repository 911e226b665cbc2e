#include "order/effects.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "upstream/backoff.h"

/* How long a holder tries, and how long its lease keeps others away. The difference is for its last
 * commit. */
#define TRY_TIME   (4 * CLOCK_SECOND)
#define LEASE_TIME (6 * CLOCK_SECOND)
_Static_assert(TRY_TIME < LEASE_TIME && LEASE_TIME < ORDER_LEASE_MAX,
	       "never tried without a lease");

/* How long an answer waits for its effects, and how much of the request's time is left to send
 * it. */
#define VISIBLE_TIME CLOCK_SECOND
#define ANSWER_TIME  (CLOCK_SECOND / 4)

/* The limit for one effect of a batch, so that it does not use up everyone's time. */
#define TRY_TIME_EACH (2 * CLOCK_SECOND)
#define BATCH         16

/* Short enough that all effects are done within 10 s of a sibling's return, after any outage. */
#define RETRY_BASE    (CLOCK_SECOND / 2)
#define RETRY_LONGEST (4 * CLOCK_SECOND)

/* How many done effects are kept until they are deleted together. */
#define DONE_MAX 64

#define REFUSED_PAUSE (30 * CLOCK_SECOND)
_Static_assert(REFUSED_PAUSE < ORDER_LEASE_MAX, "the longest of all");

int order_effects_add(struct db_conn *conn, struct order_effects *effects,
		      enum order_effect_kind kind, const struct order *order, int64_t now)
{
	assert(effects->count < ORDER_EFFECTS_MAX);
	struct order_effect *effect = &effects->list[effects->count++];

	*effect = (struct order_effect){.kind = kind, .leased_until = now + LEASE_TIME};
	memcpy(effect->order_id, order->id, sizeof(effect->order_id));
	memcpy(effect->cart_id, order->cart_id, sizeof(effect->cart_id));
	return order_outbox_add(conn, effect, now);
}

enum result {
	UNREACHABLE, /* or not tried, because the time was up */
	DONE,
	REFUSED,
};

static int call_sibling(const struct order_siblings *siblings, const struct order_call *call,
			const struct order_effect *effect)
{
	switch (effect->kind) {
	case ORDER_CONSUME_CART:
		return order_cart_consume(siblings, call, effect->cart_id, effect->order_id);
	case ORDER_RELEASE_CART:
		return order_cart_release(siblings, call, effect->cart_id, effect->order_id);
	case ORDER_RELEASE_STOCK:
		return order_stock_release(siblings, call, effect->order_id);
	case ORDER_SHIP_STOCK:
		return order_stock_ship(siblings, call, effect->order_id);
	}
	return -EINVAL;
}

/* 409 from the cart: the checkout has been released or consumed already, so nothing is left to do.
 * 409 from product: goods that cannot be released or shipped need a human. Any other status, even
 * 404, does not come from the sibling but from something in its place, and proves nothing. */
static enum result judge(enum order_effect_kind kind, int status)
{
	bool releases = kind == ORDER_RELEASE_CART || kind == ORDER_RELEASE_STOCK;

	if (status == (releases ? 204 : 200))
		return DONE;
	if (status != 409)
		return UNREACHABLE;
	return order_effect_target(kind) == ORDER_TARGET_CART ? DONE : REFUSED;
}

static enum result try_effect(const struct order_siblings *siblings, const struct order_call *call,
			      const struct order_effect *effect)
{
	int status = failpoint("before_effect");

	if (status == 0)
		status = call_sibling(siblings, call, effect);
	if (failpoint("after_effect") < 0)
		status = -EIO;
	if (status < 0) {
		log_write(LOG_WARN, "effect of an order not carried out yet",
			  log_text("order.effect", order_effect_name(effect->kind)),
			  log_text("order.id", effect->order_id), log_error_code(status));
		return UNREACHABLE;
	}
	enum result result = judge(effect->kind, status);

	if (result != DONE)
		log_write(LOG_ERROR, "effect of an order refused, it will be tried again",
			  log_text("order.effect", order_effect_name(effect->kind)),
			  log_text("order.id", effect->order_id),
			  log_int("http.response.status_code", status));
	return result;
}

struct run {
	const struct order_effect *effects;
	enum result results[BATCH];
	size_t count;
};

static int write_results(struct db_conn *conn, void *argument)
{
	const struct run *run = argument;
	int64_t now = clock_now();
	int r = 0;

	for (size_t i = 0; i < run->count && !r; i++) {
		const struct order_effect *effect = &run->effects[i];

		switch (run->results[i]) {
		case DONE:
			r = order_outbox_done(conn, effect);
			break;
		case UNREACHABLE:
			r = order_outbox_retry(
				conn, effect,
				now + backoff_delay(RETRY_BASE, RETRY_LONGEST, effect->attempts));
			break;
		case REFUSED:
			r = order_outbox_retry(conn, effect, now + REFUSED_PAUSE);
			break;
		}
	}
	return r;
}

/* Returns how many were done. If the process ends before write_down(), they are tried once more. */
static size_t try_all(const struct order_app *app, struct order_call call, int64_t end,
		      struct run *run)
{
	size_t done = 0;

	assert(run->count <= BATCH);
	for (size_t i = 0; i < run->count; i++) {
		int64_t now = clock_monotonic();

		if (now >= end)
			break;
		call.deadline = end - now < TRY_TIME_EACH ? end : now + TRY_TIME_EACH;
		run->results[i] = try_effect(&app->siblings, &call, &run->effects[i]);
		done += run->results[i] == DONE;
	}
	return done;
}

static void write_down(const struct order_app *app, struct run *run)
{
	int r = db_transaction(app->runtime->db, write_results, run);

	if (r < 0)
		log_write(LOG_ERROR, "cannot write down which effects are done", log_error_code(r));
}

/* ---- what is done --------------------------------------------------------------------------- */

struct done_list {
	size_t count;
	struct order_effect effects[DONE_MAX];
};

struct order_done {
	pthread_mutex_t lock; /* guards the list */
	struct done_list list;
};

struct order_done *order_done_create(void)
{
	struct order_done *done = calloc(1, sizeof(*done));

	if (done)
		pthread_mutex_init(&done->lock, NULL);
	return done;
}

void order_done_free(struct order_done *done)
{
	if (!done)
		return;
	pthread_mutex_destroy(&done->lock);
	free(done);
}

static int delete_done(struct db_conn *conn, void *argument)
{
	const struct done_list *list = argument;
	int r = 0;

	for (size_t i = 0; i < list->count && !r; i++)
		r = order_outbox_done(conn, &list->effects[i]);
	return r;
}

void order_effects_write_done(const struct order_app *app)
{
	pthread_mutex_lock(&app->done->lock);
	struct done_list taken = app->done->list;
	app->done->list.count = 0;
	pthread_mutex_unlock(&app->done->lock);
	if (taken.count == 0)
		return;
	int r = db_transaction(app->runtime->db, delete_done, &taken);
	if (r < 0)
		log_write(LOG_WARN, "effects that are done will be tried again",
			  log_int("order.count", (int64_t)taken.count), log_error_code(r));
}

/* False: there is no room, or some are not done. */
static bool note_done(struct order_done *done, const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		if (run->results[i] != DONE)
			return false;
	}
	pthread_mutex_lock(&done->lock);
	struct done_list *list = &done->list;
	bool room = list->count + run->count <= DONE_MAX;

	if (room) {
		memcpy(list->effects + list->count, run->effects,
		       run->count * sizeof(run->effects[0]));
		list->count += run->count;
	}
	pthread_mutex_unlock(&done->lock);
	return room;
}

/* ---- by the request ------------------------------------------------------------------------- */

struct own {
	const struct order_app *app;
	struct order_effects effects;
	struct run run;
	bool tried;
	char request_id[REQUEST_ID_SIZE];
	char traceparent[TRACEPARENT_SIZE];
};

static void try_own(struct own *own, int64_t end)
{
	try_all(own->app,
		(struct order_call){.request_id = own->request_id, .traceparent = own->traceparent},
		end, &own->run);
	own->tried = true;
}

/* Clients already see the effects. The record that they are done can wait and share a commit. */
static void finish(void *argument)
{
	struct own *own = argument;

	if (!own->tried)
		try_own(own, clock_monotonic() + TRY_TIME);
	if (!note_done(own->app->done, &own->run)) {
		write_down(own->app, &own->run);
		order_effects_write_done(own->app);
	}
	free(own);
}

void order_effects_carry_out(struct request *request, const struct response *response,
			     const struct order_effects *effects)
{
	int64_t end = clock_monotonic() + VISIBLE_TIME;
	int64_t latest = request->deadline - ANSWER_TIME;
	struct own *own;

	if (effects->count == 0)
		return;
	own = calloc(1, sizeof(*own));
	if (!own)
		return;
	own->app = request->app;
	own->effects = *effects;
	own->run.effects = own->effects.list;
	own->run.count = effects->count;
	memcpy(own->request_id, request->request_id, sizeof(own->request_id));
	memcpy(own->traceparent, request->traceparent, sizeof(own->traceparent));
	/* An error promises no effects. Neither does a 404: it must not take longer where the cart
	 * is another's than where there is none, which leaves no effect. */
	if (response->status < 500 && response->status != 404)
		try_own(own, end < latest ? end : latest);
	request_after(request, finish, own);
}

bool order_effects_of_another(const struct order_app *app, const struct order_call *call,
			      const struct order_effects *effects)
{
	struct run run = {.effects = effects->list, .count = effects->count};
	size_t done = try_all(app, *call, call->deadline, &run);

	if (run.count > 0)
		write_down(app, &run);
	return done == run.count;
}

/* ---- the relay ------------------------------------------------------------------------------ */

struct claim {
	enum order_effect_target target;
	struct order_effect effects[BATCH];
	int count;
};

static int claim_due(struct db_conn *conn, void *argument)
{
	struct claim *claim = argument;
	int64_t now = clock_now();

	claim->count = order_outbox_claim(conn, claim->target, now, now + LEASE_TIME,
					  claim->effects, BATCH);
	return claim->count < 0 ? claim->count : 0;
}

static int any_due(struct db_conn *conn, void *argument)
{
	struct claim *claim = argument;

	claim->count = order_outbox_any_due(conn, claim->target, clock_now());
	return claim->count < 0 ? claim->count : 0;
}

bool order_effects_relay(const struct order_app *app, enum order_effect_target target, int64_t end)
{
	int64_t latest = clock_monotonic() + TRY_TIME;
	struct claim claim = {.target = target};
	struct run run = {.effects = claim.effects};
	size_t done = 0;
	/* Reading first keeps an idle relay out of the write transactions. */
	int r = db_read(app->runtime->db, any_due, &claim);

	if (r == 0 && claim.count == 0)
		return false;
	if (r == 0)
		r = db_transaction(app->runtime->db, claim_due, &claim);
	if (r == 0)
		r = failpoint("after_claim");
	if (r < 0) {
		log_write(LOG_ERROR, "cannot read the outbox", log_error_code(r));
		return false;
	}
	run.count = (size_t)claim.count;
	if (run.count > 0) {
		done = try_all(app, (struct order_call){0}, end < latest ? end : latest, &run);
		write_down(app, &run);
	}
	/* Continues at once only if the sibling answered: otherwise the rest waits. */
	return run.count == BATCH && done > 0;
}
