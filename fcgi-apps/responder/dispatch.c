#include "responder/dispatch.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "responder/entity_tag.h"
#include "responder/guard.h"
#include "responder/idempotency.h"

/* This thread's log lines are about the request, and once it is known, about who sends it. */
static void trace(const struct request *request)
{
	const struct principal *principal = &request->principal;
	bool sibling = principal->kind == PRINCIPAL_SERVICE;
	log_set_trace(request->trace_id, request->request_id);
	log_set_user(sibling ? NULL : principal->subject,
		     sibling ? principal->subject : principal->client_id);
}

static const char *request_header(void *context, const char *name)
{
	const struct request *request = context;
	if (strcasecmp(name, "Idempotency-Key") == 0)
		return request->idempotency_key;
	if (strcasecmp(name, "If-Match") == 0)
		return request->if_match;
	if (strcasecmp(name, "If-None-Match") == 0)
		return request->if_none_match;
	if (strcasecmp(name, "Cart-Secret") == 0)
		return request->cart_secret;
	return NULL;
}

/* The bare token and the Structured Field string ("…") are the same key. */
static void unquote_key(struct request *request)
{
	const char *key = request->idempotency_key;
	size_t length = key ? strlen(key) : 0;
	if (length < 3 || key[0] != '"' || key[length - 1] != '"')
		return;
	/* libfcgi lets us change its parameters until the request is finished. */
	((char *)(uintptr_t)key)[length - 1] = '\0';
	request->idempotency_key = key + 1;
}

/* A header counts only if the operation declares it, because only then was it checked. */
static void forget_undeclared(struct request *request)
{
	if (!arguments_find(&request->arguments, "Idempotency-Key"))
		request->idempotency_key = NULL;
	if (!arguments_find(&request->arguments, "If-Match"))
		request->if_match = NULL;
	if (!arguments_find(&request->arguments, "If-None-Match"))
		request->if_none_match = NULL;
}

/* Routes on a copy of the path, and terminates the parameters in it. The store has only valid UTF-8
 * and must not be asked for anything else; an id with replacement characters is not found either.
 */
static int find_operation(struct exchange *exchange, char reterr_allow[CONTRACT_ALLOW_SIZE])
{
	struct request *request = &exchange->request;
	text_reset(&exchange->path);
	text_append_utf8(&exchange->path, request->path);
	if (text_error(&exchange->path))
		return text_error(&exchange->path) == -ENOMEM ? -ENOMEM : -ENOENT;
	int r = contract_route(exchange->request.runtime->contract, request->method,
			       text_string(&exchange->path), request->internal, &request->route,
			       reterr_allow);
	if (r < 0)
		return r;
	for (size_t i = 0; i < request->route.parameter_count; i++) {
		struct path_parameter *parameter = &request->route.parameters[i];
		char *value = exchange->path.data + (parameter->value - exchange->path.data);
		uuid_to_lower(value, parameter->length);
		value[parameter->length] = '\0';
	}
	request->operation = request->route.operation;
	exchange->binding = request->runtime->service->bindings[request->operation->index];
	request->replay = exchange->binding->replay;
	return 0;
}

/* 0, or -ENOMEM; faults of the body become violations. */
static int parse_body(struct exchange *exchange, struct violations *violations)
{
	struct request *request = &exchange->request;
	const struct contract *contract = exchange->request.runtime->contract;
	if (!contract_body_is_json(contract, request->operation, request->content_type))
		return 0;

	struct json_error error;
	size_t mark = utf8_mark(request->body_text, request->body_length);
	int r = json_parse_input(request->body_text + mark, request->body_length - mark,
				 &request->body, &error);
	if (r == 0)
		contract_check_body(contract, request->operation, request->content_type,
				    request->body, violations);
	if (r != -EINVAL)
		return r;
	violations_add(violations, "body", "", "is not JSON: %s at line %zu, column %zu",
		       error.detail, error.line, error.column);
	return 0;
}

