#include "contracts.h"

/* Parameters of /a/{a}/b/{b} stand in the other order than in the path. */
static const struct contract *const contract = &test_route_contract;

static void start(void)
{
	start_contract(contract);
}

static const struct {
	const char *method, *path;
	bool internal;
	const char *id;            /* NULL: the result is the error */
	const char *parameters[2]; /* name=value */
	int error;
	const char *allow;
} route_cases[] = {
	{"GET", "/things", false, "list", {0}, 0, ""},
	{"GET", "/things/", false, "list", {0}, 0, ""},
	{"HEAD", "/things", false, "list", {0}, 0, ""},
	{"POST", "/things", false, "create", {0}, 0, ""},
	{"GET", "/", false, "getServiceInfo", {0}, 0, ""},
	{"GET", "/openapi.json", false, "getDocument", {0}, 0, ""},
	{"GET", "/docs", false, "getDocs", {0}, 0, ""},
	{"GET", "/docs/", false, "getDocs", {0}, 0, ""},
	{"GET", "/redoc", false, "getRedoc", {0}, 0, ""},
	{"GET",
	 "/docs/a-b.0123456789abcde.js",
	 false,
	 "getDocsFile",
	 {"file=a-b.0123456789abcde.js"},
	 0,
	 ""},
	{"GET", "/docs/a-b.js", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/livez", true, "getLiveness", {0}, 0, ""},
	{"GET", "/readyz", true, "getReadiness", {0}, 0, ""},
	{"GET", "/metrics", true, "getMetrics", {0}, 0, ""},
	{"GET", "/livez", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/things/7", false, "get", {"id=7"}, 0, ""},
	{"GET", "/things/7/", false, "get", {"id=7"}, 0, ""},
	{"HEAD", "/things/7", false, "get", {"id=7"}, 0, ""},
	{"DELETE", "/things/a b\xc3\xa9", false, "remove", {"id=a b\xc3\xa9"}, 0, ""},
	{"POST", "/things/bulk", false, "bulk", {0}, 0, ""},
	{"GET", "/things/bulk/only", false, "only", {0}, 0, ""},
	/* A literal that leads nowhere does not hide the parameter next to it. */
	{"GET", "/things/bulk/parts", false, "parts", {"id=bulk"}, 0, ""},
	{"GET", "/things/bulks", false, "get", {"id=bulks"}, 0, ""},
	{"GET", "/things/secret", true, "secret", {0}, 0, ""},
	{"GET", "/things/secret", false, "get", {"id=secret"}, 0, ""},
	{"GET", "/a/1/b/2", false, "two", {"a=1", "b=2"}, 0, ""},
	{"GET", "/codes/abc", false, "code", {"code=abc"}, 0, ""},
	{"GET", "/codes/abcd", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/codes/ABC", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/internal/x", true, "hidden", {0}, 0, ""},
	{"GET", "/internal/x", false, NULL, {0}, -ENOENT, ""},
	{"POST", "/internal/x", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/internal", true, NULL, {0}, -ENOENT, ""},
	{"GET", "", false, NULL, {0}, -ENOENT, ""},
	{"GET", "things", false, NULL, {0}, -ENOENT, ""},
	{"GET", "//", false, NULL, {0}, -ENOENT, ""},
	{"GET", "//things", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/things//", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/things//parts", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/Things", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/thing", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/things/7/x", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/things/bulk/only/more", false, NULL, {0}, -ENOENT, ""},
	{"GET", "/a/1/b", false, NULL, {0}, -ENOENT, ""},
	{"DELETE", "/things", false, NULL, {0}, -EOPNOTSUPP, "GET, HEAD, POST"},
	{"get", "/things", false, NULL, {0}, -EOPNOTSUPP, "GET, HEAD, POST"},
	{"OPTIONS", "/", false, NULL, {0}, -EOPNOTSUPP, "GET, HEAD"},
	{"PUT", "/things/7", true, "replace", {"id=7"}, 0, ""},
	{"PUT", "/things/7", false, NULL, {0}, -EOPNOTSUPP, "GET, HEAD, DELETE"},
	{"POST", "/things/7", true, NULL, {0}, -EOPNOTSUPP, "GET, HEAD, PUT, DELETE"},
	{"GET", "/things/bulk", false, NULL, {0}, -EOPNOTSUPP, "POST"},
	{"HEAD", "/things/bulk", false, NULL, {0}, -EOPNOTSUPP, "POST"},
};

START_TEST(routing)
{
	struct route route = {0};
	char allow[CONTRACT_ALLOW_SIZE] = "";
	const char *id = route_cases[_i].id;
	size_t count = 0;

	ck_assert_int_eq(contract_route(contract, route_cases[_i].method, route_cases[_i].path,
					route_cases[_i].internal, &route, allow),
			 route_cases[_i].error);
	ck_assert_str_eq(allow, route_cases[_i].allow);
	if (!id) {
		ck_assert_ptr_null(route.operation);
		return;
	}
	ck_assert_str_eq(route.operation->id, id);
	ck_assert_ptr_eq(route.operation, contract_find(contract, id));
	for (; count < 2 && route_cases[_i].parameters[count]; count++) {
		const struct path_parameter *parameter = &route.parameters[count];
		char text[64];

		snprintf(text, sizeof(text), "%s=%.*s", parameter->name, (int)parameter->length,
			 parameter->value);
		ck_assert_str_eq(text, route_cases[_i].parameters[count]);
	}
	ck_assert_uint_eq(route.parameter_count, count);
}
END_TEST

START_TEST(endless_paths_end)
{
	char path[8192];
	struct route route;
	char allow[CONTRACT_ALLOW_SIZE];

	memset(path, 'a', sizeof(path) - 1);
	for (size_t i = 0; i < sizeof(path) - 1; i += 2)
		path[i] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(contract_route(contract, "GET", path, true, &route, allow), -ENOENT);
}
END_TEST

START_TEST(operations_are_in_document_order)
{
	static const char *const ids[] = {"list", "create", "get", "remove", "replace", "bulk"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		ck_assert_str_eq(contract_operation(contract, i)->id, ids[i]);
		ck_assert_uint_eq(contract_operation(contract, i)->index, i);
	}
	/* Twelve above and the eight that every service has. */
	ck_assert_uint_eq(contract_operation_count(contract), 20);
	ck_assert_ptr_null(contract_find(contract, "nothing"));
	ck_assert_str_eq(contract_find(contract, "remove")->method, "DELETE");
	ck_assert_str_eq(contract_find(contract, "remove")->path, "/things/{id}");
	ck_assert(contract_find(contract, "hidden")->internal);
	ck_assert(!contract_find(contract, "remove")->internal);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("route");

	tcase_add_checked_fixture(tcase, start, NULL);
	tcase_add_loop_test(tcase, routing, 0, ARRAY_SIZE(route_cases));
	tcase_add_test(tcase, endless_paths_end);
	tcase_add_test(tcase, operations_are_in_document_order);
	return unit_run(tcase, "route");
}
