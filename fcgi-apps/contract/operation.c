/* Reading operation objects. */
#include "contract/contract_parts.h"

const char *const operation_methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
const char *const operation_members[] = {"get", "post", "put", "patch", "delete"};

/* Three digits; ranges and "default" would let every answer pass. */
static int parse_status(const char *name)
{
	if (strlen(name) != 3 || strspn(name, "0123456789") != 3 || name[0] < '1' || name[0] > '5')
		return -EINVAL;
	return (name[0] - '0') * 100 + (name[1] - '0') * 10 + (name[2] - '0');
}

static int load_responses(struct loader *loader, const struct json *responses, const char *where,
			  struct endpoint *endpoint)
{
	char responses_place[WHERE_SIZE], place[WHERE_SIZE];

	loader_place(responses_place, where, "responses");
	if (!responses || json_type(responses) != JSON_OBJECT || json_length(responses) == 0)
		return loader_refuse(loader->error, where, "needs responses");
	endpoint->answers = calloc(json_length(responses), sizeof(*endpoint->answers));
	if (!endpoint->answers)
		return -ENOMEM;
	json_each (responses, member) {
		struct answer *answer = &endpoint->answers[endpoint->answer_count++];
		int result;

		loader_place(place, responses_place, member.name);
		answer->status = parse_status(member.name);
		if (answer->status < 0)
			return loader_refuse(loader->error, place,
					     "a response must be named by its three-digit status");
		result = response_load(loader, member.value, place, &answer->content);
		if (result < 0)
			return result;
	}
	return 0;
}

static int load_request_body(struct loader *loader, const struct json *definition,
			     const char *where, struct endpoint *endpoint)
{
	const char *method = endpoint->operation.method;
	char place[WHERE_SIZE];

	if (!definition)
		return 0;
	loader_place(place, where, "requestBody");
	/* RFC 9110 sections 9.3.1 and 9.3.5: content has no meaning there. */
	if (strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0)
		return loader_refuse(loader->error, place, "%s takes no body", method);
	return request_body_load(loader, definition, place, &endpoint->body, &endpoint->operation);
}

static int check_strings(struct loader *loader, const struct json *definition, const char *name,
			 const char *where)
{
	const struct json *strings = json_get(definition, name);

	if (!strings)
		return 0;
	if (json_type(strings) != JSON_ARRAY)
		return loader_refuse(loader->error, where, "%s must be a list", name);
	for (size_t i = 0; i < json_length(strings); i++) {
		if (json_type(json_at(strings, i)) != JSON_STRING)
			return loader_refuse(loader->error, where, "%s must be strings", name);
	}
	return 0;
}

int operation_load(struct loader *loader, const struct json *path_item,
		   const struct json *definition, const char *where, struct endpoint *endpoint)
{
	static const char *const allowed[] = {
		"operationId", "tags",        "summary",   "description", "externalDocs",
		"parameters",  "requestBody", "responses", "deprecated",  NULL};
	struct operation *operation = &endpoint->operation;
	int result;

	if (loader_members(loader, definition, allowed, where) < 0 ||
	    loader_flag(loader, definition, "x-internal", where, &operation->internal) < 0 ||
	    check_strings(loader, definition, "x-callers", where) < 0 ||
	    check_strings(loader, definition, "tags", where) < 0)
		return -EINVAL;
	operation->callers = json_get(definition, "x-callers");
	if (operation->internal && (!operation->callers || json_length(operation->callers) == 0))
		return loader_refuse(loader->error, where, "x-internal needs x-callers");
	operation->id = json_get_string(definition, "operationId", "");
	if (!*operation->id)
		return loader_refuse(loader->error, where, "needs an operationId");
	result = parameters_load(loader, path_item, definition, where, endpoint);
	if (result == 0)
		result = load_request_body(loader, json_get(definition, "requestBody"), where,
					   endpoint);
	if (result == 0)
		result = load_responses(loader, json_get(definition, "responses"), where, endpoint);
	return result;
}
