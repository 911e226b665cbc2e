#include "contracts.h"

static struct contract *contract;
static struct violations violations;
static struct text error;

static void start(void)
{
	text_init(&error, 4096);
}

static void stop(void)
{
	violations_release(&violations);
	contract_free(contract);
	text_release(&error);
}

/* ---- refusals ------------------------------------------------------------------------------- */

#define HEAD                 "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"T\"},"
#define ONE(parts)           DOCUMENT("\"/x\":{" OPERATION("get", "a", parts) "}")
#define AT(path, parts)      DOCUMENT("\"" path "\":{" OPERATION("get", "a", parts) "}")
#define PARAMETER(members)   ONE("\"parameters\":[{" members "}],")
#define QUERY(members)       PARAMETER("\"name\":\"q\",\"in\":\"query\"," members)
#define STRING               "\"schema\":{\"type\":\"string\"}"
#define PATH_PARAMETER(name) "{\"name\":\"" name "\",\"in\":\"path\",\"required\":true," STRING "}"
#define RESPONSES(responses)                                                                       \
	DOCUMENT("\"/x\":{\"get\":{\"operationId\":\"a\",\"responses\":" responses "}}")
#define BODY(body)          DOCUMENT("\"/x\":{" OPERATION("post", "a", "\"requestBody\":" body ",") "}")
#define COMPONENTS(members) HEAD "\"paths\":{},\"components\":{" members "}}"

