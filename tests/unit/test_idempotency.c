#include "store.h"

#include "responder/idempotency.h"

#include "base/clock.h"
#include "responder/service.h"
#include "unit.h"

static const struct db_migration migrations[] = {
	{1, "start",
	 IDEMPOTENCY_SCHEMA IDEMPOTENCY_MEANING "CREATE TABLE things (name TEXT NOT NULL);", NULL,
	 NULL},
};

static struct runtime runtime;
static struct operation operation = {.id = "createThing"};
static struct request request;
static struct response response;
static int answer_status;
static int handled;
static int out_of_memory; /* the error of writing the body */

static void start(void)
{
	store_prepare();
	struct db_options options = store_options();
	options.migrations = migrations;
	options.migration_count = ARRAY_SIZE(migrations);
	runtime.db = store_open_with(&options);
	runtime.keys_full = false;
	request = (struct request){.operation = &operation,
				   .runtime = &runtime,
				   .path = "/things",
				   .query = "",
				   .prefix = "",
				   .body_text = "{\"a\":1}",
				   .body_length = 7,
				   .idempotency_key = "key-1"};
	response_init(&response, "request-1");
	answer_status = 201;
	handled = 0;
	out_of_memory = 0;
}

static void stop(void)
{
	response_release(&response);
	db_close(runtime.db);
	store_remove();
}

/* Makes one thing and answers with answer_status. */
static int handle(struct request *made, struct response *answer)
{
	handled++;
	int64_t changed = db_run(made->db, "INSERT INTO things (name) VALUES ('x')", DB_NO_VALUES);
	if (changed < 0)
		return (int)changed;
	if (answer_status < 0)
		return answer_status;
	if (answer_status >= 400) {
		response_problem(answer, answer_status, NULL, "No");
		return 0;
	}
	struct json_writer *json = response_json(answer, answer_status);
	json_object_begin(json);
	json_member_int(json, "number", handled);
	json_object_end(json);
	response_location(answer, made, "/things/%d", handled);
	response_version(answer, 7);
	answer->body.error = out_of_memory;
	return 0;
}

static int run(void)
{
	return idempotent_transaction(&request, &response, handle);
}

static int count_rows(struct db_conn *conn, void *argument)
{
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	int r = db_query(conn, "SELECT count(*) FROM things", DB_NO_VALUES, &rows);
	if (r == 0 && db_next(rows) == 1)
		*(int64_t *)argument = db_column_int(rows, 0);
	return r;
}

static int64_t things(void)
{
	int64_t count = -1;
	ck_assert_int_eq(db_read(runtime.db, count_rows, &count), 0);
	return count;
}

START_TEST(a_repeated_request_gets_the_stored_answer)
{
	ck_assert_int_eq(run(), 0);
	ck_assert_ptr_null(strstr(text_string(&response.headers), "Idempotent-Replayed"));
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 201);
	ck_assert_str_eq(text_string(&response.body), "{\"number\":1}");
	ck_assert_str_eq(response.etag, "\"7\"");
	ck_assert_str_eq(response.content_type, "application/json");
	ck_assert_str_eq(text_string(&response.headers),
			 "Location: /things/1\r\nIdempotent-Replayed: true\r\n");
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(things(), 1);
}
END_TEST

START_TEST(without_a_key_nothing_is_remembered)
{
	request.idempotency_key = NULL;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 2);
}
END_TEST

START_TEST(another_body_or_path_is_refused)
{
	ck_assert_int_eq(run(), 0);
	request.body_text = "{\"a\":2}";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 422);
	request.body_text = "{\"a\":1}";
	request.path = "/things/other";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 422);
	ck_assert_int_eq(things(), 1);
}
END_TEST

/* As dispatch hands over what it has parsed and normalised. */
static void send(const char *path, const char *body, const char *normal)
{
	struct json_error error;

	json_free(request.body);
	request.body = NULL;
	request.path = path;
	request.body_text = body;
	request.body_length = strlen(body);
	ck_assert_int_eq(json_parse_input(normal, strlen(normal), &request.body, &error), 0);
	ck_assert_int_eq(run(), 0);
}

