#include "base/json.h"
#include "responder/response.h"
#include "unit.h"

static struct response response;

static void start(void)
{
	response_init(&response, "request-1");
}

static void stop(void)
{
	response_release(&response);
}

static struct json *body(void)
{
	struct json *value = NULL;
	struct json_error error;
	ck_assert_int_eq(json_parse(text_string(&response.body), response.body.length,
				    JSON_DEPTH_MAX, &value, &error),
			 0);
	return value;
}

START_TEST(headers_cannot_be_injected)
{
	response_header(&response, "X-Fine", "%s", "one");
	response_header(&response, "X-Evil", "%s", "one\r\nSet-Cookie: two");
	response_header(&response, "X-Evil", "%s", "tab\tand\x7f");
	ck_assert_str_eq(text_string(&response.headers), "X-Fine: one\r\n");
}
END_TEST

START_TEST(a_location_has_the_prefix)
{
	struct request request = {.prefix = "/shop"};
	response_location(&response, &request, "/products/%s", "7");
	ck_assert_str_eq(text_string(&response.headers), "Location: /shop/products/7\r\n");
}
END_TEST

START_TEST(a_problem_replaces_what_was_there)
{
	json_object_begin(response_json(&response, 200));
	response_header(&response, "Location", "/x");
	response_version(&response, 3);
	response_not_found(&response, "Product");

	ck_assert_int_eq(response.status, 404);
	ck_assert_str_eq(response.etag, "");
	ck_assert_uint_eq(response.headers.length, 0);
	struct json *value CLEANUP(json_free_p) = body();
	ck_assert_str_eq(json_get_string(value, "detail", ""), "Product not found");
	ck_assert_str_eq(json_get_string(value, "code", ""), "not-found");
	ck_assert_str_eq(json_get_string(value, "request_id", ""), "request-1");
	ck_assert_int_eq(json_int(json_get(value, "status")), 404);
}
END_TEST

START_TEST(a_problem_takes_extension_members)
{
	struct json_writer *json =
		response_problem_begin(&response, 409, "insufficient-stock", "Short");
	json_member_int(json, "available", 2);
	response_problem_end(&response);
	struct json *value CLEANUP(json_free_p) = body();
	ck_assert_int_eq(json_int(json_get(value, "available")), 2);
}
END_TEST

static const struct {
	int error;
	int status;
	const char *code;
	bool retry;
} errors[] = {
	{-EHOSTDOWN, 503, "unavailable", true},      {-ETIMEDOUT, 503, "timeout", true},
	{-EAGAIN, 503, "overloaded", true},          {-ECANCELED, 503, "draining", true},
	{-ENOMEM, 503, "out-of-memory", true},       {-ENOSPC, 503, "storage-full", true},
	{-EIO, 500, "internal-server-error", false}, {-EINVAL, 500, "internal-server-error", false},
	{-ECONNABORTED, 400, "bad-request", false},
};

START_TEST(errors_become_problems)
{
	response_error(&response, errors[_i].error);
	ck_assert_int_eq(response.status, errors[_i].status);
	ck_assert_int_eq(strstr(text_string(&response.headers), "Retry-After: ") != NULL,
			 errors[_i].retry);
	struct json *value CLEANUP(json_free_p) = body();
	ck_assert_str_eq(json_get_string(value, "code", ""), errors[_i].code);
}
END_TEST

static const struct {
	const char *if_match;
	bool goes_on;
} preconditions[] = {{NULL, true}, {"\"5\"", true}, {"*", true}, {"\"4\"", false}};

START_TEST(if_match_guards_a_change)
{
	struct request request = {.if_match = preconditions[_i].if_match};
	ck_assert(request_precondition(&request, &response, 5) == preconditions[_i].goes_on);
	ck_assert_int_eq(response.status, preconditions[_i].goes_on ? 0 : 412);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("response");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, headers_cannot_be_injected);
	tcase_add_test(tcase, a_location_has_the_prefix);
	tcase_add_test(tcase, a_problem_replaces_what_was_there);
	tcase_add_test(tcase, a_problem_takes_extension_members);
	tcase_add_loop_test(tcase, errors_become_problems, 0, ARRAY_SIZE(errors));
	tcase_add_loop_test(tcase, if_match_guards_a_change, 0, ARRAY_SIZE(preconditions));
	return unit_run(tcase, "response");
}
