#include "contract/schema.h"
#include "unit.h"

/* The schema under test is the whole document, so $refs like "#/x-a" lead into it. */
static struct json *root, *value;
static struct schema_set *set;
static const struct schema *schema;
static struct violations violations;
static struct text error;

static struct json *parse(const char *text)
{
	struct json_error where;
	struct json *result;

	ck_assert_msg(json_parse(text, strlen(text), JSON_DEPTH_MAX, &result, &where) == 0,
		      "%s: %s", text, where.detail);
	return result;
}

static int compile(const char *text)
{
	text_init(&error, 4096);
	root = parse(text);
	ck_assert_int_eq(schema_set_create(root, &set), 0);
	return schema_compile(set, root, "#", &schema, &error);
}

static void stop(void)
{
	violations_release(&violations);
	schema_set_free(set);
	json_free(root);
	json_free(value);
	text_release(&error);
}

/* detail NULL: the value is valid. */
static const struct {
	const char *schema, *value, *pointer, *detail;
} check_cases[] = {
	{"true", "1", "", NULL},
	{"false", "1", "", "is not allowed"},
	{"{}", "null", "", NULL},
	{"{\"type\":\"string\"}", "\"\"", "", NULL},
	{"{\"type\":\"string\"}", "1", "", "must be a string, not a number"},
	{"{\"type\":\"string\"}", "null", "", "must be a string, not null"},
	{"{\"type\":[\"string\",\"null\"]}", "null", "", NULL},
	{"{\"type\":[\"string\",\"null\"]}", "[]", "", "must be a string or null, not an array"},
	{"{\"type\":\"boolean\"}", "{}", "", "must be true or false, not an object"},
	{"{\"type\":\"integer\"}", "1.0", "", NULL},
	{"{\"type\":\"integer\"}", "1e2", "", NULL},
	{"{\"type\":\"integer\"}", "9223372036854775807", "", NULL},
	{"{\"type\":\"integer\"}", "-9223372036854775808", "", NULL},
	{"{\"type\":\"integer\"}", "1e300", "", "must fit a 64-bit integer"},
	{"{\"type\":\"integer\"}", "1.5", "",
	 "must be a whole number, not a number with a fraction"},
	{"{\"type\":\"integer\"}", "true", "", "must be a whole number, not a boolean"},
	{"{\"type\":\"number\"}", "1.5", "", NULL},
	{"{\"type\":\"number\"}", "1e300", "", NULL},
	{"{\"type\":\"number\"}", "\"1\"", "", "must be a number, not a string"},
	{"{\"enum\":[\"a\",2]}", "2.0", "", NULL},
	{"{\"enum\":[\"a\",2]}", "\"a\"", "", NULL},
	{"{\"enum\":[\"a\",2]}", "\"b\"", "", "must be one of \"a\", 2"},
	{"{\"enum\":[{\"a\":1}]}", "{\"a\":1.0}", "", NULL},
	{"{\"const\":\"x\"}", "\"x\"", "", NULL},
	{"{\"const\":\"x\"}", "\"xx\"", "", "must be \"x\""},
	{"{\"const\":null}", "0", "", "must be null"},
	{"{\"minimum\":1}", "1", "", NULL},
	{"{\"minimum\":1}", "0.99", "", "must be at least 1"},
	{"{\"minimum\":1}", "\"0\"", "", NULL},
	{"{\"maximum\":9999999.99}", "9999999.99", "", NULL},
	{"{\"maximum\":9999999.99}", "9999999.991", "", "must be at most 9999999.99"},
	{"{\"exclusiveMinimum\":0}", "0", "", "must be greater than 0"},
	{"{\"exclusiveMinimum\":0}", "1e-300", "", NULL},
	{"{\"exclusiveMaximum\":5}", "5.0", "", "must be less than 5"},
	{"{\"minimum\":0}", "1.234567890123456789012", "",
	 "must have at most 18 significant digits"},
	{"{\"x-decimals\":2}", "19.99", "", NULL},
	{"{\"x-decimals\":2}", "1.10000", "", NULL},
	{"{\"x-decimals\":2}", "-12.34", "", NULL},
	{"{\"x-decimals\":2}", "19990000000000e-12", "", NULL},
	{"{\"x-decimals\":2}", "0.000", "", NULL},
	{"{\"x-decimals\":2}", "\"0.001\"", "", NULL},
	{"{\"x-decimals\":2}", "19.999", "", "must have at most 2 decimals"},
	{"{\"x-decimals\":2}", "1e-400", "", "must have at most 2 decimals"},
	{"{\"x-decimals\":1}", "0.15", "", "must have at most 1 decimal"},
	{"{\"x-decimals\":0}", "0.5", "", "must be a whole number"},
	{"{\"x-decimals\":0}", "1e400", "", NULL},
	{"{\"format\":\"int64\",\"type\":\"integer\",\"minimum\":-9223372036854775807,"
	 "\"maximum\":9223372036854775807}",
	 "9223372036854775807", "", NULL},
	{"{\"format\":\"int32\",\"type\":[\"integer\",\"null\"],\"minimum\":1,\"maximum\":9}", "10",
	 "", "must be at most 9"},
	{"{\"not\":{\"const\":0}}", "1", "", NULL},
	{"{\"not\":{\"const\":0}}", "\"0\"", "", NULL},
	{"{\"not\":{\"const\":0}}", "-0.0", "", "must not be 0"},
	{"{\"minLength\":1}", "\"\"", "", "must not be empty"},
	{"{\"minLength\":2}", "\"\xc3\xa9\"", "", "must be at least 2 characters long"},
	{"{\"maxLength\":1}", "\"\xf0\x9f\x98\x80\"", "", NULL},
	{"{\"maxLength\":1}", "\"ab\"", "", "must be at most 1 character long"},
	{"{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", "", NULL},
	{"{\"pattern\":\"^[a-z]+$\"}", "\"aBc\"", "", "must match the pattern ^[a-z]+$"},
	{"{\"pattern\":\"b\"}", "\"abc\"", "", NULL},
	{"{\"pattern\":\"^[^ ]$\"}", "\"\xf0\x9f\x98\x80\"", "", NULL},
	{"{\"pattern\":\"^[^ ]$\"}", "\"\xc3\xa9\xc3\xa9\"", "", "must match the pattern ^[^ ]$"},
	{"{\"pattern\":\"^[^-a-]$\"}", "\"-\"", "", "must match the pattern ^[^-a-]$"},
	{"{\"pattern\":\"^[^-a-]$\"}", "\"b\"", "", NULL},
	{"{\"pattern\":\"^[^a-]$\"}", "\"-\"", "", "must match the pattern ^[^a-]$"},
	{"{\"pattern\":\"^[^-]$\"}", "\"-\"", "", "must match the pattern ^[^-]$"},
	{"{\"pattern\":\"^(?:a|b){2}$\"}", "\"ab\"", "", NULL},
	{"{\"pattern\":\"^\\\\.\\\\/\\\\}$\"}", "\"./}\"", "", NULL},
	{"{\"pattern\":\"^\\\\.$\"}", "\"x\"", "", "must match the pattern ^\\.$"},
	{"{\"format\":\"uuid\"}", "\"01975e0b-7c1e-7b4e-8f63-2f2f3f4c5d6E\"", "", NULL},
	{"{\"format\":\"uuid\"}", "\"01975e0b-7c1e-7b4e-8f63-2f2f3f4c5d6g\"", "", "must be a UUID"},
	{"{\"format\":\"uuid\"}", "\"01975e0b07c1e-7b4e-8f63-2f2f3f4c5d6e\"", "", "must be a UUID"},
	{"{\"format\":\"uuid\"}", "7", "", NULL},
	{"{\"format\":\"date-time\"}", "\"2026-01-31T23:59:59.5+02:00\"", "", NULL},
	{"{\"format\":\"date-time\"}", "\"2026-02-30T00:00:00Z\"", "",
	 "must be a date and time of RFC 3339, such as 2026-01-31T23:59:59Z"},
	{"{\"required\":[\"a\"]}", "{\"a\":null}", "", NULL},
	{"{\"required\":[\"a/b\"]}", "{}", "/a~1b", "is required"},
	{"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "/a",
	 "must be a string, not a number"},
	{"{\"properties\":{\"a\":{}}}", "{\"b\":1}", "", NULL},
	{"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b~\":1}", "/b~0",
	 "unknown member"},
	{"{\"additionalProperties\":false,\"required\":[\"a\"]}", "{\"a\":1}", "/a",
	 "unknown member"},
	{"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":1}", "/b",
	 "must be a string, not a number"},
	{"{\"minProperties\":1}", "{}", "", "must have at least 1 member"},
	{"{\"maxProperties\":0}", "{\"a\":1}", "", "must have at most 0 members"},
	{"{\"items\":{\"minimum\":1}}", "[1,0]", "/1", "must be at least 1"},
	{"{\"minItems\":2}", "[1]", "", "must have at least 2 items"},
	{"{\"maxItems\":1}", "[1,2]", "", "must have at most 1 item"},
	{"{\"uniqueItems\":true}", "[1,2,1.0]", "/2", "repeats the item at 0"},
	{"{\"uniqueItems\":true}", "[1,true,\"1\",[1]]", "", NULL},
	{"{\"uniqueItems\":false}", "[1,1]", "", NULL},
	{"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "", "must be at most 3"},
	{"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", "", NULL},
	{"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "null", "", NULL},
	{"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"minLength\":1}]}", "\"\"", "",
	 "must not be empty"},
	{"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "1", "",
	 "fits none of the allowed forms"},
	{"{\"anyOf\":[{\"minimum\":5},{\"maximum\":1}]}", "3", "",
	 "must be at least 5, or must be at most 1"},
	{"{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}", "",
	 "fits none of the allowed forms"},
	{"{\"oneOf\":[{\"minimum\":5},{\"maximum\":9}]}", "7", "",
	 "fits 2 of the allowed forms, not just one"},
	{"{\"oneOf\":[{\"minimum\":5},{\"maximum\":9}]}", "10", "", NULL},
	{"{\"oneOf\":[{\"type\":\"object\",\"required\":[\"a\"]},{\"type\":\"null\"}]}", "{}", "/a",
	 "is required"},
	{"{\"x-a\":{\"minimum\":1},\"$ref\":\"#/x-a\",\"maximum\":3}", "0", "",
	 "must be at least 1"},
	{"{\"x-a\":{\"minimum\":1},\"$ref\":\"#/x-a\",\"maximum\":3}", "4", "",
	 "must be at most 3"},
	{"{\"x-a/b\":[{\"minimum\":1}],\"$ref\":\"#/x-a~1b/0\"}", "0", "", "must be at least 1"},
	{"{\"properties\":{\"next\":{\"$ref\":\"#\"},\"id\":{\"type\":\"integer\"}}}",
	 "{\"next\":{\"next\":{\"id\":\"x\"}}}", "/next/next/id",
	 "must be a whole number, not a string"},
	{"{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[1],"
	 "\"deprecated\":true,\"readOnly\":true,\"writeOnly\":true,\"x-more\":1}",
	 "{}", "", NULL},
};

START_TEST(checking)
{
	const char *detail = check_cases[_i].detail;
	int result = compile(check_cases[_i].schema);
	bool fits;

	ck_assert_msg(result == 0, "%s", text_string(&error));
	value = parse(check_cases[_i].value);
	fits = schema_check(schema, value, "body", "", &violations);
	ck_assert_msg(fits == !detail, "%s against %s", check_cases[_i].value,
		      check_cases[_i].schema);
	ck_assert_uint_eq(violations.total, detail ? 1 : 0);
	ck_assert_int_eq(schema_check(schema, value, "body", "", NULL), fits);
	if (!detail)
		return;
	ck_assert_str_eq(violations.list[0].in, "body");
	ck_assert_str_eq(violations.list[0].pointer, check_cases[_i].pointer);
	ck_assert_str_eq(violations.list[0].detail, detail);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
} uri_cases[] = {
	{"https://example.com/a.png", true},
	{"http://user:pw@example.com:8080/a/b?c=d&e=%20#f", true},
	{"http://[::1]:80/", true},
	{"urn:isbn:0451450523", true},
	{"mailto:a@b.example", true},
	{"file:///etc/passwd", true},
	{"data:,x", true},
	{"", false},
	{":", false},
	{"//example.com/x", false},
	{"/relative", false},
	{"example.com", false},
	{"1http://example.com", false},
	{"http:// example.com", false},
	{"http://example.com/\xc3\xa9", false},
	{"http://example.com/%2", false},
	{"http://example.com/%zz", false},
	{"http://example.com:80a/", false},
	{"http://a@b@c/", false},
	{"http://[::1/", false},
	{"http://[]/", false},
	{"http://x/<script>", false},
	{"http://x/#a#b", false},
	{"ht_tp://x", false},
};

START_TEST(uris)
{
	ck_assert_int_eq(compile("{\"format\":\"uri\"}"), 0);
	ck_assert_msg(schema_check_string(schema, uri_cases[_i].text, strlen(uri_cases[_i].text),
					  "query", "/u", &violations) == uri_cases[_i].valid,
		      "%s", uri_cases[_i].text);
}
END_TEST

static const struct {
	const char *schema, *error;
} refused_cases[] = {
	{"1", "#: a schema must be an object, true or false"},
	{"{\"minimun\":1}", "#: the keyword \"minimun\" is not supported"},
	{"{\"if\":{}}", "#: the keyword \"if\" is not supported"},
	{"{\"patternProperties\":{}}", "#: the keyword \"patternProperties\" is not supported"},
	{"{\"example\":1}", "#: the keyword \"example\" is not supported"},
	{"{\"type\":\"text\"}", "#: type must name JSON Schema types"},
	{"{\"type\":[]}", "#: type must not be empty"},
	{"{\"type\":7}", "#: type must name JSON Schema types"},
	{"{\"enum\":[]}", "#: enum must be a list that is not empty"},
	{"{\"minimum\":\"1\"}", "#: minimum must be a number of at most 18 digits"},
	{"{\"multipleOf\":0.01}", "#: the keyword \"multipleOf\" is not supported"},
	{"{\"x-decimals\":-1}", "#: x-decimals must be a whole number, 0 or more"},
	{"{\"not\":{}}", "#: not must hold a const, and nothing else"},
	{"{\"not\":{\"const\":0,\"type\":\"string\"}}",
	 "#: not must hold a const, and nothing else"},
	{"{\"format\":\"int32\"}",
	 "#: int32 is for integers, with a minimum and a maximum that fit it"},
	{"{\"format\":\"int32\",\"type\":\"integer\",\"minimum\":0}",
	 "#: int32 is for integers, with a minimum and a maximum that fit it"},
	{"{\"format\":\"int32\",\"type\":\"integer\",\"minimum\":0,\"maximum\":2147483648}",
	 "#: int32 is for integers, with a minimum and a maximum that fit it"},
	{"{\"minLength\":-1}", "#: minLength must be a whole number, 0 or more"},
	{"{\"maxItems\":1.5}", "#: maxItems must be a whole number, 0 or more"},
	{"{\"pattern\":1}", "#: pattern must be a string"},
	{"{\"format\":\"email\"}",
	 "#: format \"email\" is not checked; date-time, id, int32, int64, text-block, "
	 "text-line, uri and uuid are"},
	{"{\"required\":\"a\"}", "#: required must be a list"},
	{"{\"required\":[1]}", "#: required must hold strings"},
	{"{\"required\":[\"a\",\"a\"]}", "#: required names \"a\" twice"},
	{"{\"properties\":[]}", "#: properties must be an object"},
	{"{\"properties\":{\"a\":{\"x\":1}}}",
	 "#/properties/a: the keyword \"x\" is not supported"},
	{"{\"items\":[{}]}", "#/items: a schema must be an object, true or false"},
	{"{\"additionalProperties\":1}",
	 "#/additionalProperties: a schema must be an object, true or false"},
	{"{\"uniqueItems\":1}", "#: uniqueItems must be true or false"},
	{"{\"uniqueItems\":true,\"maxItems\":1001}",
	 "#: uniqueItems takes a maxItems of at most 1000"},
	{"{\"allOf\":[]}", "#: allOf must be a list that is not empty"},
	{"{\"anyOf\":[{},{\"not\":{}}]}", "#/anyOf/1: not must hold a const, and nothing else"},
	{"{\"$ref\":1}", "#: $ref \"\" leads nowhere"},
	{"{\"$ref\":\"#/x-a\"}", "#: $ref \"#/x-a\" leads nowhere"},
	{"{\"$ref\":\"#x\"}", "#: $ref \"#x\" leads nowhere"},
	{"{\"$ref\":\"other.json\"}", "#: $ref \"other.json\" leads nowhere"},
	{"{\"$ref\":\"#/x-a/01\",\"x-a\":[{},{}]}", "#: $ref \"#/x-a/01\" leads nowhere"},
	{"{\"$ref\":\"#/x-a/2\",\"x-a\":[{},{}]}", "#: $ref \"#/x-a/2\" leads nowhere"},
	{"{\"$ref\":\"#/x-~2\",\"x-~2\":{}}", "#: $ref \"#/x-~2\" leads nowhere"},
	{"{\"$ref\":\"#\"}", "#: a $ref leads back to itself"},
	{"{\"allOf\":[{\"$ref\":\"#\"}]}", "#: a $ref leads back to itself"},
	{"{\"properties\":{\"a\":{\"$ref\":\"#/x-b\"}},\"x-b\":{\"anyOf\":[{\"$ref\":\"#/x-b\"}]}}",
	 "#: a $ref leads back to itself"},
};

START_TEST(refusing)
{
	ck_assert_int_eq(compile(refused_cases[_i].schema), -EINVAL);
	ck_assert_str_eq(text_string(&error), refused_cases[_i].error);
}
END_TEST

static const char *const refused_patterns[] = {
	"\\\\d",  "a.b",     "[\\\\]]",    "[[:alpha:]]", "[]a]",   "[^]",      "[a",    "(?=a)",
	"a*?",    "a++",     "*a",         "(+a)",        "a|*",    "^*",       "a{",    "a{,3}",
	"a{3,2}", "a{1001}", "a]",         "a}",          "(a",     "\xc3\xa9", "\\\\1", "[z-a]",
	"a\\\\",  "a)",      "[\xc3\xa9]", "[^\xc3\xa9]", "[a\\t]",
};

START_TEST(refusing_patterns)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"pattern\":\"%s\"}", refused_patterns[_i]);
	ck_assert_int_eq(compile(text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(text_string(&error), "#: pattern "));
}
END_TEST