#define LOWER "/things/0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
#define UPPER "/things/0190A1B2-C3D4-7E5F-8A6B-7C8D9E0F1A2B"

START_TEST(what_means_the_same_is_the_same)
{
	static const struct {
		const char *path, *body, *normal;
		int status;
	} sent[] = {
		{LOWER, "{\"a\":\"\u00d6\"}", "{\"a\":\"\u00d6\"}", 201},
		{UPPER, "{\"a\":\"\u00d6\"}", "{\"a\":\"\u00d6\"}", 201},
		{LOWER "/", "{\"a\":\"\\u00d6\"}", "{\"a\":\"\u00d6\"}", 201},
		{LOWER, "{ \"a\": \" O\u0308\" }", "{\"a\":\"\u00d6\"}", 201},
		{LOWER, "{\"a\":\"\u00f6\"}", "{\"a\":\"\u00f6\"}", 422},
		{"/things/A", "{\"a\":\"\u00d6\"}", "{\"a\":\"\u00d6\"}", 422},
	};

	for (size_t first = 0; first < 4; first++) {
		char key[8];

		snprintf(key, sizeof(key), "key-%zu", first);
		request.idempotency_key = key;
		send(sent[first].path, sent[first].body, sent[first].normal);
		for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
			send(sent[i].path, sent[i].body, sent[i].normal);
			ck_assert_msg(response.status == sent[i].status, "%zu: %zu", first, i);
		}
		ck_assert_int_eq(things(), (int)first + 1);
	}
	json_free(request.body);
	request.body = NULL;
}
END_TEST

static int forget_meaning(struct db_conn *conn, void *argument UNUSED)
{
	return (int)db_run(conn, "UPDATE idempotency_keys SET meaning = NULL", DB_NO_VALUES);
}

/* Of a version, or by a replica, that knows no meaning. */
START_TEST(a_key_that_was_stored_as_sent_fits_what_is_sent)
{
	const char *body = "{ \"a\": \" x \" }";

	send("/things", body, "{\"a\":\"x\"}");
	ck_assert_int_eq(db_transaction(runtime.db, forget_meaning, NULL), 1);
	send("/things", body, "{\"a\":\"x\"}");
	ck_assert_int_eq(response.status, 201);
	send("/things", "{\"a\":\"x\"}", "{\"a\":\"x\"}");
	ck_assert_int_eq(response.status, 422);
	json_free(request.body);
	request.body = NULL;
}
END_TEST

START_TEST(another_operation_has_keys_of_its_own)
{
	ck_assert_int_eq(run(), 0);
	struct operation other = {.id = "createOther"};
	request.operation = &other;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 2);
}
END_TEST

START_TEST(a_refusal_is_rolled_back_and_stored)
{
	answer_status = 409;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 409);
	answer_status = 201;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 409);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_int_eq(handled, 1);
	ck_assert_int_eq(things(), 0);
}
END_TEST

START_TEST(a_refusal_without_a_key_is_rolled_back)
{
	request.idempotency_key = NULL;
	answer_status = 409;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 409);
	ck_assert_int_eq(things(), 0);
}
END_TEST

START_TEST(an_answer_that_is_cut_off_is_not_stored)
{
	out_of_memory = -ENOMEM;
	ck_assert_int_eq(run(), -ENOMEM);
	ck_assert_int_eq(things(), 0);
	out_of_memory = 0;
	ck_assert_int_eq(run(), 0);
	ck_assert_str_eq(text_string(&response.body), "{\"number\":2}");
}
END_TEST

START_TEST(an_error_is_not_stored)
{
	answer_status = 503;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 503);
	answer_status = -EIO;
	ck_assert_int_eq(run(), -EIO);
	answer_status = 201;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 201);
	ck_assert_int_eq(things(), 1);
}
END_TEST

static int claim(struct db_conn *conn, void *argument)
{
	return idempotency_claim(conn, &request, &response, "thing-1", argument);
}

