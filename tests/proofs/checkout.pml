/*
 * The checkout protocol of order/checkout.c, order/effects.c and order/sweeper.c against
 * cart/checkout_store.c and product/reservation_store.c, for spin. docs/CHECKOUT.md tells the
 * protocol; tests/proofs/model.sh checks this file, and that it fails once one of the things it
 * relies on is taken away:
 *
 *	-DNO_STOCK_TOMBSTONE     releasing an unknown reservation leaves no mark
 *	-DNO_CART_TOMBSTONE      releasing an unknown checkout leaves no mark
 *	-DNO_CONDITIONAL_COMMIT  an order is placed without looking whether it is still being placed
 *	-DNO_SAGA_CONDITION      it is placed as long as the lease runs, whoever has decided it
 *	-DNO_LEASE_CONDITION     it is placed as long as nobody has decided it, however late: breaks
 *	                         no more than the claim in_time
 *	-DNO_SWEEPER             nobody rejects what a dead request left behind
 *
 * One step is one database transaction. Between any two steps any other process may run for as long
 * as it likes, so a paused thread, a slow one and a late message need no extra words. There is no
 * clock: a deadline may pass and a lease may run out at any moment. Clocks of replicas differ: what
 * a sweeper thinks of a lease says nothing about what the request will find.
 *
 * The network: once the transaction before it is committed, a message may arrive at any time, any
 * number of times, or never. A caller gets the answer to an attempt of its own, as late as may be,
 * or gives up.
 *
 * Deaths: a request may die before each of its steps and never comes back (a client's next try is
 * another order). Threads die singly, so the death of a whole worker is among the runs. A relay that
 * dies, gives up or loses its lease leaves the row and, perhaps, a message that arrives: to the rest
 * of the world that is Network delivering without an answer, so it may happen without limit. Relay
 * stands for whoever holds the row at last, a request or a relay, of this worker or a replica.
 *
 * Bounds: two orders; CARTS (1: both order the same cart, 2: one each); one product; 1 unit in each
 * cart, and at most 1 more added to the first one at any time; 1 or 2 units in stock. Left out:
 * Idempotency-Keys, cancelling and shipping, expiry of carts, the purge of what ended a day or a
 * month ago, and which answer the client gets.
 */
#ifndef CARTS
#define CARTS 1
#endif

#define CART(o) ((o) % CARTS)

/* Whether the first order names a cart that there never was. */
bool unknown_cart;
#define NO_CART(o) ((o) == 0 && unknown_cart)

/* ---- the order service's store -------------------------------------------------------------- */

mtype:saga = { UNWRITTEN, PLACING, PLACED, REJECTED };
mtype:saga saga[2] = UNWRITTEN;

/* For the claim in_time only: its lease was over by the clock of the request's replica. */
bool placed_late[2];

/* The outbox: whether the row is there. */
bool consume_cart[2];
bool release_cart[2];
bool release_stock[2];

/* checkout.c: only the request itself knows it. */
bool stock_asked[2];

/* ---- the cart service ----------------------------------------------------------------------- */

mtype:checkout = { UNKNOWN, OPEN, CONSUMED, DROPPED };
mtype:checkout checkout[2] = UNKNOWN;
byte snapshot[2];       /* units */
byte in_cart[CARTS] = 1;
byte put_in[CARTS] = 1; /* in all, ever; for the invariants only */

#define OPENED(o) (checkout[o] == OPEN || checkout[o] == CONSUMED)

/* Where it is not possible nothing changes; the answer is yes where OPENED() holds afterwards. */
#define OPEN_IS_POSSIBLE(o) \
	(checkout[o] == UNKNOWN && !NO_CART(o) && in_cart[CART(o)] > 0 && \
	 !(CART(o) == CART(1 - o) && checkout[1 - o] == OPEN))
inline cart_open(o)
{
	if
	:: OPEN_IS_POSSIBLE(o) ->
		checkout[o] = OPEN;
		snapshot[o] = in_cart[CART(o)]
	:: else
	fi
}

