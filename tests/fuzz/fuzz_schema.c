/* contract/: a body against the schema of an operation, and as an answer of it. The first two bytes
 * choose the operation, the rest is the body. The normal form of its texts is their own. */
#include "contracts.h"

static void check_request(const struct contract *contract, const struct operation *operation,
			  struct json *body)
{
	struct violations violations CLEANUP(violations_release) = {0};
	struct violations again CLEANUP(violations_release) = {0};
	bool fits = contract_check_body(contract, operation, "application/json", body, &violations);
	struct json *normal CLEANUP(json_free_p) = json_copy(body);
	fuzz_check(fits == (violations.total == 0));
	fuzz_check_report(&violations);
	fuzz_check(normal);
	fuzz_check(contract_check_body(contract, operation, "application/json", body, &again) ==
		   fits);
	fuzz_check(json_equal(body, normal));
}

static void check_response(const struct contract *contract, const struct operation *operation,
			   const char *text, size_t length)
{
	static const int statuses[] = {200, 201, 422};
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct violations violations CLEANUP(violations_release) = {0};
		const char *type =
			statuses[i] < 400 ? "application/json" : "application/problem+json";
		bool fits = contract_check_response(contract, operation, statuses[i], type, text,
						    length, &violations);
		fuzz_check(fits == (violations.total == 0));
		fuzz_check_report(&violations);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {(const char *)data, size};
	const struct contract *contract = fuzz_contract(fuzz_byte(&input));
	const struct operation *operation = fuzz_operation(contract, fuzz_byte(&input));
	char *text CLEANUP(free_p) = fuzz_rest(&input);
	struct json *body CLEANUP(json_free_p) = NULL;
	struct json_error error;

	check_response(contract, operation, text, input.size);
	if (operation->has_body && contract_body_is_json(contract, operation, "application/json") &&
	    json_parse(text, input.size, JSON_DEPTH_MAX, &body, &error) == 0)
		check_request(contract, operation, body);
	return 0;
}
