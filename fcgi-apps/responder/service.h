/*
 * A service as the responder runs it: a document, a schema, handlers and background tasks. Each
 * service is described by one const struct service, which main.c passes to server_main().
 */
#ifndef RESPONDER_SERVICE_H
#define RESPONDER_SERVICE_H

#include <stdatomic.h>

#include "base/base.h"
#include "base/money.h"
#include "base/text.h"
#include "contract/contract.h"
#include "responder/check.h"
#include "responder/lookup.h"
#include "responder/request.h"
#include "responder/response.h"
#include "storage/db.h"
#include "upstream/upstream.h"

enum run_mode {
	RUN_DIRECT, /* on the event thread, without a connection: must be quick */
	RUN_READ,   /* on a thread of its own pool with a read connection, for as long as the client
		       waits and its deadline allows */
	RUN_TRANSACTION, /* inside a (grouped) transaction; answered after the commit; an answer of
			    400 or more rolls back. Idempotency-Key is handled around it */
	RUN_BLOCKING,    /* on a thread of its own pool: may call siblings and db_transaction */
};

/* An operation has a look-up, or a handler, or both. */
struct binding {
	/* On the event thread; the handler gets the requests that it declines. Or NULL. */
	const struct lookup *lookup;

	/*
	 * Fills the response and returns 0, or returns a negative error for response_error().
	 * In RUN_TRANSACTION it must not block and may run more than once; the response is fresh
	 * each time. NULL where the look-up declines nothing.
	 */
	int (*handle)(struct request *request, struct response *response);
	enum run_mode mode; /* of handle */
	bool streams_body;  /* RUN_BLOCKING: the handler reads the body itself */

	/*
	 * For an operation with an Idempotency-Key that answers with a resource: the look-up of the
	 * resource as it is now (200), or of the reason why it is gone. A repeated request gets
	 * that, with the first answer's status and headers; no answer is stored. It runs in a
	 * transaction, and declines nothing. NULL: a repeated request gets the first answer.
	 */
	const struct lookup *replay;

	/*
	 * In RUN_TRANSACTION: adds to an answer what no store may hold, after the commit; also to a
	 * repeated one. 0, or a negative error for response_error(). Or NULL.
	 */
	int (*complete)(struct request *request, struct response *response);
};

/* The binding of an operation, by its operationId. At the beginning of a line of a service's
 * service.c or of responder/meta.c: there contract/compile.py looks for them. */
#define BINDING(operation) const struct binding binding_##operation

/* Work on a thread of its own, called every interval and whenever task_wake() is called. Returns
 * whether more is waiting; if so, it is called again at once. */
struct task {
	const char *name;
	int64_t interval; /* microseconds */
	int64_t rest;     /* the pause is at least this many times as long as the last run */
	bool (*run)(struct runtime *runtime, void *app);
};

/* The parts of the process that a service's code may use. */
struct runtime {
	const struct service *service;
	struct guard *guard;          /* who may call: the responder's own; NULL: AUTH=off */
	const struct secrets *guests; /* of guests' secrets; NULL: AUTH=off */
	struct db *db;
	const struct contract *contract;
	struct currency currency;
	int64_t request_timeout;   /* the most microseconds that a request may take */
	int64_t keys_max;          /* the most Idempotency-Keys that may be stored */
	_Atomic int64_t key_count; /* may be a little old; counts no further than keys_max */
	atomic_bool keys_full;     /* no further one is taken */
	struct tasks *tasks;       /* the responder's own, as is the server */
	struct server *server;
};

struct service {
	const char *name;  /* "product" */
	const char *title; /* "Product Service API" */
	const struct contract *contract;
	const struct db_migration *migrations;
	size_t migration_count;
	db_function *before_commit;            /* as in db_options; may be NULL */
	const struct binding *const *bindings; /* by operation index */
	const struct task *tasks;
	size_t task_count;
	const struct check *checks; /* of its database, for operators */
	size_t check_count;
	const struct sibling_check *sibling_check; /* NULL: none */
	const char *default_database;              /* "sqlite:///var/product.db" */
	bool session;                              /* its leases are written under db_session() */
	size_t blocking_threads;

	/* Reads the service's own settings and makes its state; before the store is opened and
	 * threads start: runtime->db is not set yet. May be NULL. */
	int (*start)(struct runtime *runtime, void **ret_app);
	/* After the last request and task, with the store still open. May be NULL. */
	void (*stop)(void *app);

	/* Whether the open store fits the settings; an error prevents startup, and its reason has
	 * been logged. May be NULL. */
	int (*check_store)(struct runtime *runtime);

	/* Finishes the work that earlier processes left behind, before tasks run and requests are
	 * received. May be NULL. */
	void (*recover)(void *app);

	/* Siblings, for /metrics and the log; may be NULL. */
	size_t (*upstreams)(void *app, struct upstream **list, size_t size);

	/* Appends the service's own lines to /metrics; may be NULL. */
	void (*metrics)(struct runtime *runtime, void *app, struct text *out);
};

#endif