#define CONSUME_IS_POSSIBLE(o) (checkout[o] == OPEN)
inline cart_consume(o)
{
	if
	:: CONSUME_IS_POSSIBLE(o) ->
		in_cart[CART(o)] = (in_cart[CART(o)] <= snapshot[o] -> 0 : in_cart[CART(o)] - snapshot[o]);
		checkout[o] = CONSUMED
	:: else
	fi
}

#ifdef NO_CART_TOMBSTONE
#define DROP_IS_POSSIBLE(o) (checkout[o] == OPEN)
#else
#define DROP_IS_POSSIBLE(o) (checkout[o] == OPEN || (checkout[o] == UNKNOWN && !NO_CART(o)))
#endif
inline cart_release(o)
{
	if
	:: DROP_IS_POSSIBLE(o) -> checkout[o] = DROPPED
	:: else
	fi
}

/* ---- the product service -------------------------------------------------------------------- */

mtype:reservation = { NOTHING, HELD, RELEASED };
mtype:reservation reservation[2] = NOTHING;
byte held[2]; /* units */
byte opening;
byte inventory;
byte reserved;

/* The answer is yes where the reservation is held afterwards. */
#define HOLD_IS_POSSIBLE(o) (reservation[o] == NOTHING && inventory >= snapshot[o])
inline stock_hold(o)
{
	if
	:: HOLD_IS_POSSIBLE(o) ->
		inventory = inventory - snapshot[o];
		reserved = reserved + snapshot[o];
		held[o] = snapshot[o];
		reservation[o] = HELD
	:: else
	fi
}

#ifdef NO_STOCK_TOMBSTONE
#define RELEASE_IS_POSSIBLE(o) (reservation[o] == HELD)
#else
#define RELEASE_IS_POSSIBLE(o) (reservation[o] == HELD || reservation[o] == NOTHING)
#endif
inline stock_release(o)
{
	if
	:: RELEASE_IS_POSSIBLE(o) ->
		inventory = inventory + held[o];
		reserved = reserved - held[o];
		held[o] = 0;
		reservation[o] = RELEASED
	:: else
	fi
}

/* ---- the order worker ----------------------------------------------------------------------- */

#define OR_DIE :: goto ended

/* The conditions of the UPDATE in order_store_place(). The lease is looked at there and nowhere else
 * in a request, so it is enough to choose there whether it has run out. */
hidden byte lease_is_over;
#if defined(NO_CONDITIONAL_COMMIT)
#define PLACE_IS_POSSIBLE(o) true
#elif defined(NO_SAGA_CONDITION)
#define PLACE_IS_POSSIBLE(o) (!lease_is_over)
#elif defined(NO_LEASE_CONDITION)
#define PLACE_IS_POSSIBLE(o) (saga[o] == PLACING)
#else
#define PLACE_IS_POSSIBLE(o) (saga[o] == PLACING && !lease_is_over)
#endif

/* order_api_create() until the client has its answer; what follows is Relay's. */
proctype Request(byte o)
{
	bool never_opened;

	/* begin(); the call of the cart may be under way from here on */
	if
	:: saga[o] = PLACING
	OR_DIE
	fi;

	/* open_cart(). Who was refused, or got no answer in time, turns back. */
	if
	:: atomic {
		cart_open(o);
		if
		:: OPENED(o) -> stock_asked[o] = true
		:: NO_CART(o) -> never_opened = true; goto reject
		:: goto reject /* refused */
		fi
	   }
	:: goto reject
	OR_DIE
	fi;

	/* hold_stock() */
	if
	:: atomic {
		stock_hold(o);
		if
		:: reservation[o] == HELD
		:: else -> goto reject
		fi
	   }
	:: goto reject
	OR_DIE
	fi;

	/* place(): it may not come to it (a price changed), it may fail, find its lease run out or the
	 * order ended, and be committed without our hearing of it. */
	if
	:: atomic {
		if
		:: lease_is_over = false
		:: lease_is_over = true
		fi;
		if
		:: PLACE_IS_POSSIBLE(o) ->
			saga[o] = PLACED;
			placed_late[o] = lease_is_over;
			consume_cart[o] = true;
			if
			:: goto ended
			:: goto reject
			fi
		:: else -> goto reject
		fi
	   }
	:: goto reject
	OR_DIE
	fi;

reject: /* reject(), which deletes the order where nothing was opened nor ever will be: to all the
	 * others the same. Where it is not being placed any more, look_again() changes nothing. */
	if
	:: d_step {
		saga[o] == PLACING ->
		saga[o] = REJECTED;
		release_cart[o] = !never_opened;
		release_stock[o] = stock_asked[o]
	   }
	:: saga[o] != PLACING
	OR_DIE
	fi;

ended:
	false
}