static int forget(struct db_conn *conn, void *argument UNUSED)
{
	return idempotency_forget(conn, operation.id, "thing-1");
}

static int read_resource(struct db_conn *conn, void *id)
{
	return idempotency_resource(conn, &request, id);
}

START_TEST(a_key_tells_what_it_was_claimed_for)
{
	char id[UUID_TEXT_SIZE];
	ck_assert_int_eq(db_transaction(runtime.db, read_resource, id), -ENOENT);
	enum idempotency outcome;
	ck_assert_int_eq(db_transaction(runtime.db, claim, &outcome), 0);
	ck_assert_int_eq(db_transaction(runtime.db, read_resource, id), 0);
	ck_assert_str_eq(id, "thing-1");
	request.idempotency_key = "key-2"; /* claimed for nothing */
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(db_transaction(runtime.db, read_resource, id), -ENOENT);
}
END_TEST

START_TEST(a_running_claim_answers_409_until_it_is_forgotten)
{
	enum idempotency outcome = IDEMPOTENCY_ANSWERED;
	ck_assert_int_eq(db_transaction(runtime.db, claim, &outcome), 0);
	ck_assert_int_eq(outcome, IDEMPOTENCY_NEW);
	ck_assert_int_eq(db_transaction(runtime.db, claim, &outcome), 0);
	ck_assert_int_eq(outcome, IDEMPOTENCY_RUNNING);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 409);
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Retry-After"));

	ck_assert_int_eq(db_transaction(runtime.db, forget, NULL), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 201);
	/* Once answered, it is not running any more. */
	ck_assert_int_eq(db_transaction(runtime.db, claim, &outcome), 0);
	ck_assert_int_eq(outcome, IDEMPOTENCY_ANSWERED);
	ck_assert_int_eq(db_transaction(runtime.db, forget, NULL), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 1);
}
END_TEST

static int age(struct db_conn *conn, void *argument)
{
	int64_t changed = db_run(conn, "UPDATE idempotency_keys SET created_at = created_at - $1",
				 DB_VALUES(db_int(*(int64_t *)argument)));
	return changed < 0 ? (int)changed : 0;
}

static int purge(struct db_conn *conn, void *argument)
{
	*(int64_t *)argument = idempotency_purge(conn, clock_now(), 10);
	return 0;
}

START_TEST(a_key_is_new_again_after_its_life)
{
	ck_assert_int_eq(run(), 0);
	int64_t by = IDEMPOTENCY_LIFETIME - 60 * CLOCK_SECOND;
	ck_assert_int_eq(db_transaction(runtime.db, age, &by), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 1);
	by = 61 * CLOCK_SECOND;
	ck_assert_int_eq(db_transaction(runtime.db, age, &by), 0);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 2);

	int64_t purged = -1;
	ck_assert_int_eq(db_transaction(runtime.db, purge, &purged), 0);
	ck_assert_int_eq(purged, 0);
	by = IDEMPOTENCY_LIFETIME + CLOCK_SECOND;
	ck_assert_int_eq(db_transaction(runtime.db, age, &by), 0);
	ck_assert_int_eq(db_transaction(runtime.db, purge, &purged), 0);
	ck_assert_int_eq(purged, 1);
}
END_TEST

/* ---- in which form an answer is kept --------------------------------------------------------- */

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

static int give_again(struct request *made, struct response *answer)
{
	ck_assert_ptr_nonnull(made->db);
	response_version(answer, 9);
	struct json_writer *json = response_json(answer, 200);
	json_object_begin(json);
	json_member_string(json, "now", request_path_parameter(made, "id"));
	json_object_end(json);
	return 0;
}

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
	request.replay = give_again;
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
	request.replay = give_again;
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

/* One whose time is over is a new one, also before it is purged. */
START_TEST(an_expired_key_is_not_replayed_where_there_are_too_many)
{
	int64_t by = IDEMPOTENCY_LIFETIME + CLOCK_SECOND;

	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(db_transaction(runtime.db, age, &by), 0);
	runtime.keys_full = true;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "\"keys-full\""));
	ck_assert_int_eq(handled, 1);
}
END_TEST

