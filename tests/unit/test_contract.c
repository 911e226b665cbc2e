/* Merging, serving, and what components.json shares. What does not compile: test_compile.py. */
#include "base/json.h"
#include "contracts.h"

static struct violations violations;

static void stop(void)
{
	violations_release(&violations);
}

/* ---- merging and serving -------------------------------------------------------------------- */

static struct json *served(const struct contract *contract, bool internal)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1u << 20);
	struct json_error where;
	struct json *document;

	start_contract(contract);
	contract_write_document(contract, internal, ".", &text);
	ck_assert_int_eq(json_parse(text_string(&text), text.length, 64, &document, &where), 0);
	return document;
}

static const struct json *at(const struct json *value, const char *const *names)
{
	for (; *names; names++)
		value = value ? json_get(value, *names) : NULL;
	return value;
}
#define AT_PATH(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(public_document)
{
	struct json *document = served(&test_merged_contract, false);

	ck_assert_ptr_nonnull(AT_PATH(document, "paths", "/x", "get"));
	ck_assert_ptr_null(AT_PATH(document, "paths", "/x", "put"));
	ck_assert_ptr_nonnull(AT_PATH(document, "paths", "/openapi.json"));
	ck_assert_ptr_null(AT_PATH(document, "paths", "/livez"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "schemas", "Open"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "schemas", "Price"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "responses", "TooManyRequests"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "headers", "RetryAfter"));
	ck_assert_ptr_null(AT_PATH(document, "components", "schemas", "Closed"));
	ck_assert_ptr_null(AT_PATH(document, "components", "schemas", "Health"));
	ck_assert_ptr_null(AT_PATH(document, "components", "schemas", "Unused"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "parameters", "IfNoneMatch"));
	ck_assert_ptr_null(AT_PATH(document, "components", "parameters", "IfMatch"));
	ck_assert_uint_eq(json_length(json_get(document, "tags")), 1);
	ck_assert_str_eq(json_get_string(json_at(json_get(document, "tags"), 0), "name", ""),
			 "open");
	json_free(document);
}
END_TEST

START_TEST(internal_document)
{
	struct json *document = served(&test_merged_contract, true);

	ck_assert_ptr_nonnull(AT_PATH(document, "paths", "/x", "put"));
	ck_assert_ptr_nonnull(AT_PATH(document, "paths", "/livez"));
	ck_assert_ptr_nonnull(AT_PATH(document, "components", "schemas", "Closed"));
	ck_assert_ptr_null(AT_PATH(document, "components", "schemas", "Unused"));
	ck_assert_uint_eq(json_length(json_get(document, "tags")), 2);
	/* The service's own component wins over the shared one. */
	ck_assert_str_eq(json_get_string(AT_PATH(document, "components", "schemas", "Health"),
					 "description", ""),
			 "mine");
	json_free(document);
}
END_TEST

START_TEST(version_and_servers)
{
	for (int internal = 0; internal <= 1; internal++) {
		struct json *document = served(&test_merged_contract, internal);
		const struct json *server = json_at(json_get(document, "servers"), 0);

		ck_assert_str_eq(json_get_string(json_get(document, "info"), "version", ""), "1.2");
		ck_assert_str_eq(json_get_string(server, "url", ""), ".");
		json_free(document);
	}
}
END_TEST

START_TEST(own_version_and_servers)
{
	struct json *document = served(&test_own_contract, false);
	const struct json *servers = json_get(document, "servers");

	ck_assert_str_eq(json_get_string(json_get(document, "info"), "version", ""), "9");
	ck_assert_uint_eq(json_length(servers), 1);
	ck_assert_str_eq(json_get_string(json_at(servers, 0), "url", ""), "/mine");
	json_free(document);
}
END_TEST

START_TEST(what_is_filled_in_is_json)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(1u << 20);

	contract_start(&test_merged_contract, (struct currency){"KWD", 3}, "\"1\"");
	contract_write_document(&test_merged_contract, true, "http://\"/", &text);
	ck_assert_ptr_nonnull(strstr(text_string(&text), "\"version\":\"\\\"1\\\"\"}"));
	ck_assert_ptr_nonnull(strstr(text_string(&text), "\"url\":\"http://\\\"/\"}"));
	ck_assert_ptr_nonnull(
		strstr(text_string(&text), "\"maximum\":999999.999,\"x-decimals\":3}"));
}
END_TEST