/* order_sweep(): a lease may have run out whenever it looks. */
inline sweep(o)
{
	d_step {
		saga[o] == PLACING ->
		saga[o] = REJECTED;
		release_cart[o] = true;
		release_stock[o] = true
	}
}

#ifndef NO_SWEEPER
active proctype Sweeper()
{
	do
	:: sweep(0)
	:: sweep(1)
	od
}
#endif

/* try_all(): the call that is answered at last, and write_results(). One step, as nothing but a relay looks
 * at the row between the two; a death there is a message that Network delivers. */
active proctype Relay()
{
	do
	:: d_step { consume_cart[0] -> cart_consume(0); consume_cart[0] = false }
	:: d_step { consume_cart[1] -> cart_consume(1); consume_cart[1] = false }
	:: d_step { release_cart[0] -> cart_release(0); release_cart[0] = false }
	:: d_step { release_cart[1] -> cart_release(1); release_cart[1] = false }
	:: d_step { release_stock[0] -> stock_release(0); release_stock[0] = false }
	:: d_step { release_stock[1] -> stock_release(1); release_stock[1] = false }
	od
}

/* ---- the world ------------------------------------------------------------------------------ */

/*
 * Messages nobody waits for any more, and duplicates, of everything that may ever have been sent:
 * effects since the transaction that decided the order. All that is left may get lost at any moment.
 * A message that would change nothing is no step: so a run of the right protocol comes to an end by
 * itself, whoever is how slow, and "settles" needs no further fairness.
 */
inline arrive(o)
{
	if
	:: d_step { saga[o] != UNWRITTEN && OPEN_IS_POSSIBLE(o) -> cart_open(o) }
	:: d_step { stock_asked[o] && HOLD_IS_POSSIBLE(o) -> stock_hold(o) }
	:: d_step { saga[o] == PLACED && CONSUME_IS_POSSIBLE(o) -> cart_consume(o) }
	:: d_step { saga[o] == REJECTED && DROP_IS_POSSIBLE(o) -> cart_release(o) }
	:: d_step { saga[o] == REJECTED && RELEASE_IS_POSSIBLE(o) -> stock_release(o) }
	fi
}

active proctype Network()
{
	do
	:: arrive(0)
	:: arrive(1)
	:: break
	od;
	false
}

/* Changes the cart while it is being ordered, or does not. */
active proctype Customer()
{
	if
	:: d_step { in_cart[0]++; put_in[0]++ }
	:: true
	fi;
	false
}

init {
	atomic {
		if
		:: opening = 1
		:: opening = 2
		fi;
		if
		:: unknown_cart = false
		:: unknown_cart = true
		fi;
		inventory = opening;
		run Request(0);
		run Request(1)
	}
}

/* ---- what must hold ------------------------------------------------------------------------- */

#define UNITS_IF(condition, units) ((condition) -> (units) : 0)
#define HELD_BY(o)     UNITS_IF(reservation[o] == HELD, held[o])
#define SOLD_BY(o)     UNITS_IF(saga[o] == PLACED, snapshot[o])
#define CONSUMED_BY(o) UNITS_IF(checkout[o] == CONSUMED, snapshot[o])