START_TEST(every_place_is_reported)
{
	static const char *const expected[][2] = {
		{"/cart/items/0/quantity", "must be at least 1"},
		{"/cart/items/1/note", "unknown member"},
		{"/cart/items/1/quantity", "is required"},
		{"/cart/user", "is required"},
	};

	ck_assert_int_eq(compile("{\"properties\":{\"items\":{\"items\":{\"$ref\":\"#/x-item\"}},"
				 "\"user\":{}},\"required\":[\"items\",\"user\"],"
				 "\"x-item\":{\"properties\":{\"quantity\":{\"minimum\":1}},"
				 "\"required\":[\"quantity\"],\"additionalProperties\":false}}"),
			 0);
	value = parse("{\"items\":[{\"quantity\":0},{\"note\":1}]}");
	ck_assert(!schema_check(schema, value, "body", "/cart", &violations));
	ck_assert_uint_eq(violations.total, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		ck_assert_str_eq(violations.list[i].pointer, expected[i][0]);
		ck_assert_str_eq(violations.list[i].detail, expected[i][1]);
	}
}
END_TEST

START_TEST(many_violations_are_counted)
{
	struct text list;

	text_init(&list, 1u << 20);
	text_append_string(&list, "[0");
	for (int i = 1; i < 5000; i++)
		text_append_string(&list, ",0");
	text_append_char(&list, ']');
	ck_assert_int_eq(compile("{\"items\":{\"type\":\"string\"}}"), 0);
	value = parse(text_string(&list));
	text_release(&list);
	ck_assert(!schema_check(schema, value, "body", "", &violations));
	ck_assert_uint_eq(violations.count, VIOLATIONS_MAX);
	ck_assert_uint_eq(violations.total, 5000);
}
END_TEST

