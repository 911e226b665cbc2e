#include "contract/contract.h"

#include "base/embed.h"
#include "contract/contract_parts.h"

EMBED(contract_components, "contract/components.json");

#define SERVED_MAX (4u << 20)

/* ---- components ----------------------------------------------------------------------------- */

static int load_schemas(struct loader *loader, const struct json *schemas)
{
	struct contract *contract = loader->contract;
	size_t count = json_length(schemas);

	contract->named_schemas = calloc(count + 1, sizeof(struct schema *));
	if (!contract->named_schemas || names_init(&contract->schema_names, count) < 0)
		return -ENOMEM;
	json_each (schemas, member) {
		size_t index = contract->schema_names.count;
		char place[WHERE_SIZE];
		int result;

		loader_place(place, "#/components/schemas", member.name);
		result = schema_compile(contract->schemas, member.value, place,
					&contract->named_schemas[index], loader->error);
		if (result < 0)
			return result;
		names_add(&contract->schema_names, member.name, index);
	}
	return 0;
}

static int verify_response(struct loader *loader, const struct json *definition, const char *where)
{
	struct content content = {0};

	return response_load(loader, definition, where, &content);
}

static int verify_request_body(struct loader *loader, const struct json *definition,
			       const char *where)
{
	struct content content = {0};
	struct operation operation = {0};

	return request_body_load(loader, definition, where, &content, &operation);
}

/* Also the components that nothing refers to must be right: they are part of the document. */
static int verify_section(struct loader *loader, const char *name,
			  int (*verify)(struct loader *, const struct json *, const char *))
{
	const struct json *section = json_get(json_get(loader->root, "components"), name);

	char where[WHERE_SIZE], place[WHERE_SIZE];

	if (!section)
		return 0;
	loader_place(where, "#/components", name);
	if (json_type(section) != JSON_OBJECT)
		return loader_refuse(loader->error, where, "must be an object");
	json_each (section, member) {
		int result;

		loader_place(place, where, member.name);
		result = verify(loader, member.value, place);
		if (result < 0)
			return result;
	}
	return 0;
}

static int load_components(struct loader *loader)
{
	static const char *const allowed[] = {"schemas",       "parameters", "headers", "responses",
					      "requestBodies", "examples",   NULL};
	const struct json *components = json_get(loader->root, "components");
	int result = loader_members(loader, components, allowed, "#/components");

	if (result == 0)
		result = load_schemas(loader, json_get(components, "schemas"));
	if (result == 0)
		result = verify_section(loader, "parameters", parameter_verify);
	if (result == 0)
		result = verify_section(loader, "headers", header_verify);
	if (result == 0)
		result = verify_section(loader, "responses", verify_response);
	if (result == 0)
		result = verify_section(loader, "requestBodies", verify_request_body);
	return result;
}

/* ---- paths ---------------------------------------------------------------------------------- */

static int load_operation(struct loader *loader, const struct json *path_item, const char *path,
			  const char *where, size_t method, const struct json *definition)
{
	struct contract *contract = loader->contract;
	struct endpoint *endpoint = &contract->endpoints[contract->endpoint_count];
	char place[WHERE_SIZE];
	int result;

	loader_place(place, where, operation_members[method]);
	endpoint->operation.method = operation_methods[method];
	endpoint->operation.path = path;
	endpoint->operation.index = contract->endpoint_count++;
	result = operation_load(loader, path_item, definition, place, endpoint);
	if (result < 0)
		return result;
	if (names_add(&contract->operation_names, endpoint->operation.id,
		      endpoint->operation.index) < 0)
		return loader_refuse(loader->error, place, "the operationId \"%s\" is there twice",
				     endpoint->operation.id);
	return 0;
}

static size_t find_method(const char *member_name)
{
	size_t method = 0;

	while (method < ARRAY_SIZE(operation_members) &&
	       strcmp(operation_members[method], member_name) != 0)
		method++;
	return method;
}

static int load_path_item(struct loader *loader, const struct json *path_item, const char *path)
{
	static const char *const allowed[] = {"get",         "post",       "put",     "patch",
					      "delete",      "parameters", "servers", "summary",
					      "description", NULL};
	char place[WHERE_SIZE];

	loader_place(place, "#/paths", path);
	if (loader_members(loader, path_item, allowed, place) < 0)
		return -EINVAL;
	if (json_get(path_item, "x-internal"))
		return loader_refuse(loader->error, place, "x-internal belongs to operations");
	json_each (path_item, member) {
		size_t method = find_method(member.name);
		int result;

		if (method == ARRAY_SIZE(operation_members))
			continue;
		result = load_operation(loader, path_item, path, place, method, member.value);
		if (result < 0)
			return result;
	}
	return 0;
}