/* Reads and checks the body; its faults become violations. False: the response is already set. */
static bool take_body(struct exchange *exchange, struct violations *violations)
{
	struct request *request = &exchange->request;
	struct response *response = &exchange->response;
	const struct operation *operation = request->operation;
	if (!operation->has_body || exchange->binding->streams_body)
		return true;

	int r = exchange_read_body(exchange, operation->max_bytes);
	if (r == 0 && request->body_length > 0)
		r = parse_body(exchange, violations);
	else if (r == 0 && operation->body_required)
		violations_add(violations, "body", "", "is missing");
	switch (r) {
	case 0:
		return true;
	case -EMSGSIZE:
		response_problem(response, 413, NULL, "The body is longer than %zu bytes",
				 operation->max_bytes);
		return false;
	default:
		response_error(response, r);
		return false;
	}
}

/* The type of an empty body does not matter: some libraries always send one. */
static bool check_content_type(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	if (!request->operation->has_body ||
	    contract_check_content_type(exchange->request.runtime->contract, request->operation,
					request->content_type) == 0 ||
	    !exchange_has_body(exchange))
		return true;
	response_problem(&exchange->response, 415, NULL, "The Content-Type \"%s\" is not supported",
			 request->content_type);
	return false;
}

/* True: there is such an operation; false: the response says why not. */
static bool take_route(struct exchange *exchange)
{
	struct response *response = &exchange->response;
	char allow[CONTRACT_ALLOW_SIZE] = "";
	int r = find_operation(exchange, allow);
	switch (r) {
	case 0:
		return true;
	case -EOPNOTSUPP:
		response_problem(response, 405, NULL, "%s is not allowed on this path",
				 exchange->request.method);
		response_header(response, "Allow", "%s", allow);
		return false;
	case -ENOENT:
		response_problem(response, 404, NULL, "There is no such path");
		return false;
	default:
		response_error(response, r);
		return false;
	}
}

/* Whether whoever sends it may send these parameters and members. */
static bool admit_parameters(struct request *request, struct response *response)
{
	return guard_admit_scopes(request->runtime->guard, request, response,
				  request->arguments.scopes);
}

static bool admit_body(struct request *request, struct response *response)
{
	uint64_t scopes = contract_body_scopes(request->runtime->contract, request->operation,
					       request->content_type, request->body);
	return guard_admit_scopes(request->runtime->guard, request, response, scopes);
}

/* nginx drops the body of a refusal, so a header has it as well. */
static void answer_head(struct response *response, bool admitted)
{
	if (admitted)
		response_empty(response, 204);
	else
		response_header(response, "X-Refusal", "%s", text_string(&response->body));
}

/* True: the handler may run; false: the response says why not. */
static bool check(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct response *response = &exchange->response;
	bool admitted =
		take_route(exchange) && guard_admit(request->runtime->guard, request, response);
	trace(request);
	if (request->head_only)
		answer_head(response, admitted);
	if (!admitted || request->head_only || !check_content_type(exchange))
		return false;

	struct violations violations = {0};
	int r = contract_check_parameters(request->runtime->contract, request->operation,
					  request->query, request_header, request,
					  &request->arguments, &violations);
	if (r == 0) {
		forget_undeclared(request);
		unquote_key(request);
	}
	bool fine = r == 0 && admit_parameters(request, response) &&
		    take_body(exchange, &violations) && admit_body(request, response);
	if (r == 0)
		r = violations.error;
	if (r < 0) {
		response_error(response, r);
		fine = false;
	} else if (fine && violations.total > 0) {
		response_violations(response, &violations);
		fine = false;
	}
	violations_release(&violations);
	return fine;
}

/* In development and tests: an answer that the document does not declare is our error. */
static void check_answer(struct exchange *exchange)
{
	struct request *request = &exchange->request;
	struct response *response = &exchange->response;
	struct violations violations = {0};
	size_t length;
	const char *body = response_body(response, &length);
	if (!contract_check_response(request->runtime->contract, request->operation,
				     response->status, response->content_type, body, length,
				     &violations)) {
		log_write(LOG_ERROR, "the answer breaks the contract",
			  log_text("url.path", request->path),
			  log_text("error.message", violations.list[0].detail),
			  log_text("error.pointer", violations.list[0].pointer),
			  log_int("http.response.status_code", response->status));
		response_problem(response, 500, "contract-violation",
				 "The answer breaks the contract");
	}
	violations_release(&violations);
}

