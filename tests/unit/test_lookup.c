/* A look-up's two functions: what is asked for stays, each runs once, some need no rows. */
#include "store.h"

#include "responder/lookup.h"

static struct db *db;
static struct response response;
static int asked, answered;

static void set_up(void)
{
	store_prepare();
	db = store_open();
	ck_assert_int_eq(db_transaction(db, store_run, "INSERT INTO items VALUES ('a', 1)"), 0);
	response_init(&response, "request-1");
	asked = answered = 0;
}

static void tear_down(void)
{
	response_release(&response);
	db_close(db);
	store_remove();
}

static int ask(struct request *request, struct response *into, struct db_statement *ret_statement)
{
	const char *id = request_resource_id(request);

	asked++;
	if (*id)
		db_statement_set(ret_statement, "SELECT amount FROM items WHERE id = $1",
				 DB_VALUES(db_text(id)));
	else
		response_empty(into, 204);
	return 0;
}

static int answer(struct request *request UNUSED, struct response *into, struct db_rows *rows)
{
	answered++;
	int r = db_next(rows);
	if (r == 0)
		response_not_found(into, "Item");
	else if (r > 0)
		response_empty(into, 200 + (int)db_column_int(rows, 0));
	return r < 0 ? r : 0;
}

static const struct lookup lookup = {.ask = ask, .answer = answer};

static int run(struct db_conn *conn, void *request)
{
	return lookup_run(&lookup, conn, request, &response);
}

static int status_of(struct request *request)
{
	response_reset(&response);
	ck_assert_int_eq(db_read(db, run, request), 0);
	return response.status;
}

START_TEST(the_rows_make_the_answer)
{
	struct request request = {.resource_id = "a"};

	ck_assert_int_eq(status_of(&request), 201);
	request.resource_id = "b";
	ck_assert_int_eq(status_of(&request), 404);
	ck_assert_int_eq(asked, 2);
	ck_assert_int_eq(answered, 2);
}
END_TEST

START_TEST(the_path_names_the_resource)
{
	struct request request = {.route = {.parameters = {{"id", "a", 1}}, .parameter_count = 1}};

	ck_assert_int_eq(status_of(&request), 201);
	request.resource_id = "b"; /* of a key: it was claimed for that */
	ck_assert_int_eq(status_of(&request), 404);
}
END_TEST

START_TEST(an_answer_may_need_no_rows)
{
	struct request request = {0};

	ck_assert_int_eq(status_of(&request), 204);
	ck_assert_int_eq(answered, 0);
}
END_TEST

static int read_copied(struct db_conn *conn, void *argument)
{
	const struct db_statement *statement = argument;
	struct db_rows *rows CLEANUP(db_rows_close_p) = NULL;
	ck_assert_int_eq(db_query_statement(conn, statement, &rows), 0);
	ck_assert_int_eq(db_next(rows), 1);
	ck_assert_str_eq(db_column_text(rows, 0, NULL), "left");
	ck_assert_str_eq(db_column_text(rows, 1, NULL), "");
	ck_assert_int_eq(db_column_int(rows, 2), 7);
	ck_assert(db_column_is_null(rows, 3));
	return 0;
}

START_TEST(a_copy_outlives_its_texts)
{
	struct db_statement statement = {0};
	char sql[] = "SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT),"
		     " CAST($4 AS TEXT)";
	char text[] = "left, not this";

	ck_assert_int_eq(
		db_statement_copy(&statement, sql,
				  DB_VALUES(db_bytes(text, 4), db_text(""), db_int(7), db_null())),
		0);
	memset(sql, 'x', sizeof(sql));
	memset(text, 'x', sizeof(text));
	ck_assert_int_eq(db_read(db, read_copied, &statement), 0);
	db_statement_release(&statement);
	ck_assert_ptr_null(statement.sql);
	db_statement_release(&statement);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, the_rows_make_the_answer);
	tcase_add_test(store, the_path_names_the_resource);
	tcase_add_test(store, an_answer_may_need_no_rows);
	tcase_add_test(store, a_copy_outlives_its_texts);
	suite_add_tcase(suite, store);
	return store_main(suite);
}