static const struct {
	const char *document, *error;
} refused_cases[] = {
	{"{", "the document: unexpected end at line 1, column 2"},
	{"{\"info\":{\"title\":\"T\"},\"paths\":{}}", "#/openapi: must be 3.1.x"},
	{"{\"openapi\":\"3.0.3\"}", "#/openapi: must be 3.1.x"},
	{"{\"openapi\":\"3.1.x\"}", "#/openapi: must be 3.1.x"},
	{"{\"openapi\":\"3.1.\"}", "#/openapi: must be 3.1.x"},
	{"{\"swagger\":\"2.0\"}", "#/openapi: must be 3.1.x"},
	{"[]", "#/openapi: must be 3.1.x"},
	{"{\"openapi\":\"3.1.0\"}", "#: info must be an object"},
	{"{\"openapi\":\"3.1.0\",\"info\":{}}", "#/info: needs a title"},
	{"{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"T\",\"x\":1}}",
	 "#/info: \"x\" is not supported"},
	{HEAD "\"security\":[]}", "#: \"security\" is not supported"},
	{HEAD "\"webhooks\":{}}", "#: \"webhooks\" is not supported"},
	{HEAD "\"tags\":{}}", "#/tags: must be a list"},
	{HEAD "\"paths\":[]}", "#: paths and components must be objects"},
	{HEAD "\"components\":{\"schemas\":[]}}", "#/components: schemas must be an object"},
	{COMPONENTS("\"securitySchemes\":{}"),
	 "#/components: \"securitySchemes\" is not supported"},
	{COMPONENTS("\"schemas\":{\"A\":{\"if\":{}}}"),
	 "#/components/schemas/A: the keyword \"if\" is not supported"},
	{COMPONENTS("\"schemas\":{\"A\":{\"$ref\":\"#/components/schemas/A\"}}"),
	 "#/components/schemas/A: a $ref leads back to itself"},
	{COMPONENTS("\"schemas\":{\"A\":{\"items\":{\"$ref\":\"#/components/schemas/B\"}}}"),
	 "#/components/schemas/A/items: $ref \"#/components/schemas/B\" leads nowhere"},
	{COMPONENTS("\"parameters\":{\"A\":{\"name\":\"a\",\"in\":\"cookie\"," STRING "}}"),
	 "#/components/parameters/A: parameters must be in path, query or header"},
	{COMPONENTS("\"headers\":{\"A\":{}}"), "#/components/headers/A: needs a schema"},
	{COMPONENTS("\"responses\":{\"A\":{}}"), "#/components/responses/A: needs a description"},
	{COMPONENTS("\"requestBodies\":{\"A\":{}}"), "#/components/requestBodies/A: needs content"},
	{COMPONENTS("\"requestBodies\":[]"), "#/components/requestBodies: must be an object"},
	{DOCUMENT("\"/x\":1"), "#/paths//x: must be an object"},
	{DOCUMENT("\"/x\":{\"$ref\":\"#\"}"), "#/paths//x: \"$ref\" is not supported"},
	{DOCUMENT("\"/x\":{\"head\":{}}"), "#/paths//x: \"head\" is not supported"},
	{DOCUMENT("\"/x\":{\"trace\":{}}"), "#/paths//x: \"trace\" is not supported"},
	{DOCUMENT("\"/x\":{\"x-internal\":true}"), "#/paths//x: x-internal belongs to operations"},
	{DOCUMENT("\"/x\":{\"get\":{\"responses\":{}}}"), "#/paths//x/get: needs an operationId"},
	{ONE("\"callbacks\":{},"), "#/paths//x/get: \"callbacks\" is not supported"},
	{ONE("\"security\":[],"), "#/paths//x/get: \"security\" is not supported"},
	{ONE("\"x-internal\":1,"), "#/paths//x/get: x-internal must be true or false"},
	{ONE("\"x-internal\":true,"), "#/paths//x/get: x-internal needs x-callers"},
	{ONE("\"x-internal\":true,\"x-callers\":[],"),
	 "#/paths//x/get: x-internal needs x-callers"},
	{ONE("\"x-callers\":\"cart\","), "#/paths//x/get: x-callers must be a list"},
	{ONE("\"x-callers\":[true],"), "#/paths//x/get: x-callers must be strings"},
	{ONE("\"tags\":\"a\","), "#/paths//x/get: tags must be a list"},
	{ONE("\"tags\":[1],"), "#/paths//x/get: tags must be strings"},
	{DOCUMENT("\"/x\":{" OPERATION("get", "a", "") "," OPERATION("put", "a", "") "}"),
	 "#/paths//x/put: the operationId \"a\" is there twice"},
	{DOCUMENT("\"/x\":{" OPERATION("get", "getDocument", "") "}"),
	 "#/paths//openapi.json/get: the operationId \"getDocument\" is there twice"},
	{AT("x", ""), "x: a path must begin with /"},
	{AT("/x/", ""), "/x/: a path must be of at most 16 segments, each a text or a {parameter}"},
	{AT("/x//y", ""),
	 "/x//y: a path must be of at most 16 segments, each a text or a {parameter}"},
	{AT("/x/{a}.json", "\"parameters\":[" PATH_PARAMETER("a") "],"),
	 "/x/{a}.json: a path must be of at most 16 segments, each a text or a {parameter}"},
	{AT("/x/{a}", ""), "#/paths//x/{a}/get: the path parameter \"a\" is not declared"},
	{AT("/x/{a}/{a}", "\"parameters\":[" PATH_PARAMETER("a") "],"),
	 "#/paths//x/{a}/{a}/get: the path parameter \"a\" is not declared"},
	{AT("/x/{ab}", "\"parameters\":[" PATH_PARAMETER("a") "],"),
	 "#/paths//x/{ab}/get: the path parameter \"ab\" is not declared"},
	{AT("/x", "\"parameters\":[" PATH_PARAMETER("a") "],"),
	 "#/paths//x/get: the path parameter \"a\" is not in the path"},
	{DOCUMENT("\"/x/{a}\":{" OPERATION(
		 "get", "a",
		 "\"parameters\":[" PATH_PARAMETER(
			 "a") "],") "},\"/x/{b}\":{" OPERATION("put", "b",
							       "\"parameters\":[" PATH_PARAMETER(
								       "b") "],") "}"),
	 "/x/{b}: matches the same paths as /x/{a}"},
	{ONE("\"parameters\":{},"), "#/paths//x/get: parameters must be a list"},
	{PARAMETER("\"in\":\"query\"," STRING),
	 "#/paths//x/get/parameters/0: a parameter's name must be letters, digits, - _ ."},
	{PARAMETER("\"name\":\"a/b\",\"in\":\"query\"," STRING),
	 "#/paths//x/get/parameters/0: a parameter's name must be letters, digits, - _ ."},
	{PARAMETER("\"name\":\"q\",\"in\":\"cookie\"," STRING),
	 "#/paths//x/get/parameters/0: parameters must be in path, query or header"},
	{PARAMETER("\"name\":\"q\",\"in\":\"path\"," STRING),
	 "#/paths//x/get/parameters/0: a path parameter needs \"required\": true"},
	{PARAMETER("\"name\":\"q\",\"in\":\"path\",\"required\":true,"
		   "\"schema\":{\"type\":\"integer\"}"),
	 "#/paths//x/get/parameters/0: a path parameter must be a string"},
	{PARAMETER("\"name\":\"accept\",\"in\":\"header\"," STRING),
	 "#/paths//x/get/parameters/0: accept cannot be a header parameter"},
	{QUERY("\"content\":{}"), "#/paths//x/get/parameters/0: \"content\" is not supported"},
	{QUERY("\"allowReserved\":true," STRING),
	 "#/paths//x/get/parameters/0: \"allowReserved\" is not supported"},
	{QUERY("\"required\":1," STRING),
	 "#/paths//x/get/parameters/0: required must be true or false"},
	{QUERY("\"required\":true"), "#/paths//x/get/parameters/0: needs a schema"},
	{QUERY("\"schema\":{}"),
	 "#/paths//x/get/parameters/0/schema: a parameter must be a string, an integer, a number, "
	 "a boolean or a list of strings"},
	{QUERY("\"schema\":{\"type\":[\"string\",\"null\"]}"),
	 "#/paths//x/get/parameters/0/schema: a parameter must be a string, an integer, a number, "
	 "a boolean or a list of strings"},
	{QUERY("\"explode\":false,\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}"
	       "}"),
	 "#/paths//x/get/parameters/0/schema: a parameter must be a string, an integer, a number, "
	 "a boolean or a list of strings"},
	{QUERY("\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"),
	 "#/paths//x/get/parameters/0: a list needs \"explode\": false"},
	{QUERY("\"style\":\"pipeDelimited\"," STRING),
	 "#/paths//x/get/parameters/0: the style must be \"form\""},
	{PARAMETER("\"name\":\"h\",\"in\":\"header\",\"explode\":false,\"schema\":"
		   "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"),
	 "#/paths//x/get/parameters/0: only a query parameter may be a list"},
	{PARAMETER("\"$ref\":\"#/components/parameters/None\""),
	 "#/paths//x/get/parameters/0: $ref \"#/components/parameters/None\" leads nowhere"},
	{PARAMETER("\"$ref\":\"#/components/parameters/Limit\",\"required\":true"),
	 "#/paths//x/get/parameters/0: \"required\" is not supported"},
	{PARAMETER("\"$ref\":\"#/paths/~1x/get/parameters/0\""),
	 "#/paths//x/get/parameters/0: $ref goes in circles"},
	{ONE("\"parameters\":[{\"name\":\"q\",\"in\":\"query\"," STRING "},"
	     "{\"name\":\"q\",\"in\":\"query\"," STRING "}],"),
	 "#/paths//x/get/parameters/1: \"q\" is there twice"},
	{ONE("\"parameters\":[{\"name\":\"q\",\"in\":\"header\"," STRING "},"
	     "{\"name\":\"Q\",\"in\":\"header\"," STRING "}],"),
	 "#/paths//x/get/parameters/1: \"Q\" is there twice"},
	{ONE("\"requestBody\":{\"content\":{\"text/plain\":{}}},"),
	 "#/paths//x/get/requestBody: GET takes no body"},
	{BODY("{\"content\":{}}"),
	 "#/paths//x/post/requestBody/content: must have 1 to 4 media types"},
	{BODY("{\"content\":{\"application/json\":{}}}"),
	 "#/paths//x/post/requestBody/content/application/json: needs a schema"},
	{BODY("{\"content\":{\"text/plain\":{}}}"),
	 "#/paths//x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432"},
	{BODY("{\"content\":{\"text/plain\":{}},\"x-max-bytes\":0}"),
	 "#/paths//x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432"},
	{BODY("{\"content\":{\"text/plain\":{}},\"x-max-bytes\":33554433}"),
	 "#/paths//x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432"},
	{BODY("{\"content\":{\"text/plain\":{}},\"x-max-bytes\":\"9\"}"),
	 "#/paths//x/post/requestBody: needs x-max-bytes, a whole number from 1 to 33554432"},
	{COMPONENTS("\"requestBodies\":{\"A\":{\"content\":{\"text/plain\":{}}}}"),
	 "#/components/requestBodies/A: needs x-max-bytes, a whole number from 1 to 33554432"},
	{BODY("{\"content\":{\"application/*\":{}}}"),
	 "#/paths//x/post/requestBody/content/application/*: a media type must be type/subtype, "
	 "without parameters"},
	{BODY("{\"content\":{\"text/plain; charset=utf-8\":{}}}"),
	 "#/paths//x/post/requestBody/content/text/plain; charset=utf-8: a media type must be "
	 "type/subtype, without parameters"},
	{BODY("{\"content\":{\"text/plain\":{},\"Text/Plain\":{}}}"),
	 "#/paths//x/post/requestBody/content/Text/Plain: is there twice"},
	{BODY("{\"content\":{\"text/plain\":{\"encoding\":{}}}}"),
	 "#/paths//x/post/requestBody/content/text/plain: \"encoding\" is not supported"},
	{BODY("{\"content\":{\"application/x-ndjson\":{\"schema\":{\"if\":1}}}}"),
	 "#/paths//x/post/requestBody/content/application/x-ndjson/schema: the keyword \"if\" is "
	 "not supported"},
	{DOCUMENT("\"/x\":{\"get\":{\"operationId\":\"a\"}}"), "#/paths//x/get: needs responses"},
	{RESPONSES("{}"), "#/paths//x/get: needs responses"},
	{RESPONSES("{\"default\":{\"description\":\"d\"}}"),
	 "#/paths//x/get/responses/default: a response must be named by its three-digit status"},
	{RESPONSES("{\"4XX\":{\"description\":\"d\"}}"),
	 "#/paths//x/get/responses/4XX: a response must be named by its three-digit status"},
	{RESPONSES("{\"600\":{\"description\":\"d\"}}"),
	 "#/paths//x/get/responses/600: a response must be named by its three-digit status"},
	{RESPONSES("{\"200\":{}}"), "#/paths//x/get/responses/200: needs a description"},
	{RESPONSES("{\"200\":{\"description\":\"d\",\"links\":{}}}"),
	 "#/paths//x/get/responses/200: \"links\" is not supported"},
	{RESPONSES("{\"200\":{\"description\":\"d\",\"headers\":{\"X\":"
		   "{\"$ref\":\"#/components/headers/None\"}}}}"),
	 "#/paths//x/get/responses/200/headers/X: $ref \"#/components/headers/None\" leads "
	 "nowhere"},
	{RESPONSES("{\"200\":{\"description\":\"d\",\"headers\":[]}}"),
	 "#/paths//x/get/responses/200/headers: must be an object"},
};