static const struct {
	struct currency currency;
	const char *schema, *value;
	bool fits;
} money_cases[] = {
	{{"USD", 2}, "Price", "9999999.99", true},   {{"USD", 2}, "Price", "10000000", false},
	{{"USD", 2}, "Price", "0.001", false},       {{"USD", 2}, "Price", "-0.01", false},
	{{"USD", 2}, "Amount", "10000000.01", true}, {{"USD", 2}, "Amount", "0.001", false},
	{{"JPY", 0}, "Price", "999999999", true},    {{"JPY", 0}, "Price", "1000000000", false},
	{{"JPY", 0}, "Price", "1.5", false},         {{"JPY", 0}, "Price", "1.0", true},
	{{"KWD", 3}, "Price", "999999.999", true},   {{"KWD", 3}, "Price", "1000000", false},
	{{"KWD", 3}, "Amount", "0.0001", false},
};

START_TEST(money_fits_the_currency)
{
	struct json_error where;
	struct json *value;

	contract_start(&test_merged_contract, money_cases[_i].currency, "1");
	ck_assert_int_eq(
		json_parse(money_cases[_i].value, strlen(money_cases[_i].value), 1, &value, &where),
		0);
	ck_assert_int_eq(contract_check_schema(&test_merged_contract, money_cases[_i].schema, value,
					       &violations),
			 money_cases[_i].fits);
	json_free(value);
}
END_TEST

START_TEST(an_unknown_schema_fits_nothing)
{
	struct json *value = json_new_object();

	ck_assert(!contract_check_schema(&test_merged_contract, "None", value, &violations));
	ck_assert_str_eq(violations.list[0].detail, "there is no schema \"None\"");
	json_free(value);
}
END_TEST

START_TEST(operations_inherit_from_their_path)
{
	const struct contract *contract = &test_inherited_contract;
	struct arguments arguments = {0};

	ck_assert_int_eq(contract_check_parameters(contract, contract_find(contract, "a"),
						   "q=x&r=x", NULL, NULL, &arguments, &violations),
			 0);
	ck_assert_uint_eq(violations.total, 1);
	ck_assert_str_eq(violations.list[0].pointer, "/q");
	arguments_release(&arguments);
}
END_TEST

#define TEN "0123456789"
#define KEY250                                                                                     \
	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN    \
		TEN TEN TEN

static const struct {
	const char *key, *detail;
} key_cases[] = {
	{"abc", NULL},
	{"\"abc\"", NULL},
	{KEY250 "12345", NULL},
	{"\"" KEY250 "12345\"", NULL},
	{KEY250 "1234567", NULL},
	{KEY250 "12345678", "must be at most 257 characters long"},
	{"\"" KEY250 "123456\"", "must be at most 257 characters long"},
	{"\"\"", "must match the pattern ^(\"[!#-~]+\"|[!#-~]+)$"},
	{"\"abc", "must match the pattern ^(\"[!#-~]+\"|[!#-~]+)$"},
	{"a b", "must match the pattern ^(\"[!#-~]+\"|[!#-~]+)$"},
	{"", "must match the pattern ^(\"[!#-~]+\"|[!#-~]+)$"},
};

static const char *give_key(void *context, const char *name)
{
	return strcmp(name, "Idempotency-Key") == 0 ? context : NULL;
}

START_TEST(shared_parameters)
{
	const char *detail = key_cases[_i].detail;
	const struct contract *contract = &test_shared_contract;
	struct arguments arguments = {0};

	ck_assert_int_eq(contract_check_parameters(contract, contract_find(contract, "a"),
						   "limit=200&count=true&cursor=x", give_key,
						   (void *)key_cases[_i].key, &arguments,
						   &violations),
			 0);
	ck_assert_uint_eq(arguments.count, 4);
	ck_assert_uint_eq(violations.total, detail ? 1 : 0);
	if (detail)
		ck_assert_str_eq(violations.list[0].detail, detail);
	arguments_release(&arguments);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("contract");

	tcase_add_checked_fixture(tcase, NULL, stop);
	tcase_add_test(tcase, public_document);
	tcase_add_test(tcase, internal_document);
	tcase_add_test(tcase, version_and_servers);
	tcase_add_test(tcase, own_version_and_servers);
	tcase_add_test(tcase, what_is_filled_in_is_json);
	tcase_add_loop_test(tcase, money_fits_the_currency, 0, ARRAY_SIZE(money_cases));
	tcase_add_test(tcase, an_unknown_schema_fits_nothing);
	tcase_add_test(tcase, operations_inherit_from_their_path);
	tcase_add_loop_test(tcase, shared_parameters, 0, ARRAY_SIZE(key_cases));
	return unit_run(tcase, "contract");
}
