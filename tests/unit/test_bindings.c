#include "responder/bindings.h"
#include "unit.h"

static const char document[] =
	"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Test\",\"version\":\"1\"},\"paths\":{"
	"\"/things\":{\"get\":{\"operationId\":\"listThings\",\"summary\":\"s\",\"responses\":"
	"{\"204\":{\"description\":\"none\"}}}}}}";

static struct contract *contract;
static struct text error;

static void start(void)
{
	struct currency currency = {"USD", 2};
	text_init(&error, 4096);
	int rc = contract_load(document, strlen(document), currency, "1", &contract, &error);
	ck_assert_msg(rc == 0, "%s", text_string(&error));
}

static void stop(void)
{
	contract_free(contract);
	text_release(&error);
}

static int handle(struct request *request UNUSED, struct response *response)
{
	response_empty(response, 204);
	return 0;
}

static const struct binding things = {
	.operation_id = "listThings", .mode = RUN_DIRECT, .handle = handle};
static const struct binding ghosts = {
	.operation_id = "listGhosts", .mode = RUN_DIRECT, .handle = handle};

START_TEST(every_operation_gets_its_handler)
{
	const struct binding **bindings = NULL;
	ck_assert_int_eq(bindings_make(contract, &things, 1, &bindings, &error), 0);
	for (size_t i = 0; i < contract_operation_count(contract); i++)
		ck_assert_str_eq(bindings[i]->operation_id, contract_operation(contract, i)->id);
	ck_assert_ptr_eq(bindings[contract_find(contract, "listThings")->index], &things);
	free(bindings);
}
END_TEST

START_TEST(an_operation_without_a_handler_is_refused)
{
	const struct binding **bindings = NULL;
	ck_assert_int_eq(bindings_make(contract, NULL, 0, &bindings, &error), -EINVAL);
	ck_assert_str_eq(text_string(&error), "operation listThings has no handler; ");
}
END_TEST

START_TEST(a_handler_without_an_operation_is_refused)
{
	const struct binding list[] = {things, ghosts};
	const struct binding **bindings = NULL;
	ck_assert_int_eq(bindings_make(contract, list, 2, &bindings, &error), -EINVAL);
	ck_assert_str_eq(text_string(&error), "handler listGhosts has no operation; ");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("bindings");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, every_operation_gets_its_handler);
	tcase_add_test(tcase, an_operation_without_a_handler_is_refused);
	tcase_add_test(tcase, a_handler_without_an_operation_is_refused);
	return unit_run(tcase, "bindings");
}