START_TEST(unique_items_bound_the_work)
{
	struct text list;

	text_init(&list, 1u << 20);
	text_append_string(&list, "[0");
	for (int i = 1; i <= 1000; i++)
		text_printf(&list, ",%d", i);
	text_append_char(&list, ']');
	ck_assert_int_eq(compile("{\"uniqueItems\":true}"), 0);
	value = parse(text_string(&list));
	text_release(&list);
	ck_assert(!schema_check(schema, value, "body", "", &violations));
	ck_assert_str_eq(violations.list[0].detail, "must have at most 1000 items");
}
END_TEST

START_TEST(values_that_are_no_json)
{
	struct decimal five = {5, 0}, half = {5, 1};

	ck_assert_int_eq(compile("{\"enum\":[5,true,\"ab\"]}"), 0);
	ck_assert(schema_check_number(schema, five, "query", "", NULL));
	ck_assert(!schema_check_number(schema, half, "query", "", NULL));
	ck_assert(schema_check_bool(schema, true, "query", "", NULL));
	ck_assert(!schema_check_bool(schema, false, "query", "", NULL));
	/* The text need not end where the string does. */
	ck_assert(schema_check_string(schema, "abc", 2, "query", "", NULL));
	ck_assert(!schema_check_string(schema, "abc", 3, "query", "/q", &violations));
	ck_assert_str_eq(violations.list[0].in, "query");
	ck_assert_str_eq(violations.list[0].pointer, "/q");
	ck_assert_str_eq(violations.list[0].detail, "must be one of 5, true, \"ab\"");
}
END_TEST

