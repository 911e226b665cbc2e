#include "responder/request.h"

#include "base/json.h"
#include "responder/entity_tag.h"
#include "responder/response.h"

const char *request_path_parameter(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->route.parameter_count; i++) {
		const struct path_parameter *parameter = &request->route.parameters[i];
		if (strcmp(parameter->name, name) == 0)
			return parameter->value;
	}
	return "";
}

const char *request_resource_id(const struct request *request)
{
	return request->resource_id ? request->resource_id : request_path_parameter(request, "id");
}

const char *request_query(const struct request *request, const char *name)
{
	const struct argument *argument = arguments_find(&request->arguments, name);
	return argument ? argument->text : NULL;
}

int64_t request_query_int(const struct request *request, const char *name, int64_t fallback)
{
	const struct argument *argument = arguments_find(&request->arguments, name);
	return argument ? argument->integer : fallback;
}

bool request_query_bool(const struct request *request, const char *name, bool fallback)
{
	return request_query_int(request, name, fallback) != 0;
}

bool request_precondition(const struct request *request, struct response *response, int64_t version)
{
	if (!request->if_match || entity_tag_matches(request->if_match, version))
		return true;
	struct json_writer *json = response_problem_begin(
		response, 412, NULL, "The resource's version does not match If-Match");
	json_member_int(json, "version", version);
	response_problem_end(response);
	return false;
}

void request_after(struct request *request, void (*function)(void *argument), void *argument)
{
	request->after = function;
	request->after_argument = argument;
}