/* In every state */
#define STOCK_IS_CONSERVED (inventory + reserved == opening && reserved == HELD_BY(0) + HELD_BY(1))
#define NO_OVERSELL        (SOLD_BY(0) + SOLD_BY(1) <= opening)
#define PLACED_HAS_STOCK(o) \
	(saga[o] != PLACED || (reservation[o] == HELD && held[o] == snapshot[o]))
#define PLACED_HAS_CART(o) \
	(saga[o] != PLACED || checkout[o] == OPEN || checkout[o] == CONSUMED)
#define ONLY_PLACED_CONSUMES(o) (checkout[o] != CONSUMED || saga[o] == PLACED)

/* A unit that was put into a cart is still there or was consumed, never both; and is sold once. */
#if CARTS == 1
#define CARTS_ARE_CONSERVED (in_cart[0] + CONSUMED_BY(0) + CONSUMED_BY(1) == put_in[0])
#define NOTHING_IS_ORDERED_TWICE (SOLD_BY(0) + SOLD_BY(1) <= put_in[0])
#else
#define CARTS_ARE_CONSERVED \
	(in_cart[0] + CONSUMED_BY(0) == put_in[0] && in_cart[1] + CONSUMED_BY(1) == put_in[1])
#define NOTHING_IS_ORDERED_TWICE (SOLD_BY(0) <= put_in[0] && SOLD_BY(1) <= put_in[1])
#endif

/* Executable in no state of a right protocol, so this process adds no states. */
active proctype Invariants()
{
	do
	:: !STOCK_IS_CONSERVED -> assert(STOCK_IS_CONSERVED)
	:: !NO_OVERSELL -> assert(NO_OVERSELL)
	:: !PLACED_HAS_STOCK(0) -> assert(PLACED_HAS_STOCK(0))
	:: !PLACED_HAS_STOCK(1) -> assert(PLACED_HAS_STOCK(1))
	:: !PLACED_HAS_CART(0) -> assert(PLACED_HAS_CART(0))
	:: !PLACED_HAS_CART(1) -> assert(PLACED_HAS_CART(1))
	:: !ONLY_PLACED_CONSUMES(0) -> assert(ONLY_PLACED_CONSUMES(0))
	:: !ONLY_PLACED_CONSUMES(1) -> assert(ONLY_PLACED_CONSUMES(1))
	:: !CARTS_ARE_CONSERVED -> assert(CARTS_ARE_CONSERVED)
	:: !NOTHING_IS_ORDERED_TWICE -> assert(NOTHING_IS_ORDERED_TWICE)
	od
}

/* Placed and rejected are final, and so exclude each other. */
#define FINAL(o) \
	([] (saga[o] == PLACED -> [] (saga[o] == PLACED)) && \
	 [] (saga[o] == REJECTED -> [] (saga[o] == REJECTED)))
ltl final { FINAL(0) && FINAL(1) }

/* Nobody is told of an order that was placed when its lease was over already. */
ltl in_time { [] !(placed_late[0] || placed_late[1]) }

/* In the end every order that was written down is decided, its effects are done, and what was not
 * placed holds neither cart nor stock. */
#define NOTHING_DUE(o) (!consume_cart[o] && !release_cart[o] && !release_stock[o])
#define SETTLED(o) \
	(NOTHING_DUE(o) && \
	 ((saga[o] == PLACED && checkout[o] == CONSUMED && reservation[o] == HELD) || \
	  (saga[o] != PLACED && saga[o] != PLACING && checkout[o] != OPEN && reservation[o] != HELD)))
ltl settles { <> [] (SETTLED(0) && SETTLED(1)) }

/* False on purpose: shows that the model reaches what all of the above is about. */
ltl nobody_buys { [] !(saga[0] == PLACED && SETTLED(0) && saga[1] == REJECTED && SETTLED(1)) }
