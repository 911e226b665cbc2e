#include "contract/problem.h"
#include "unit.h"

static const struct {
	int status;
	const char *title, *code;
} status_cases[] = {
	{400, "Bad Request", "bad-request"},
	{404, "Not Found", "not-found"},
	{405, "Method Not Allowed", "method-not-allowed"},
	{413, "Content Too Large", "content-too-large"},
	{422, "Unprocessable Content", "unprocessable-content"},
	{429, "Too Many Requests", "too-many-requests"},
	{503, "Service Unavailable", "service-unavailable"},
	{299, "Error", "error"},
	{0, "Error", "error"},
};

START_TEST(names_of_statuses)
{
	ck_assert_str_eq(problem_title(status_cases[_i].status), status_cases[_i].title);
	ck_assert_str_eq(problem_code(status_cases[_i].status), status_cases[_i].code);
}
END_TEST

static const struct {
	int status;
	const char *code, *detail, *request_id, *text;
} write_cases[] = {
	{404, "not-found", "Product not found", "r1",
	 "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"Product not found\","
	 "\"code\":\"not-found\",\"request_id\":\"r1\",\"more\":1}"},
	{409, "insufficient-stock", "\"a\"", "r1",
	 "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"\\\"a\\\"\","
	 "\"code\":\"insufficient-stock\",\"request_id\":\"r1\",\"more\":1}"},
	{500, NULL, NULL, NULL,
	 "{\"title\":\"Internal Server Error\",\"status\":500,"
	 "\"detail\":\"Internal Server Error\",\"code\":\"internal-server-error\","
	 "\"request_id\":\"\",\"more\":1}"},
};

START_TEST(writing)
{
	struct json_writer writer;
	struct text out = TEXT_INIT(4096);

	json_writer_init(&writer, &out);
	problem_begin(&writer, write_cases[_i].status, write_cases[_i].code, write_cases[_i].detail,
		      write_cases[_i].request_id);
	json_member_int(&writer, "more", 1);
	problem_end(&writer);
	ck_assert_str_eq(text_string(&out), write_cases[_i].text);
	text_release(&out);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("problem");

	tcase_add_loop_test(tcase, names_of_statuses, 0, ARRAY_SIZE(status_cases));
	tcase_add_loop_test(tcase, writing, 0, ARRAY_SIZE(write_cases));
	return unit_run(tcase, "problem");
}
