/* The routing table: a tree of path segments. */
#include "contract/contract_parts.h"

#define METHOD_COUNT 5
#define SEGMENTS_MAX 16

struct route_node {
	const char *segment; /* literal; into the template */
	size_t length;
	struct route_node *sibling;
	struct route_node *literals;  /* children */
	struct route_node *parameter; /* child that takes any segment */
	const struct endpoint *endpoints[METHOD_COUNT];
	const char *path; /* the template that ends here, or NULL */
};

/* ---- building ------------------------------------------------------------------------------- */

static struct route_node *find_literal(const struct route_node *node, const char *segment,
				       size_t length)
{
	struct route_node *child = node->literals;

	while (child && (child->length != length || memcmp(child->segment, segment, length) != 0))
		child = child->sibling;
	return child;
}

static struct route_node *add_child(struct route_node *node, const char *segment, size_t length)
{
	bool parameter = *segment == '{';
	struct route_node *child =
		parameter ? node->parameter : find_literal(node, segment, length);

	if (child)
		return child;
	child = calloc(1, sizeof(*child));
	if (!child)
		return NULL;
	child->segment = segment;
	child->length = length;
	if (parameter) {
		node->parameter = child;
	} else {
		child->sibling = node->literals;
		node->literals = child;
	}
	return child;
}

/* "literal" or "{parameter}", nothing in between. */
static bool is_segment(const char *segment, size_t length)
{
	size_t braces = 0;

	for (size_t i = 0; i < length; i++)
		braces += segment[i] == '{' || segment[i] == '}';
	if (braces == 0)
		return length > 0;
	return braces == 2 && length > 2 && segment[0] == '{' && segment[length - 1] == '}';
}

static int add_endpoint(struct contract *contract, const struct endpoint *endpoint, size_t method,
			struct text *ret_error)
{
	const char *path = endpoint->operation.path, *segment = path;
	struct route_node *node = contract->routes;
	size_t segments = 0;

	if (*segment != '/')
		return loader_refuse(ret_error, path, "a path must begin with /");
	while (*segment == '/' && strcmp(path, "/") != 0) {
		size_t length = strcspn(++segment, "/");

		if (!is_segment(segment, length) || ++segments > SEGMENTS_MAX)
			return loader_refuse(ret_error, path,
					     "a path must be of at most %d segments, each a text "
					     "or a {parameter}",
					     SEGMENTS_MAX);
		node = add_child(node, segment, length);
		if (!node)
			return -ENOMEM;
		segment += length;
	}
	if (node->path && strcmp(node->path, path) != 0)
		return loader_refuse(ret_error, path, "matches the same paths as %s", node->path);
	node->path = path;
	node->endpoints[method] = endpoint;
	return 0;
}

int routes_build(struct contract *contract, struct text *ret_error)
{
	contract->routes = calloc(1, sizeof(*contract->routes));
	if (!contract->routes)
		return -ENOMEM;
	for (size_t i = 0; i < contract->endpoint_count; i++) {
		const struct endpoint *endpoint = &contract->endpoints[i];
		size_t method = 0;
		int result;

		while (operation_methods[method] != endpoint->operation.method)
			method++;
		result = add_endpoint(contract, endpoint, method, ret_error);
		if (result < 0)
			return result;
	}
	return 0;
}

void routes_free(struct route_node *node)
{
	while (node) {
		struct route_node *sibling = node->sibling;

		routes_free(node->literals);
		routes_free(node->parameter);
		free(node);
		node = sibling;
	}
}

/* ---- finding -------------------------------------------------------------------------------- */

static bool is_visible(const struct endpoint *endpoint, bool internal)
{
	return endpoint && (internal || !endpoint->operation.internal);
}

static bool has_visible(const struct route_node *node, bool internal)
{
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (is_visible(node->endpoints[i], internal))
			return true;
	}
	return false;
}

/* Finds the node for the rest of the path, from a '/' on, and the segments that parameters take. */
static const struct route_node *find_node(const struct route_node *node, const char *rest,
					  const char *end, bool internal, struct route *route,
					  size_t depth)
{
	const struct route_node *found, *child;
	const char *stop;

	if (rest == end)
		return has_visible(node, internal) ? node : NULL;
	rest++;
	stop = memchr(rest, '/', (size_t)(end - rest));
	if (!stop)
		stop = end;
	if (stop == rest)
		return NULL;
	child = find_literal(node, rest, (size_t)(stop - rest));
	if (child) {
		found = find_node(child, stop, end, internal, route, depth);
		if (found)
			return found;
	}
	if (!node->parameter || depth == CONTRACT_PATH_PARAMETERS_MAX)
		return NULL;
	found = find_node(node->parameter, stop, end, internal, route, depth + 1);
	if (found) {
		route->parameters[depth].value = rest;
		route->parameters[depth].length = (size_t)(stop - rest);
		if (depth >= route->parameter_count)
			route->parameter_count = depth + 1;
	}
	return found;
}

/* Method names in the order of operation_methods, HEAD with GET. */
static void list_methods(const struct route_node *node, bool internal, char *buffer, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (!is_visible(node->endpoints[i], internal))
			continue;
		used += (size_t)snprintf(buffer + used, size - used, "%s%s", used ? ", " : "",
					 i == 0 ? "GET, HEAD" : operation_methods[i]);
	}
}

static const struct endpoint *find_method(const struct route_node *node, const char *method)
{
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (strcmp(operation_methods[i], method) == 0)
			return node->endpoints[i];
	}
	return NULL;
}

/* Names the parameters; whether all fit their schemas: an id that cannot be one is not found. */
static bool take_parameters(const struct endpoint *endpoint, struct route *route)
{
	for (size_t i = 0; i < endpoint->path_count; i++) {
		struct path_parameter *parameter = &route->parameters[i];

		parameter->name = endpoint->path[i].name;
		if (!schema_check_string(endpoint->path[i].schema, parameter->value,
					 parameter->length, "path", "", NULL))
			return false;
	}
	return true;
}

int contract_route(const struct contract *contract, const char *method, const char *path,
		   bool internal, struct route *ret_route)
{
	struct route route = {0};
	size_t length = strlen(path);
	const struct route_node *node;
	const struct endpoint *endpoint;

	if (*path != '/')
		return -ENOENT;
	/* "/" has no segments, "/products/" those of "/products", "/products//" an empty one. */
	if (path[length - 1] == '/' && (length == 1 || path[length - 2] != '/'))
		length--;
	node = find_node(contract->routes, path, path + length, internal, &route, 0);
	if (!node)
		return -ENOENT;
	endpoint = find_method(node, method);
	if (!is_visible(endpoint, internal)) {
		list_methods(node, internal, ret_route->allow, sizeof(ret_route->allow));
		return -EOPNOTSUPP;
	}
	if (!take_parameters(endpoint, &route))
		return -ENOENT;
	route.operation = &endpoint->operation;
	*ret_route = route;
	return 0;
}