START_TEST(patterns_end_where_the_string_does)
{
	ck_assert_int_eq(compile("{\"pattern\":\"^a+$\"}"), 0);
	ck_assert(schema_check_string(schema, "aab", 2, "path", "", NULL));
	ck_assert(!schema_check_string(schema, "aab", 3, "path", "", NULL));
}
END_TEST

static const struct {
	const char *schema;
	unsigned types, element_types;
} types_cases[] = {
	{"{}", SCHEMA_ANY, SCHEMA_ANY},
	{"{\"type\":\"string\"}", SCHEMA_STRING, SCHEMA_ANY},
	{"{\"type\":\"string\",\"minLength\":1}", SCHEMA_STRING, SCHEMA_ANY},
	{"{\"type\":\"integer\"}", SCHEMA_INTEGER, SCHEMA_ANY},
	{"{\"type\":\"number\"}", SCHEMA_INTEGER | SCHEMA_FRACTION, SCHEMA_ANY},
	{"{\"$ref\":\"#/x-a\",\"x-a\":{\"type\":\"boolean\"}}", SCHEMA_BOOLEAN, SCHEMA_ANY},
	{"{\"$ref\":\"#/x-a\",\"x-a\":{\"format\":\"uuid\"}}", SCHEMA_ANY, SCHEMA_ANY},
	{"{\"type\":\"number\",\"allOf\":[{\"type\":\"integer\"}]}", SCHEMA_INTEGER, SCHEMA_ANY},
	{"{\"allOf\":[{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}", SCHEMA_ARRAY,
	 SCHEMA_STRING},
};

START_TEST(types)
{
	ck_assert_int_eq(compile(types_cases[_i].schema), 0);
	ck_assert_uint_eq(schema_types(schema), types_cases[_i].types);
	ck_assert_uint_eq(schema_element_types(schema), types_cases[_i].element_types);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("schema");

	tcase_add_checked_fixture(tcase, NULL, stop);
	tcase_add_loop_test(tcase, checking, 0, ARRAY_SIZE(check_cases));
	tcase_add_loop_test(tcase, uris, 0, ARRAY_SIZE(uri_cases));
	tcase_add_loop_test(tcase, refusing, 0, ARRAY_SIZE(refused_cases));
	tcase_add_loop_test(tcase, refusing_patterns, 0, ARRAY_SIZE(refused_patterns));
	tcase_add_test(tcase, every_place_is_reported);
	tcase_add_test(tcase, many_violations_are_counted);
	tcase_add_test(tcase, unique_items_bound_the_work);
	tcase_add_test(tcase, values_that_are_no_json);
	tcase_add_test(tcase, patterns_end_where_the_string_does);
	tcase_add_loop_test(tcase, types, 0, ARRAY_SIZE(types_cases));
	return unit_run(tcase, "schema");
}