START_TEST(no_new_key_is_taken_where_there_are_too_many)
{
	ck_assert_int_eq(run(), 0);
	runtime.keys_full = true;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 201);
	ck_assert_int_eq(things(), 1);
	request.idempotency_key = "key-2";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "\"keys-full\""));
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Retry-After: 60"));
	ck_assert_int_eq(things(), 1);
	request.idempotency_key = NULL;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 2);
	runtime.keys_full = false;
	request.idempotency_key = "key-2";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(things(), 3);
}
END_TEST

static int count_some(struct db_conn *conn, void *count)
{
	return idempotency_count(conn, 2, count);
}

START_TEST(keys_are_counted_up_to_a_limit)
{
	static const char *const keys[] = {"a", "b", "b", "c"};
	static const int64_t counts[] = {1, 2, 2, 2};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t count = 0;

		request.idempotency_key = keys[i];
		ck_assert_int_eq(run(), 0);
		ck_assert_int_eq(db_read(runtime.db, count_some, &count), 0);
		ck_assert_int_eq(count, counts[i]);
	}
}
END_TEST

#define MANY 100001
#define SOME 9091 /* so many a statement takes in, on a busy machine too: eleven make MANY */

static int add_some(struct db_conn *conn, void *from)
{
	return (int)db_run(conn,
			   "WITH RECURSIVE n (i) AS (SELECT $1 + 1 UNION ALL SELECT i + 1 FROM n"
			   " WHERE i < $1 + $2) INSERT INTO idempotency_keys (operation, key,"
			   " fingerprint, status, headers, content_type, body, created_at)"
			   " SELECT 'o', 'k' || i, '', 200, '', '', '', i FROM n",
			   DB_VALUES(db_int(*(int64_t *)from), db_int(SOME)));
}

static int count_all(struct db_conn *conn, void *count)
{
	return idempotency_count(conn, 10 * MANY, count);
}

START_TEST(more_than_one_statement_counts_are_counted)
{
	int64_t count = 0;

	for (int64_t from = 0; from < MANY; from += SOME)
		ck_assert_int_ge(db_transaction(runtime.db, add_some, &from), 0);
	ck_assert_int_eq(db_read(runtime.db, count_all, &count), 0);
	ck_assert_int_eq(count, MANY);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("idempotency");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_repeated_request_gets_the_stored_answer);
	tcase_add_test(tcase, without_a_key_nothing_is_remembered);
	tcase_add_test(tcase, another_body_or_path_is_refused);
	tcase_add_test(tcase, what_means_the_same_is_the_same);
	tcase_add_test(tcase, a_key_that_was_stored_as_sent_fits_what_is_sent);
	tcase_add_test(tcase, another_operation_has_keys_of_its_own);
	tcase_add_test(tcase, a_refusal_is_rolled_back_and_stored);
	tcase_add_test(tcase, a_refusal_without_a_key_is_rolled_back);
	tcase_add_test(tcase, an_answer_that_is_cut_off_is_not_stored);
	tcase_add_test(tcase, an_error_is_not_stored);
	tcase_add_test(tcase, a_key_tells_what_it_was_claimed_for);
	tcase_add_test(tcase, a_running_claim_answers_409_until_it_is_forgotten);
	tcase_add_test(tcase, a_key_is_new_again_after_its_life);
	tcase_add_test(tcase, a_resource_is_given_again_as_it_is_now);
	tcase_add_test(tcase, a_refusal_is_given_again_as_it_was);
	tcase_add_test(tcase, a_long_answer_is_kept_in_little_room);
	tcase_add_test(tcase, a_long_refusal_is_judged_anew);
	tcase_add_test(tcase, an_expired_key_is_not_replayed_where_there_are_too_many);
	tcase_add_test(tcase, no_new_key_is_taken_where_there_are_too_many);
	tcase_add_test(tcase, keys_are_counted_up_to_a_limit);
	tcase_add_test(tcase, more_than_one_statement_counts_are_counted);
	return unit_run(tcase, "idempotency");
}
