/* The form in which an answer is stored. */
#include "keyed.h"

static const char *long_body; /* of handle_long() */

static int handle_long(struct request *made UNUSED, struct response *answer)
{
	handled++;
	if (answer_status >= 400) {
		struct json_writer *json =
			response_problem_begin(answer, answer_status, NULL, "No");
		json_member_string(json, "items", long_body);
		response_problem_end(answer);
		return 0;
	}
	response_json(answer, answer_status);
	text_append_string(&answer->body, long_body);
	response_version(answer, 3);
	return 0;
}

static int ask_again(struct request *made, struct response *answer UNUSED,
		     struct db_statement *ret_statement)
{
	db_statement_set(ret_statement, "SELECT CAST($1 AS TEXT) FROM things",
			 DB_VALUES(db_text(request_resource_id(made))));
	return 0;
}

static int give_again(struct request *made UNUSED, struct response *answer, struct db_rows *rows)
{
	ck_assert_int_eq(db_next(rows), 1);
	response_version(answer, 9);
	struct json_writer *json = response_json(answer, 200);
	json_object_begin(json);
	json_member_string(json, "now", db_column_text(rows, 0, NULL));
	json_object_end(json);
	return 0;
}

static const struct lookup again = {.ask = ask_again, .answer = give_again};

static int read_kept(struct db_conn *conn, void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, "SELECT body FROM idempotency_keys", DB_NO_VALUES, &rows);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(db_next(rows), 1);
	snprintf(argument, 4096, "%s", db_column_text(rows, 0, NULL));
	return 0;
}

START_TEST(a_resource_is_given_again_as_it_is_now)
{
	char kept[4096];
	request.replay = &again;
	request.route.parameters[0] = (struct path_parameter){"id", "thing-7", 7};
	request.route.parameter_count = 1;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(db_read(runtime.db, read_kept, kept), 0);
	ck_assert_str_eq(kept, "{\"id\":\"thing-7\"}");
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(response.status, 201);
	ck_assert_str_eq(text_string(&response.body), "{\"now\":\"thing-7\"}");
	ck_assert_str_eq(response.etag, "\"9\"");
	ck_assert_str_eq(text_string(&response.headers),
			 "Location: /things/1\r\nIdempotent-Replayed: true\r\n");
}
END_TEST

START_TEST(a_refusal_is_given_again_as_it_was)
{
	request.replay = &again;
	answer_status = 409;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(response.status, 409);
	ck_assert_str_eq(response.content_type, "application/problem+json");
}
END_TEST

START_TEST(a_long_answer_is_kept_in_little_room)
{
	char body[50001] = "";
	char kept[4096];
	memset(body, 'a', sizeof(body) - 1);
	long_body = body;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(idempotent_transaction(&request, &response, handle_long), 0);
		ck_assert_int_eq(response.status, 201);
		ck_assert_str_eq(text_string(&response.body), body);
		ck_assert_str_eq(response.content_type, "application/json");
		ck_assert_str_eq(response.etag, "\"3\"");
	}
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(db_read(runtime.db, read_kept, kept), 0);
	ck_assert_uint_lt(strlen(kept), 200);
}
END_TEST

START_TEST(a_long_refusal_is_judged_anew)
{
	char body[2000] = "";
	memset(body, 'a', sizeof(body) - 1);
	long_body = body;
	answer_status = 409;
	ck_assert_int_eq(idempotent_transaction(&request, &response, handle_long), 0);
	ck_assert_int_eq(response.status, 409);
	answer_status = 201;
	ck_assert_int_eq(idempotent_transaction(&request, &response, handle_long), 0);
	ck_assert_int_eq(response.status, 201);
	ck_assert_int_eq(handled, 2);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("idempotency_kept");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_resource_is_given_again_as_it_is_now);
	tcase_add_test(tcase, a_refusal_is_given_again_as_it_was);
	tcase_add_test(tcase, a_long_answer_is_kept_in_little_room);
	tcase_add_test(tcase, a_long_refusal_is_judged_anew);
	return unit_run(tcase, "idempotency_kept");
}
