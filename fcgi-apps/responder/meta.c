/* The operations that every service has; contract/components.json declares them. */
#include "responder/connections.h"
#include "responder/docs.h"
#include "responder/exposition.h"
#include "responder/guard.h"
#include "responder/server.h"

static int get_service_info(struct request *request, struct response *response)
{
	struct json_writer *json = response_json(response, 200);
	json_object_begin(json);
	json_member_string(json, "message", request->runtime->service->title);
	json_object_end(json);
	return 0;
}

/* Whether the prefix that nginx removed is the beginning of the document's own paths, so that these
 * are reached without it as well: /products/openapi.json and /products. */
static bool leads_to_paths(const struct contract *contract, const char *prefix)
{
	struct route route;
	char allow[CONTRACT_ALLOW_SIZE];
	return *prefix && contract_route(contract, "GET", prefix, true, &route, allow) == 0;
}

/* Tools use the first server unchanged, so it is the absolute URL at which this client reaches the
 * service. */
static int get_document(struct request *request, struct response *response)
{
	const struct contract *contract = request->runtime->contract;
	const char *prefix = leads_to_paths(contract, request->prefix) ? "" : request->prefix;
	struct text server CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	text_printf(&server, "%s%s", *request->origin ? request->origin : ".",
		    *request->origin ? prefix : "");
	response->status = 200;
	response->content_type = "application/json";
	contract_write_document(contract, request->internal, text_string(&server), &response->body);
	return text_error(&server);
}

static void write_status(struct response *response, const char *status)
{
	struct json_writer *json = response_json(response, 200);
	json_object_begin(json);
	json_member_string(json, "status", status);
	json_object_end(json);
}

static int get_liveness(struct request *request UNUSED, struct response *response)
{
	write_status(response, "alive");
	return 0;
}

/* 0: requests may be sent here now; or the error that prevents it. */
static int check_readiness(const struct server *server)
{
	if (connections_are_shut(server->connections))
		return -ECANCELED;
	if (!guard_has_keys(server->runtime.guard))
		return -EAGAIN;
	return db_ping(server->runtime.db) < 0 ? -EHOSTDOWN : 0;
}

static int get_readiness(struct request *request, struct response *response)
{
	int r = check_readiness(request->runtime->server);
	if (r < 0)
		response_error(response, r);
	else
		write_status(response, "ready");
	return 0;
}

static int get_metrics(struct request *request, struct response *response)
{
	struct server *server = request->runtime->server;
	response->status = 200;
	response->content_type = "text/plain; version=0.0.4";
	exposition_write(server, check_readiness(server) == 0, &response->body);
	return 0;
}

BINDING(getServiceInfo) = {.mode = RUN_DIRECT, .handle = get_service_info};
BINDING(getDocument) = {.mode = RUN_DIRECT, .handle = get_document};
BINDING(getDocs) = {.mode = RUN_DIRECT, .handle = docs_get_swagger};
BINDING(getRedoc) = {.mode = RUN_DIRECT, .handle = docs_get_redoc};
BINDING(getDocsFile) = {.mode = RUN_DIRECT, .handle = docs_get_file};
BINDING(getLiveness) = {.mode = RUN_DIRECT, .handle = get_liveness};
BINDING(getReadiness) = {.mode = RUN_DIRECT, .handle = get_readiness};
BINDING(getMetrics) = {.mode = RUN_DIRECT, .handle = get_metrics};
