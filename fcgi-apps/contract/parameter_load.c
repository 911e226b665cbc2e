/* Reading parameter objects and seeing to it that all of them can be checked. */
#include <strings.h>

#include "contract/contract_parts.h"

/* Letters, digits, - _ . : what needs no escape in a path, a query, a header or a pointer. */
static bool is_plain_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < PARAMETER_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       length;
}

/* How the text of a parameter is to be read, by what its schema leaves open. */
static int find_kind(const struct schema *schema, enum parameter_kind *ret_kind)
{
	switch (schema_types(schema)) {
	case SCHEMA_STRING:
		*ret_kind = PARAMETER_STRING;
		return 0;
	case SCHEMA_INTEGER:
		*ret_kind = PARAMETER_INTEGER;
		return 0;
	case SCHEMA_INTEGER | SCHEMA_FRACTION:
		*ret_kind = PARAMETER_NUMBER;
		return 0;
	case SCHEMA_BOOLEAN:
		*ret_kind = PARAMETER_BOOLEAN;
		return 0;
	case SCHEMA_ARRAY:
		*ret_kind = PARAMETER_LIST;
		return schema_element_types(schema) == SCHEMA_STRING ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* How a parameter is written out: only what parameters.c reads. */
static int check_style(struct loader *loader, const struct json *definition, const char *in,
		       enum parameter_kind kind, const char *where)
{
	bool query = strcmp(in, "query") == 0;
	const char *expected = query ? "form" : "simple";
	const struct json *explode = json_get(definition, "explode");
	bool exploded;

	if (loader_flag(loader, definition, "explode", where, &exploded) < 0)
		return -EINVAL;
	if (strcmp(json_get_string(definition, "style", expected), expected) != 0)
		return loader_refuse(loader->error, where, "the style must be \"%s\"", expected);
	if (kind != PARAMETER_LIST)
		return 0;
	if (!query)
		return loader_refuse(loader->error, where, "only a query parameter may be a list");
	if (!explode || exploded)
		return loader_refuse(loader->error, where, "a list needs \"explode\": false");
	return 0;
}

static bool is_reserved_header(const char *name)
{
	/* OpenAPI 3.1 section 4.8.12.2.1: parameters of these names are to be ignored. */
	return strcasecmp(name, "Accept") == 0 || strcasecmp(name, "Content-Type") == 0 ||
	       strcasecmp(name, "Authorization") == 0;
}

static int check_place(struct loader *loader, const char *name, const char *in, bool required,
		       enum parameter_kind kind, const char *where)
{
	if (strcmp(in, "path") == 0) {
		if (!required)
			return loader_refuse(loader->error, where,
					     "a path parameter needs \"required\": true");
		if (kind != PARAMETER_STRING)
			return loader_refuse(loader->error, where,
					     "a path parameter must be a string");
		return 0;
	}
	if (strcmp(in, "header") == 0) {
		if (is_reserved_header(name))
			return loader_refuse(loader->error, where,
					     "%s cannot be a header parameter", name);
		return 0;
	}
	if (strcmp(in, "query") != 0)
		return loader_refuse(loader->error, where,
				     "parameters must be in path, query or header");
	return 0;
}

/* Reads a parameter; *ret_in is where it belongs. */
static int load_parameter(struct loader *loader, const struct json *definition, const char *where,
			  struct parameter *ret_parameter, const char **ret_in)
{
	static const char *const allowed[] = {"name",    "in",       "description", "required",
					      "style",   "explode",  "deprecated",  "schema",
					      "example", "examples", NULL};
	struct parameter parameter = {0};
	char place[WHERE_SIZE];
	const char *in;
	int result;

	definition = loader_resolve(loader, definition, where);
	if (!definition || loader_members(loader, definition, allowed, where) < 0 ||
	    loader_flag(loader, definition, "required", where, &parameter.required) < 0)
		return -EINVAL;
	parameter.name = json_get_string(definition, "name", "");
	in = json_get_string(definition, "in", "");
	if (!is_plain_name(parameter.name))
		return loader_refuse(loader->error, where,
				     "a parameter's name must be letters, digits, - _ .");
	snprintf(parameter.pointer, sizeof(parameter.pointer), "/%s", parameter.name);
	if (!json_get(definition, "schema"))
		return loader_refuse(loader->error, where, "needs a schema");
	loader_place(place, where, "schema");
	result = schema_compile(loader->contract->schemas, json_get(definition, "schema"), place,
				&parameter.schema, loader->error);
	if (result < 0)
		return result;
	if (find_kind(parameter.schema, &parameter.kind) < 0)
		return loader_refuse(loader->error, place,
				     "a parameter must be a string, an integer, a number, a "
				     "boolean or a list of strings");
	result = check_place(loader, parameter.name, in, parameter.required, parameter.kind, where);
	if (result == 0)
		result = check_style(loader, definition, in, parameter.kind, where);
	if (result < 0)
		return result;
	*ret_parameter = parameter;
	*ret_in = in;
	return 0;
}

int parameter_verify(struct loader *loader, const struct json *definition, const char *where)
{
	struct parameter parameter;
	const char *in;

	return load_parameter(loader, definition, where, &parameter, &in);
}

/* Replaces the one of that name (an operation's wins over its path's), or adds it. */
static int put_parameter(struct loader *loader, struct parameter *list, size_t *count, size_t limit,
			 size_t inherited, const struct parameter *parameter, bool is_header,
			 const char *where)
{
	for (size_t i = 0; i < *count; i++) {
		if ((is_header ? strcasecmp : strcmp)(list[i].name, parameter->name) != 0)
			continue;
		if (i >= inherited)
			return loader_refuse(loader->error, where, "\"%s\" is there twice",
					     parameter->name);
		list[i] = *parameter;
		return 0;
	}
	if (*count >= limit)
		return loader_refuse(loader->error, where, "too many parameters");
	list[(*count)++] = *parameter;
	return 0;
}

/* Adds a list of parameters to the endpoint's; what is there already was inherited. */
static int load_list(struct loader *loader, const struct json *list, const char *where,
		     struct endpoint *endpoint)
{
	const size_t query_inherited = endpoint->query_count;
	const size_t headers_inherited = endpoint->header_count;
	const size_t path_inherited = endpoint->path_count;

	if (!list)
		return 0;
	if (json_type(list) != JSON_ARRAY)
		return loader_refuse(loader->error, where, "parameters must be a list");
	for (size_t i = 0; i < json_length(list); i++) {
		struct parameter parameter;
		char index[40], place[WHERE_SIZE];
		const char *in;
		int result;

		snprintf(index, sizeof(index), "parameters/%zu", i);
		loader_place(place, where, index);
		result = load_parameter(loader, json_at(list, i), place, &parameter, &in);
		if (result < 0)
			return result;
		if (strcmp(in, "query") == 0)
			result = put_parameter(loader, endpoint->query, &endpoint->query_count,
					       CONTRACT_ARGUMENTS_MAX - endpoint->header_count,
					       query_inherited, &parameter, false, place);
		else if (strcmp(in, "header") == 0)
			result = put_parameter(loader, endpoint->headers, &endpoint->header_count,
					       CONTRACT_ARGUMENTS_MAX - endpoint->query_count,
					       headers_inherited, &parameter, true, place);
		else
			result = put_parameter(loader, endpoint->path, &endpoint->path_count,
					       CONTRACT_PATH_PARAMETERS_MAX, path_inherited,
					       &parameter, false, place);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Brings the path parameters into the order of the template; each must be on both sides. */
static int order_path(struct loader *loader, struct endpoint *endpoint, const char *where)
{
	const char *position = endpoint->operation.path;
	size_t found = 0;

	while ((position = strchr(position, '{'))) {
		size_t length = strcspn(++position, "}");
		size_t i = found;

		while (i < endpoint->path_count &&
		       (strlen(endpoint->path[i].name) != length ||
			strncmp(endpoint->path[i].name, position, length) != 0))
			i++;
		if (i == endpoint->path_count)
			return loader_refuse(loader->error, where,
					     "the path parameter \"%.*s\" is not declared",
					     (int)length, position);
		struct parameter parameter = endpoint->path[i];

		endpoint->path[i] = endpoint->path[found];
		endpoint->path[found++] = parameter;
	}
	if (found < endpoint->path_count)
		return loader_refuse(loader->error, where,
				     "the path parameter \"%s\" is not in the path",
				     endpoint->path[found].name);
	return 0;
}

int parameters_load(struct loader *loader, const struct json *path_item,
		    const struct json *definition, const char *where, struct endpoint *endpoint)
{
	char place[WHERE_SIZE];
	int result;

	loader_place(place, "#/paths", endpoint->operation.path);
	result = load_list(loader, json_get(path_item, "parameters"), place, endpoint);
	if (result == 0)
		result = load_list(loader, json_get(definition, "parameters"), where, endpoint);
	return result < 0 ? result : order_path(loader, endpoint, where);
}