static void apply_conditions(struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	struct response *response = &exchange->response;
	bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	if (!reads || !request->if_none_match || !response->etag[0] || response->status != 200)
		return;
	/* The tag is one of ours: its digits are the version. */
	if (entity_tag_matches(request->if_none_match, strtoll(response->etag + 1, NULL, 10)))
		response_empty(response, 304);
}

/* nginx logs every request; this is the worker's line for it, to trace a single request. */
static void log_answer(const struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	if (!log_enabled(LOG_DEBUG) || exchange_is_admitted_head(exchange))
		return;
	log_write(LOG_DEBUG, "answered",
		  log_text("event.action", request->operation ? request->operation->id : "none"),
		  log_int("http.response.status_code", exchange->response.status),
		  log_int("event.duration", (clock_monotonic() - request->started) * 1000));
}

static void finish(struct exchange *exchange)
{
	struct response *response = &exchange->response;
	if (!exchange->started) {
		if (text_error(&response->body) || text_error(&response->headers)) {
			int r = text_error(&response->body) == -ENOMEM ? -ENOMEM : -EIO;
			response_reset(response);
			response_error(response, r);
		}
		if (response->status == 0)
			response_error(response, -EIO);
		apply_conditions(exchange);
		if (exchange->dispatcher->check_responses && exchange->request.operation &&
		    response->status != STATUS_ABANDONED && !exchange_is_admitted_head(exchange))
			check_answer(exchange);
	}
	exchange_answer(exchange);
	log_answer(exchange);
	if (exchange->request.after)
		exchange->request.after(exchange->request.after_argument);
	exchange_done(exchange);
	log_set_trace(NULL, NULL);
}

/* The outermost handler of errors: an error is logged here, once, and answered without its text. */
static void conclude(struct exchange *exchange, int rc)
{
	if (rc == -EPIPE) {
		/* For the metrics only: the client has gone. */
		response_reset(&exchange->response);
		response_empty(&exchange->response, STATUS_ABANDONED);
	} else if (rc < 0) {
		bool ours = rc != -EAGAIN && rc != -ECANCELED && rc != -ECONNABORTED &&
			    rc != -ETIMEDOUT;
		log_write(ours ? LOG_ERROR : LOG_WARN, "request failed",
			  log_text("event.action", exchange->request.operation->id),
			  log_error_code(rc));
		exchange->broken = exchange->started;
		response_reset(&exchange->response);
		response_error(&exchange->response, rc);
	}
	finish(exchange);
}

/* 0: the client still waits; -EPIPE, or -ETIMEDOUT. */
static int look(void *argument)
{
	const struct exchange *exchange = argument;
	if (exchange_is_abandoned(exchange))
		return -EPIPE;
	return clock_monotonic() < exchange->request.deadline ? 0 : -ETIMEDOUT;
}

static int run_read(struct db_conn *conn, void *argument)
{
	struct exchange *exchange = argument;
	trace(&exchange->request);
	exchange->request.db = conn;
	int r = exchange->binding->handle(&exchange->request, &exchange->response);
	exchange->request.db = NULL;
	return r;
}

static int run_transaction(struct db_conn *conn, void *argument)
{
	struct exchange *exchange = argument;
	trace(&exchange->request);
	int r = look(exchange);
	if (r == 0)
		r = idempotent_handle(conn, &exchange->request, &exchange->response,
				      exchange->binding->handle);
	exchange->request.db = NULL;
	return r;
}

static void transaction_done(struct db_job *job, int result)
{
	struct exchange *exchange = job->argument;
	const struct binding *binding = exchange->binding;
	struct gate *gate = exchange->dispatcher->gate;
	int r = result == IDEMPOTENT_REFUSED ? 0 : result;
	trace(&exchange->request);
	if (r == 0 && binding->complete)
		r = binding->complete(&exchange->request, &exchange->response);
	conclude(exchange, r);
	gate_leave(gate);
}

