/* Finds operations by walking down the tree of path segments. */
#include "contract/contract_parts.h"

static const char *const methods[METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static const struct route_node *find_literal(const struct route_node *node, const char *segment,
					     size_t length)
{
	for (size_t i = 0; i < node->literal_count; i++) {
		const struct route_node *child = &node->literals[i];

		if (child->length == length && memcmp(child->segment, segment, length) == 0)
			return child;
	}
	return NULL;
}

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

/* Finds the node for the rest of the path, which begins with '/', and the segments that are
 * parameters. */
static const struct route_node *find_node(const struct route_node *node, const char *rest,
					  const char *end, bool internal, struct route *route,
					  size_t depth)
{
	const struct route_node *found;

	if (rest == end)
		return has_visible(node, internal) ? node : NULL;
	rest++;
	const char *stop = memchr(rest, '/', (size_t)(end - rest));
	if (!stop)
		stop = end;
	if (stop == rest)
		return NULL;
	const struct route_node *child = find_literal(node, rest, (size_t)(stop - rest));
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

/* Lists method names in the order of methods, HEAD along with GET. */
static void list_methods(const struct route_node *node, bool internal,
			 char buffer[CONTRACT_ALLOW_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (!is_visible(node->endpoints[i], internal))
			continue;
		used += (size_t)snprintf(buffer + used, CONTRACT_ALLOW_SIZE - used, "%s%s",
					 used ? ", " : "", i == 0 ? "GET, HEAD" : methods[i]);
	}
}

static const struct endpoint *find_method(const struct route_node *node, const char *method)
{
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (strcmp(methods[i], method) == 0)
			return node->endpoints[i];
	}
	return NULL;
}

/* Names the parameters. False: one does not fit its schema, so such a thing cannot exist. */
static bool take_parameters(const struct endpoint *endpoint, struct route *route)
{
	for (size_t i = 0; i < endpoint->path.count; i++) {
		struct path_parameter *parameter = &route->parameters[i];

		parameter->name = endpoint->path.list[i].name;
		if (!schema_check_string(endpoint->path.list[i].schema, parameter->value,
					 parameter->length, "path", "", NULL))
			return false;
	}
	return true;
}

int contract_route(const struct contract *contract, const char *method, const char *path,
		   bool internal, struct route *ret_route, char reterr_allow[CONTRACT_ALLOW_SIZE])
{
	struct route route = {0};
	size_t length = strlen(path);

	if (*path != '/')
		return -ENOENT;
	/* "/" has no segments; "/products/" has those of "/products"; "/products//" has an empty
	 * one. */
	if (path[length - 1] == '/' && (length == 1 || path[length - 2] != '/'))
		length--;
	const struct route_node *node =
		find_node(contract->routes, path, path + length, internal, &route, 0);
	if (!node)
		return -ENOENT;
	const struct endpoint *endpoint = find_method(node, method);
	if (!is_visible(endpoint, internal)) {
		list_methods(node, internal, reterr_allow);
		return -EOPNOTSUPP;
	}
	if (!take_parameters(endpoint, &route))
		return -ENOENT;
	route.operation = &endpoint->operation;
	*ret_route = route;
	return 0;
}
