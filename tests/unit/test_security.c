#include "contracts.h"
#include "json_values.h"

static const struct contract *const contract = &test_security_contract;

static uint64_t scope(const char *name)
{
	return contract_scope(contract, name);
}

START_TEST(scopes_are_numbered_once)
{
	const char *const *scopes = contract_scopes(contract);

	ck_assert_str_eq(scopes[0], "prices:write");
	ck_assert_str_eq(scopes[1], "stock:read");
	ck_assert_str_eq(scopes[2], "stock:write");
	ck_assert_str_eq(scopes[3], "things:write");
	ck_assert_ptr_null(scopes[4]);
	ck_assert_uint_eq(scope("prices:write"), 1);
	ck_assert_uint_eq(scope("things:write"), 8);
}
END_TEST

static const struct {
	const char *operation;
	unsigned callers;
	const char *scopes[2];
} rules[] = {
	{"list", ACCESS_ANYONE, {NULL}},
	{"create", ACCESS_NOBODY | ACCESS_CUSTOMER, {"things:write"}},
	{"replace", ACCESS_GUEST, {"things:write", "stock:write"}},
	{"remove", ACCESS_SERVICE, {NULL}},
	{"getMetrics", ACCESS_ANYONE, {NULL}},
};

START_TEST(an_operation_has_its_rule)
{
	const struct access_rule *rule = &contract_find(contract, rules[_i].operation)->access;
	uint64_t scopes = 0;

	for (size_t i = 0; i < 2 && rules[_i].scopes[i]; i++)
		scopes |= scope(rules[_i].scopes[i]);
	ck_assert_uint_eq(rule->callers, rules[_i].callers);
	ck_assert_uint_eq(rule->scopes, scopes);
}
END_TEST

static const char *no_header(void *context UNUSED, const char *name UNUSED)
{
	return NULL;
}

static uint64_t scopes_of_query(const char *query)
{
	struct arguments arguments CLEANUP(arguments_release) = {0};
	struct violations violations CLEANUP(violations_release) = {0};

	ck_assert_int_eq(contract_check_parameters(contract, contract_find(contract, "list"), query,
						   no_header, NULL, &arguments, &violations),
			 0);
	return arguments.scopes;
}

START_TEST(a_parameter_takes_its_scope_where_it_is_sent)
{
	ck_assert_uint_eq(scopes_of_query(NULL), 0);
	ck_assert_uint_eq(scopes_of_query("q=low"), 0);
	ck_assert_uint_eq(scopes_of_query("q=a&low=false"), scope("stock:read"));
	ck_assert_uint_eq(scopes_of_query("%6cow=true"), scope("stock:read"));
	/* Whatever its value is. */
	ck_assert_uint_eq(scopes_of_query("low=maybe"), scope("stock:read"));
	ck_assert_uint_eq(scopes_of_query("low=%zz"), scope("stock:read"));
	ck_assert_uint_eq(scopes_of_query("low"), scope("stock:read"));
}
END_TEST

static uint64_t scopes_of_body(const char *text)
{
	struct json *body CLEANUP(json_free_p) = parse(text);
	uint64_t of_line = contract_schema_scopes(contract, "Line", body);
	uint64_t scopes = contract_body_scopes(contract, contract_find(contract, "create"),
					       "application/json; charset=utf-8", body);

	ck_assert_uint_eq(scopes, of_line);
	return scopes;
}

START_TEST(a_member_takes_its_scope_where_it_is_sent)
{
	ck_assert_uint_eq(scopes_of_body("{}"), 0);
	ck_assert_uint_eq(scopes_of_body("[]"), 0);
	ck_assert_uint_eq(scopes_of_body("null"), 0);
	ck_assert_uint_eq(scopes_of_body("{\"name\": \"stock\"}"), 0);
	ck_assert_uint_eq(scopes_of_body("{\"stock\": 1}"), scope("stock:write"));
	ck_assert_uint_eq(scopes_of_body("{\"stock\": null}"), scope("stock:write"));
	ck_assert_uint_eq(scopes_of_body("{\"price\": [], \"stock\": {}}"),
			  scope("stock:write") | scope("prices:write"));
}
END_TEST

START_TEST(what_is_no_body_takes_no_scope)
{
	const struct operation *operation = contract_find(contract, "create");

	ck_assert_uint_eq(contract_body_scopes(contract, operation, "text/plain", NULL), 0);
}
END_TEST

static bool serves(bool internal, const char *text)
{
	struct text document CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	start_contract(contract);
	contract_write_document(contract, internal, ".", &document);
	return strstr(text_string(&document), text);
}

START_TEST(the_served_document_tells_it)
{
	ck_assert(serves(false, "\"security\":[{},{\"token\":[]},{\"token\":[\"things:write\"]}]"));
	ck_assert(serves(false, "\"x-scope\":\"stock:read\""));
	ck_assert(serves(false, "\"token\":{\"type\":\"http\""));
	ck_assert(serves(false, "\"cartSecret\":{\"type\":\"apiKey\""));
	/* Just those that it uses. */
	ck_assert(!serves(false, "\"service\":"));
	ck_assert(serves(true, "\"service\":{\"type\":\"http\""));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("security");

	tcase_add_test(tests, scopes_are_numbered_once);
	tcase_add_loop_test(tests, an_operation_has_its_rule, 0, ARRAY_SIZE(rules));
	tcase_add_test(tests, a_parameter_takes_its_scope_where_it_is_sent);
	tcase_add_test(tests, a_member_takes_its_scope_where_it_is_sent);
	tcase_add_test(tests, what_is_no_body_takes_no_scope);
	tcase_add_test(tests, the_served_document_tells_it);
	return unit_run(tests, "security");
}
