#include "contracts.h"

static const struct contract *const contract = &test_body_contract;
static struct violations violations;

static void start(void)
{
	start_contract(contract);
}

static void stop(void)
{
	violations_release(&violations);
}

static const struct {
	const char *operation, *content_type;
	bool taken, json;
} type_cases[] = {
	{"a", "application/json", true, true},
	{"a", "application/json;charset=utf-8", true, true},
	{"a", "Application/JSON ; charset=utf-8", true, true},
	{"a", "application/merge-patch+json", true, true},
	{"a", "application/x-ndjson", true, false},
	{"a", "application/jsonx", false, false},
	{"a", "application/jso", false, false},
	{"a", "text/plain", false, false},
	{"a", "", false, false},
	{"a", NULL, false, false},
	{"b", "text/csv", true, false},
	{"c", "application/json", false, false},
};

START_TEST(content_types)
{
	const struct operation *operation = contract_find(contract, type_cases[_i].operation);

	ck_assert_int_eq(
		contract_check_content_type(contract, operation, type_cases[_i].content_type),
		type_cases[_i].taken ? 0 : -EPROTONOSUPPORT);
	ck_assert_int_eq(contract_body_is_json(contract, operation, type_cases[_i].content_type),
			 type_cases[_i].json);
}
END_TEST

START_TEST(whether_there_is_a_body)
{
	ck_assert(contract_find(contract, "a")->has_body);
	ck_assert(contract_find(contract, "a")->body_required);
	ck_assert(contract_find(contract, "b")->has_body);
	ck_assert(!contract_find(contract, "b")->body_required);
	ck_assert(!contract_find(contract, "c")->has_body);
}
END_TEST

START_TEST(checking_a_body)
{
	const struct operation *operation = contract_find(contract, "a");
	struct json *body = json_new_object();

	ck_assert(contract_check_body(contract, operation, "application/merge-patch+json", body,
				      &violations));
	ck_assert(!contract_check_body(contract, operation, "application/json", body, &violations));
	ck_assert_uint_eq(violations.total, 5);
	ck_assert_str_eq(violations.list[0].in, "body");
	ck_assert_str_eq(violations.list[0].pointer, "/title");
	ck_assert_str_eq(violations.list[0].detail, "is required");
	ck_assert(!contract_check_body(contract, operation, "application/x-ndjson", body,
				       &violations));
	json_free(body);
}
END_TEST

#define PROBLEM_OF(code)                                                                           \
	"{\"title\":\"T\",\"status\":404,\"detail\":\"d\",\"code\":\"" code                        \
	"\",\"request_id\":\"r\""
#define PROBLEM PROBLEM_OF("not-found")
#define INVALID PROBLEM_OF("invalid-request")

static const struct {
	int status;
	const char *content_type, *body, *pointer, *detail;
} response_cases[] = {
	{200, "application/json", "{\"id\":\"1\"}", "", NULL},
	{200, "application/json; charset=utf-8", "{\"id\":\"1\"}", "", NULL},
	{200, "application/json", "{\"id\":1}", "/id", "must be a string, not a number"},
	{200, "application/json", "{\"id\":\"1\",\"more\":1}", "/more", "unknown member"},
	{200, "application/json", "{}", "/id", "is required"},
	{200, "application/json", "", "", "is not JSON: unexpected end at line 1, column 1"},
	{200, "text/plain; version=0.0.4", "anything", "", NULL},
	{200, "text/html", "x", "", "200 with the Content-Type \"text/html\" is not declared"},
	{200, NULL, "", "", "200 with the Content-Type \"\" is not declared"},
	{204, NULL, "", "", NULL},
	{204, "application/json", "{}", "", "204 has no body in the document"},
	{201, "application/json", "{}", "", "the status 201 is not declared"},
	{404, "application/problem+json", PROBLEM "}", "", NULL},
	{404, "application/problem+json", PROBLEM ",\"available\":3}", "", NULL},
	{404, "application/problem+json", PROBLEM_OF("gone") "}", "/code",
	 "must be one of \"not-found\""},
	{422, "application/problem+json",
	 INVALID ",\"errors\":[{\"in\":\"query\",\"pointer\":\"/q\",\"detail\":\"d\"}]}", "", NULL},
	{422, "application/problem+json",
	 INVALID ",\"errors\":[{\"in\":\"cookie\",\"pointer\":\"/q\",\"detail\":\"d\"}]}",
	 "/errors/0/in", "must be one of \"body\", \"query\", \"header\", \"path\""},
	{422, "application/problem+json", INVALID "}", "/errors", "is required"},
	{422, "application/problem+json", INVALID ",\"errors\":[]}", "/errors",
	 "must have at least 1 item"},
	{404, "application/json", PROBLEM "}", "",
	 "404 with the Content-Type \"application/json\" is not declared"},
};

START_TEST(checking_responses)
{
	const char *body = response_cases[_i].body, *detail = response_cases[_i].detail;

	bool fits = contract_check_response(
		contract, contract_find(contract, "a"), response_cases[_i].status,
		response_cases[_i].content_type, body, strlen(body), &violations);
	ck_assert_int_eq(fits, !detail);
	ck_assert_uint_eq(violations.total, detail ? 1 : 0);
	if (!detail)
		return;
	ck_assert_str_eq(violations.list[0].in, "response");
	ck_assert_str_eq(violations.list[0].pointer, response_cases[_i].pointer);
	ck_assert_str_eq(violations.list[0].detail, detail);
}
END_TEST

START_TEST(the_document_fits_its_own_declaration)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1u << 20);

	contract_write_document(contract, true, ".", &text);
	ck_assert(contract_check_response(contract, contract_find(contract, "getDocument"), 200,
					  "application/json", text_string(&text), text.length,
					  &violations));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("body");

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, content_types, 0, ARRAY_SIZE(type_cases));
	tcase_add_test(tcase, whether_there_is_a_body);
	tcase_add_test(tcase, checking_a_body);
	tcase_add_loop_test(tcase, checking_responses, 0, ARRAY_SIZE(response_cases));
	tcase_add_test(tcase, the_document_fits_its_own_declaration);
	return unit_run(tcase, "body");
}