static size_t count_operations(const struct json *paths)
{
	size_t count = 0;

	json_each (paths, path) {
		for (size_t i = 0; i < ARRAY_SIZE(operation_members); i++)
			count += json_get(path.value, operation_members[i]) != NULL;
	}
	return count;
}

static int load_paths(struct loader *loader)
{
	struct contract *contract = loader->contract;
	const struct json *paths = json_get(loader->root, "paths");
	size_t count = count_operations(paths);

	contract->endpoints = calloc(count + 1, sizeof(*contract->endpoints));
	if (!contract->endpoints || names_init(&contract->operation_names, count) < 0)
		return -ENOMEM;
	json_each (paths, path) {
		int result = 0;

		if (strncmp(path.name, "x-", 2) != 0)
			result = load_path_item(loader, path.value, path.name);
		if (result < 0)
			return result;
	}
	return routes_build(contract, loader->error);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int check_root(struct loader *loader)
{
	static const char *const root[] = {"openapi",    "info", "servers",      "paths",
					   "components", "tags", "externalDocs", NULL};
	static const char *const info[] = {"title",   "summary", "description", "termsOfService",
					   "contact", "license", "version",     NULL};
	const struct json *tags = json_get(loader->root, "tags");

	if (loader_members(loader, loader->root, root, "#") < 0 ||
	    loader_members(loader, json_get(loader->root, "info"), info, "#/info") < 0)
		return -EINVAL;
	if (!json_get_string(json_get(loader->root, "info"), "title", NULL))
		return loader_refuse(loader->error, "#/info", "needs a title");
	if (tags && json_type(tags) != JSON_ARRAY)
		return loader_refuse(loader->error, "#/tags", "must be a list");
	return 0;
}

static int serve_documents(struct contract *contract)
{
	int result = 0;

	for (int internal = 0; internal <= 1 && result == 0; internal++)
		result = document_serve(contract->document, internal, &contract->served[internal]);
	return result;
}

DEFINE_CLEANUP(struct contract, contract_free)

int contract_load(const char *document, size_t length, struct currency currency,
		  const char *version, struct contract **ret_contract, struct text *ret_error)
{
	struct contract *contract CLEANUP(contract_free_p) = calloc(1, sizeof(*contract));
	struct loader loader = {.contract = contract, .error = ret_error};
	int result;

	if (!contract)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(contract->served); i++)
		text_init(&contract->served[i], SERVED_MAX);
	result = document_make(document, length, contract_components, contract_components_size,
			       currency, version, &contract->document, ret_error);
	if (result < 0)
		return result;
	loader.root = contract->document;
	result = schema_set_create(contract->document, &contract->schemas);
	if (result == 0)
		result = check_root(&loader);
	if (result == 0)
		result = load_components(&loader);
	if (result == 0)
		result = load_paths(&loader);
	if (result == 0)
		result = serve_documents(contract);
	if (result < 0)
		return result;
	*ret_contract = contract;
	contract = NULL;
	return 0;
}

void contract_free(struct contract *contract)
{
	if (!contract)
		return;
	routes_free(contract->routes);
	for (size_t i = 0; i < contract->endpoint_count; i++)
		free(contract->endpoints[i].answers);
	free(contract->endpoints);
	names_release(&contract->operation_names);
	names_release(&contract->schema_names);
	free(contract->named_schemas);
	schema_set_free(contract->schemas);
	for (size_t i = 0; i < ARRAY_SIZE(contract->served); i++)
		text_release(&contract->served[i]);
	json_free(contract->document);
	free(contract);
}

size_t contract_document_server(const struct contract *contract, bool internal)
{
	static const char last[] = "\"servers\":[{\"url\":\".\"}]}";
	const struct text *text = &contract->served[internal];
	size_t start = text->length - strlen(last);

	return strcmp(text_string(text) + start, last) == 0
		       ? start + strlen("\"servers\":[{\"url\":\"")
		       : 0;
}

size_t contract_operation_count(const struct contract *contract)
{
	return contract->endpoint_count;
}

const struct operation *contract_operation(const struct contract *contract, size_t index)
{
	return &contract->endpoints[index].operation;
}

const struct operation *contract_find(const struct contract *contract, const char *operation_id)
{
	size_t index = names_find(&contract->operation_names, operation_id);

	return index == NAMES_NONE ? NULL : &contract->endpoints[index].operation;
}

const char *contract_document(const struct contract *contract, bool internal, size_t *ret_length)
{
	const struct text *text = &contract->served[internal];

	*ret_length = text->length;
	return text_string(text);
}
