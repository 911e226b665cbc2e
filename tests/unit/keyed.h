/* What the tests of Idempotency-Keys share: a store, and a handler that makes one thing a call. */
#ifndef TESTS_UNIT_KEYED_H
#define TESTS_UNIT_KEYED_H

#include "store.h"

#include "base/clock.h"
#include "responder/idempotency.h"
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

static UNUSED int64_t things(void)
{
	int64_t count = -1;
	ck_assert_int_eq(db_read(runtime.db, count_rows, &count), 0);
	return count;
}

/* Makes all keys older by so much. */
static UNUSED int age(struct db_conn *conn, void *argument)
{
	int64_t changed = db_run(conn, "UPDATE idempotency_keys SET created_at = created_at - $1",
				 DB_VALUES(db_int(*(int64_t *)argument)));
	return changed < 0 ? (int)changed : 0;
}

#endif
