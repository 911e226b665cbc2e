#include "keyed.h"

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

static const struct principal subjects[] = {
	{.kind = PRINCIPAL_ALL},
	{.kind = PRINCIPAL_USER, .subject = "ada"},
	{.kind = PRINCIPAL_USER, .subject = "bob"},
	{.kind = PRINCIPAL_NOBODY},
	{.kind = PRINCIPAL_NOBODY, .cart_secret = "gst_a"},
	{.kind = PRINCIPAL_NOBODY, .cart_secret = "gst_b"},
};

START_TEST(each_subject_has_keys_of_its_own)
{
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		request.principal = subjects[i];
		ck_assert_int_eq(run(), 0);
		ck_assert_int_eq(handled, (int)i + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		char body[32];

		request.principal = subjects[i];
		ck_assert_int_eq(run(), 0);
		snprintf(body, sizeof(body), "{\"number\":%zu}", i + 1);
		ck_assert_str_eq(text_string(&response.body), body);
	}
	ck_assert_int_eq(things(), ARRAY_SIZE(subjects));
}
END_TEST

START_TEST(a_token_counts_before_a_secret)
{
	request.principal = subjects[1];
	ck_assert_int_eq(run(), 0);
	request.principal.cart_secret = "gst_a";
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 1);
}
END_TEST

/* As before there were subjects. */
START_TEST(where_nobody_is_asked_it_is_the_key_alone)
{
	request.principal = (struct principal){.kind = PRINCIPAL_ALL};
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(store_number(runtime.db,
				      "SELECT COUNT(*) FROM idempotency_keys WHERE key = 'key-1'"),
			 1);
}
END_TEST

static int find_text(struct db_conn *conn, void *argument)
{
	return db_exists(conn, "SELECT 1 FROM idempotency_keys WHERE key LIKE '%' || $1 || '%'",
			 DB_VALUES(db_text(argument)));
}

START_TEST(a_secret_is_not_stored)
{
	request.principal = subjects[4];
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(db_read(runtime.db, find_text, "key-1"), 1);
	ck_assert_int_eq(db_read(runtime.db, find_text, "gst_"), 0);
}
END_TEST

START_TEST(the_longest_key_of_the_longest_subject)
{
	char key[258];
	struct principal *principal = &request.principal;

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	request.idempotency_key = key;
	principal->kind = PRINCIPAL_USER;
	memset(principal->subject, 's', sizeof(principal->subject) - 1);
	ck_assert_int_eq(run(), 0);
	key[sizeof(key) - 2] = 'l';
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 2);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(handled, 2);
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

/* As dispatch passes on what it has parsed and normalised. */
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

/* Written by an earlier version, or by a replica that knows no meaning. */
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

int main(void)
{
	TCase *tcase = tcase_create("idempotency");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_repeated_request_gets_the_stored_answer);
	tcase_add_test(tcase, without_a_key_nothing_is_remembered);
	tcase_add_test(tcase, each_subject_has_keys_of_its_own);
	tcase_add_test(tcase, a_token_counts_before_a_secret);
	tcase_add_test(tcase, where_nobody_is_asked_it_is_the_key_alone);
	tcase_add_test(tcase, a_secret_is_not_stored);
	tcase_add_test(tcase, the_longest_key_of_the_longest_subject);
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
	return unit_run(tcase, "idempotency");
}