START_TEST(refusing)
{
	const char *document = refused_cases[_i].document;

	ck_assert_int_eq(contract_load(document, strlen(document), usd, "1", &contract, &error),
			 -EINVAL);
	ck_assert_ptr_null(contract);
	ck_assert_str_eq(text_string(&error), refused_cases[_i].error);
}
END_TEST

START_TEST(too_many_parameters)
{
	struct text document;

	text_init(&document, 1u << 16);
	text_append_string(&document, HEAD "\"paths\":{\"/x\":{\"get\":{\"operationId\":\"a\","
					   "\"responses\":{},\"parameters\":[");
	for (int i = 0; i <= CONTRACT_ARGUMENTS_MAX; i++)
		text_printf(&document, "%s{\"name\":\"p%d\",\"in\":\"%s\"," STRING "}",
			    i ? "," : "", i, i % 2 ? "query" : "header");
	text_append_string(&document, "]}}}}");
	ck_assert_int_eq(
		contract_load(text_string(&document), document.length, usd, "1", &contract, &error),
		-EINVAL);
	ck_assert_str_eq(text_string(&error), "#/paths//x/get/parameters/24: too many parameters");
	text_release(&document);
}
END_TEST

/* ---- merging and serving -------------------------------------------------------------------- */

static struct json *served(bool internal)
{
	struct json_error where;
	struct json *document;
	size_t length;
	const char *text = contract_document(contract, internal, &length);

