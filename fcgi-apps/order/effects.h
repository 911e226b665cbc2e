/*
 * Carrying out what the outbox holds: at once by the request that wrote it, otherwise by a relay.
 * Whoever dies when: a row is there before its effect is tried and until it is known to be done,
 * and doing it twice is doing it once. Thread-safe.
 */
#ifndef ORDER_EFFECTS_H
#define ORDER_EFFECTS_H

#include "base/base.h"
#include "order/app.h"
#include "order/outbox.h"
#include "responder/request.h"

/* The most that one request leaves behind. */
#define ORDER_EFFECTS_PER_REQUEST 2

/* The effect, to be added by a request that will try it itself until its lease runs out. */
struct order_effect order_effect_leased(enum order_effect_kind kind, const struct order *order,
					int64_t now);

/* Tries effects whose rows are committed, once the client has its answer. Where this cannot be
 * arranged, or ends with the process, the relay finds the lease run out. */
void order_effects_after(struct request *request, const struct order_effect *effects, size_t count);

/* Takes what is due to a sibling and tries it: whether to go on at once. */
bool order_effects_relay(const struct order_app *app, enum order_effect_target target);

#endif