static void start_transaction(struct exchange *exchange)
{
	exchange->job = (struct db_job){
		.function = run_transaction,
		.done = transaction_done,
		.argument = exchange,
	};
	gate_enter(exchange->dispatcher->gate);
	int r = db_submit(exchange->request.runtime->db, &exchange->job);
	if (r < 0) {
		gate_leave(exchange->dispatcher->gate);
		conclude(exchange, r);
	}
}

static int answer_lookup(void *argument, struct db_rows *rows)
{
	struct exchange *exchange = argument;
	trace(&exchange->request);
	return exchange->binding->lookup->answer(&exchange->request, &exchange->response, rows);
}

static void lookup_done(void *argument, int result)
{
	struct exchange *exchange = argument;
	trace(&exchange->request);
	conclude(exchange, result);
}

/* Adds the request to the list, or answers it. False: it is left to a handler. */
static bool look_up(struct exchange *exchange, struct lookups *lookups)
{
	const struct lookup *lookup = exchange->binding->lookup;
	struct db_batched *read = &lookups->list[lookups->count];
	if (!lookup)
		return false;
	assert(lookups->count < ARRAY_SIZE(lookups->list));
	*read = (struct db_batched){
		.answer = answer_lookup, .done = lookup_done, .argument = exchange};
	int r = lookup->ask(&exchange->request, &exchange->response, &read->statement);
	if (r == LOOKUP_DECLINED)
		return false;
	if (r < 0 || !read->statement.sql) {
		conclude(exchange, r);
		return true;
	}
	lookups->count++;
	return true;
}

void dispatch_lookups(struct lookups *lookups)
{
	if (!lookups->count)
		return;
	struct exchange *first = lookups->list[0].argument;
	/* The store's log lines may concern any request of a batch. */
	if (lookups->count == 1)
		trace(&first->request);
	db_read_batch(first->request.runtime->db, lookups->list, lookups->count);
	for (size_t i = 0; i < lookups->count; i++)
		db_statement_release(&lookups->list[i].statement);
	lookups->count = 0;
}

static int read_watched(struct exchange *exchange)
{
	const struct db_watch watch = {
		.deadline = exchange->request.deadline, .look = look, .argument = exchange};
	return db_read_watched(exchange->request.runtime->db, run_read, exchange, &watch);
}

/* On a thread of a pool. An exchange whose deadline has passed, or whose client is gone, is not
 * started. */
static void run_on_pool(void *argument)
{
	struct exchange *exchange = argument;
	struct request *request = &exchange->request;
	const struct binding *binding = exchange->binding;
	trace(request);
	int r = look(exchange);
	if (r == 0 && binding->mode == RUN_READ)
		r = read_watched(exchange);
	else if (r == 0)
		r = binding->handle(request, &exchange->response);
	conclude(exchange, r);
}

static void hand_over(struct exchange *exchange, struct thread_pool *pool)
{
	exchange->work = (struct pool_work){.run = run_on_pool, .argument = exchange};
	int r = thread_pool_submit(pool, &exchange->work);
	if (r < 0)
		conclude(exchange, r);
}

/* By mode: answers the request, or hands it over to another thread. */
static void run(struct exchange *exchange)
{
	const struct dispatcher *dispatcher = exchange->dispatcher;
	const struct binding *binding = exchange->binding;
	assert(binding->handle);
	switch (binding->mode) {
	case RUN_DIRECT:
		conclude(exchange, binding->handle(&exchange->request, &exchange->response));
		return;
	case RUN_READ:
		hand_over(exchange, dispatcher->reads);
		return;
	case RUN_TRANSACTION:
		start_transaction(exchange);
		return;
	case RUN_BLOCKING:
		hand_over(exchange, dispatcher->calls);
		return;
	}
}

void dispatch(const struct dispatcher *dispatcher, struct exchange *exchange,
	      struct lookups *lookups)
{
	exchange->dispatcher = dispatcher;
	trace(&exchange->request);
	if (!check(exchange))
		finish(exchange);
	else if (!look_up(exchange, lookups))
		run(exchange);
	/* What this thread logs next may concern other requests. */
	log_set_trace(NULL, NULL);
}