	ck_assert_uint_eq(length, strlen(text));
	ck_assert_int_eq(json_parse(text, length, 64, &document, &where), 0);
	return document;
}

static const struct json *at(const struct json *value, const char *const *names)
{
	for (; *names; names++)
		value = value ? json_get(value, *names) : NULL;
	return value;
}
#define AT_PATH(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

static const char merged_document[] =
	HEAD "\"tags\":[{\"name\":\"open\"},{\"name\":\"closed\"}],"
	     "\"paths\":{\"/x\":{"
	     "\"get\":{\"operationId\":\"a\",\"tags\":[\"open\"],\"responses\":{\"200\":"
	     "{\"description\":\"d\",\"content\":{\"application/json\":"
	     "{\"schema\":{\"$ref\":\"#/components/schemas/Open/properties/price\"}}}}}},"
	     "\"put\":{\"operationId\":\"b\",\"tags\":[\"closed\"],\"x-internal\":true,"
	     "\"x-callers\":[\"operator\"],"
	     "\"responses\":{\"200\":{\"description\":\"d\",\"content\":{\"application/json\":"
	     "{\"schema\":{\"$ref\":\"#/components/schemas/Closed\"}}}}}}}},"
	     "\"components\":{\"schemas\":{"
	     "\"Open\":{\"properties\":{\"price\":{\"$ref\":\"#/components/schemas/Price\"}}},"
	     "\"Closed\":{\"type\":\"string\"},"
	     "\"Unused\":{\"type\":\"integer\"},"
	     "\"Health\":{\"type\":\"object\",\"description\":\"mine\"}}}}";

