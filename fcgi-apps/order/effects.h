/*
 * Carries out the effects in the outbox: the request that wrote them does so before it answers; a
 * relay does the rest. An effect's row exists before the effect is tried, and until it is known to
 * be done; an effect carried out twice takes effect once. So nothing is lost or doubled, whichever
 * process dies, at whatever moment. Thread-safe.
 */
#ifndef ORDER_EFFECTS_H
#define ORDER_EFFECTS_H

#include "base/base.h"
#include "order/outbox_store.h"
#include "order/service.h"
#include "responder/request.h"
#include "responder/response.h"

/* Adds an effect to the outbox, leased to this request, which will try it itself, and to the list
 * of what it is to try. Inside the transaction that decides the order. */
int order_effects_add(struct db_conn *conn, struct order_effects *effects,
		      enum order_effect_kind kind, const struct order *order, int64_t now);

/* Tries effects whose rows are committed, for a second at most and within the request's deadline,
 * so that whoever gets the answer finds them done; where it is a 404 or 5xx, once it is out. What
 * is not done then is left to the relay, and so is everything where memory has run out. Only in
 * RUN_BLOCKING, once a request, as its last act. */
void order_effects_carry_out(struct request *request, const struct response *response,
			     const struct order_effects *effects);

/* Tries effects of another order until call->deadline, even if others try them too, and records
 * the results. True: all are done. */
bool order_effects_of_another(const struct order_app *app, const struct order_call *call,
			      const struct order_effects *effects);

/* What requests have carried out is deleted from the outbox a little later, by the sweeper and at
 * the end, many with one commit. What is lost of it with the process is tried once more. */
struct order_done *order_done_create(void); /* NULL: out of memory */
void order_done_free(struct order_done *done);
void order_effects_write_done(const struct order_app *app);

/* Claims the effects that are due at a sibling and tries them until the end (clock_monotonic()),
 * but no longer than their lease allows. True: continue at once. */
bool order_effects_relay(const struct order_app *app, enum order_effect_target target, int64_t end);

#endif
