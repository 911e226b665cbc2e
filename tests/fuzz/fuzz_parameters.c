/* contract/: query and header parameters of an operation, and routing. The first two bytes choose
 * the operation; then a line each: the query, the path, the value of every header. */
#include "contracts.h"

static const char *header(void *context, UNUSED const char *name)
{
	return context;
}

static void check_arguments(const struct arguments *arguments)
{
	fuzz_check(arguments->count <= CONTRACT_ARGUMENTS_MAX);
	for (size_t i = 0; i < arguments->count; i++) {
		const struct argument *argument = &arguments->list[i];
		fuzz_check(strlen(argument->text) == argument->length);
		fuzz_check(arguments_find(arguments, argument->name) == argument);
	}
}

static void check_route(const struct contract *contract, const char *method, const char *path)
{
	struct route route = {0};
	char allow[CONTRACT_ALLOW_SIZE] = "";
	int r = contract_route(contract, method, path, true, &route, allow);
	fuzz_check(r == 0 || r == -ENOENT || r == -EOPNOTSUPP);
	if (r == -EOPNOTSUPP)
		fuzz_check(memchr(allow, '\0', sizeof(allow)) && allow[0]);
	for (size_t i = 0; r == 0 && i < route.parameter_count; i++) {
		const struct path_parameter *parameter = &route.parameters[i];
		fuzz_check(parameter->length > 0 && parameter->value >= path);
		fuzz_check(parameter->value + parameter->length <= path + strlen(path));
		fuzz_check(!memchr(parameter->value, '/', parameter->length));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	const struct contract *contract = fuzz_contract(fuzz_byte(&input));
	const struct operation *operation = fuzz_operation(contract, fuzz_byte(&input));
	char *query CLEANUP(free_p) = fuzz_line(&input);
	char *path CLEANUP(free_p) = fuzz_line(&input);
	char *value CLEANUP(free_p) = fuzz_line(&input);
	struct arguments arguments CLEANUP(arguments_release) = {0};
	struct violations violations CLEANUP(violations_release) = {0};

	fuzz_check(contract_check_parameters(contract, operation, query, header,
					     *value ? value : NULL, &arguments, &violations) == 0);
	check_arguments(&arguments);
	fuzz_check_report(&violations);
	check_route(contract, operation->method, path);
	check_route(contract, query, path);
	return 0;
}