START_TEST(public_document)
{
	struct json *document;

	contract = load_contract(merged_document);
	document = served(false);
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
	struct json *document;

	contract = load_contract(merged_document);
	document = served(true);
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
	struct json *document;

	contract = load_contract(merged_document);
	document = served(false);
	ck_assert_str_eq(json_get_string(json_get(document, "info"), "version", ""), "1.2");
	ck_assert_str_eq(json_get_string(json_at(json_get(document, "servers"), 0), "url", ""),
			 ".");
	json_free(document);
	for (int internal = 0; internal <= 1; internal++) {
		size_t length;
		const char *text = contract_document(contract, internal, &length);
		size_t place = contract_document_server(contract, internal);

		ck_assert_int_eq(strncmp(text + place - 7, "\"url\":\".\"}]", 11), 0);
	}
}
END_TEST

START_TEST(own_version_and_servers)
{
	struct json *document;

	contract =
		load_contract("{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"T\",\"version\":\"9\"},"
			      "\"servers\":[{\"url\":\"/mine\"}]}");
	document = served(false);
	ck_assert_str_eq(json_get_string(json_get(document, "info"), "version", ""), "9");
	ck_assert_uint_eq(json_length(json_get(document, "servers")), 1);
	ck_assert_str_eq(json_get_string(json_at(json_get(document, "servers"), 0), "url", ""),
			 "/mine");
	ck_assert_uint_eq(contract_document_server(contract, false), 0);
	json_free(document);
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
	static const char document[] = DOCUMENT("");
	struct json_error where;
	struct json *value;

	ck_assert_int_eq(contract_load(document, strlen(document), money_cases[_i].currency, "1",
				       &contract, &error),
			 0);
	ck_assert_int_eq(
		json_parse(money_cases[_i].value, strlen(money_cases[_i].value), 1, &value, &where),
		0);
	ck_assert_int_eq(
		contract_check_schema(contract, money_cases[_i].schema, value, &violations),
		money_cases[_i].fits);
	json_free(value);
}
END_TEST

START_TEST(an_unknown_schema_fits_nothing)
{
	struct json *value = json_new_int(1);

	contract = load_contract(DOCUMENT(""));
	ck_assert(!contract_check_schema(contract, "None", value, &violations));
	ck_assert_str_eq(violations.list[0].detail, "there is no schema \"None\"");
	json_free(value);
}
END_TEST

START_TEST(operations_inherit_from_their_path)
{
	struct arguments arguments = {0};

	contract = load_contract(
		"{'openapi':'3.1.0','info':{'title':'T'},'paths':{'/x/{a}':{'parameters':["
		"{'name':'a','in':'path','required':true,'schema':{'type':'string'}},"
		"{'name':'q','in':'query','schema':{'type':'string'}},"
		"{'name':'r','in':'query','schema':{'type':'string'}}],"
		"'get':{'operationId':'a','responses':{'204':{'description':'d'}},'parameters':["
		"{'name':'q','in':'query','schema':{'type':'integer'}}]}}}}");
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
	struct arguments arguments = {0};

	contract = load_contract(
		"{'openapi':'3.1.0','info':{'title':'T'},'paths':{'/x':{'post':{'operationId':'a',"
		"'responses':{'204':{'description':'d'}},'parameters':["
		"{'$ref':'#/components/parameters/IdempotencyKey'},"
		"{'$ref':'#/components/parameters/IfMatch'},"
		"{'$ref':'#/components/parameters/IfNoneMatch'},"
		"{'$ref':'#/components/parameters/Limit'},"
		"{'$ref':'#/components/parameters/Cursor'},"
		"{'$ref':'#/components/parameters/Count'}]}}}}");
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

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_loop_test(tcase, refusing, 0, ARRAY_SIZE(refused_cases));
	tcase_add_test(tcase, too_many_parameters);
	tcase_add_test(tcase, public_document);
	tcase_add_test(tcase, internal_document);
	tcase_add_test(tcase, version_and_servers);
	tcase_add_test(tcase, own_version_and_servers);
	tcase_add_loop_test(tcase, money_fits_the_currency, 0, ARRAY_SIZE(money_cases));
	tcase_add_test(tcase, an_unknown_schema_fits_nothing);
	tcase_add_test(tcase, operations_inherit_from_their_path);
	tcase_add_loop_test(tcase, shared_parameters, 0, ARRAY_SIZE(key_cases));
	return unit_run(tcase, "contract");
}
