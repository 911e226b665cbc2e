/* Checks the query and header parameters of a request. */
#include "base/digits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "contract/contract_parts.h"

/* What was read, and what was wrong with it. */
struct reading {
	struct arguments *arguments;
	struct violations *violations;
};

const struct argument *arguments_find(const struct arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->count; i++) {
		if (strcmp(arguments->list[i].name, name) == 0)
			return &arguments->list[i];
	}
	return NULL;
}

void arguments_release(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free(arguments->list[i].own);
	free(arguments->memory);
	*arguments = (struct arguments){0};
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* Decodes from..end in place and replaces the separator after it by a NUL. NULL, or the reason. */
static const char *decode(char *from, const char *end, size_t *ret_length)
{
	char *to = from;
	const char *start = from;

	for (; from < end; from++) {
		char byte = *from;

		if (byte == '+') {
			byte = ' ';
		} else if (byte == '%') {
			int high = end - from > 2 ? hex_value(from[1]) : -1;
			int low = end - from > 2 ? hex_value(from[2]) : -1;

			if (high < 0 || low < 0)
				return "has a % that is not followed by two hexadecimal digits";
			byte = (char)(high * 16 + low);
			from += 2;
		}
		*to++ = byte;
	}
	*ret_length = (size_t)(to - start);
	*to = '\0';
	return NULL;
}

/* NULL, or what is wrong with the bytes. */
static const char *check_characters(const char *text, size_t length)
{
	if (!utf8_is_valid(text, length))
		return "is not valid UTF-8";
	return unicode_has_control(text, length) ? "must not have control characters" : NULL;
}

/* Replaces the text by its normal form. -ENOMEM. */
static int normalize(const struct parameter *parameter, struct argument *argument)
{
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	if (!utf8_is_valid(argument->text, argument->length))
		return 0;
	int r = schema_normalize_string(parameter->schema, argument->text, argument->length,
					&normal);
	if (r <= 0)
		return r;
	argument->length = normal.length;
	argument->own = text_detach(&normal);
	argument->text = argument->own;
	return argument->own ? 0 : -ENOMEM;
}

/* ---- values --------------------------------------------------------------------------------- */

/* -?(0|[1-9][0-9]*): a JSON integer, and nothing that only looks like one. */
static bool is_integer_text(const char *text)
{
	text += *text == '-';
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && text[digits] == '\0' && (*text != '0' || digits == 1);
}

static bool check_integer(const struct parameter *parameter, const char *in,
			  struct argument *argument, struct violations *violations)
{
	struct decimal number;

	if (!is_integer_text(argument->text)) {
		violations_add(violations, in, parameter->pointer, "must be a whole number");
		return false;
	}
	if (decimal_parse(argument->text, argument->length, &number) < 0 ||
	    decimal_to_int(number, &argument->integer) < 0) {
		violations_add(violations, in, parameter->pointer,
			       "must have at most 18 significant digits");
		return false;
	}
	return schema_check_number(parameter->schema, number, in, parameter->pointer, violations);
}

/* An unescaped + has been decoded to a space (WHATWG URL, section 5.1). Whether the value would be
 * valid with a + instead; then the violation says so. */
static bool is_plus_meant(const struct parameter *parameter, const char *in,
			  const struct argument *argument, struct violations *violations)
{
	char *text CLEANUP(free_p) = strdup(argument->text);
	struct decimal number;

	for (char *at = text; at && *at; at++) {
		if (*at == ' ')
			*at = '+';
	}
	if (!text || strcmp(text, argument->text) == 0 || strcmp(in, "query") != 0)
		return false;
	bool meant = parameter->kind == PARAMETER_NUMBER
			     ? decimal_parse(text, argument->length, &number) == 0
			     : schema_check_string(parameter->schema, text, argument->length, in,
						   parameter->pointer, NULL);
	if (meant)
		violations_add(violations, in, parameter->pointer,
			       "has a space where a + belongs: in a query, write + as %%2B");
	return meant;
}

static void check_string(const struct parameter *parameter, const char *in,
			 const struct argument *argument, struct violations *violations)
{
	if (!schema_check_string(parameter->schema, argument->text, argument->length, in,
				 parameter->pointer, NULL) &&
	    !is_plus_meant(parameter, in, argument, violations))
		schema_check_string(parameter->schema, argument->text, argument->length, in,
				    parameter->pointer, violations);
}

static bool check_number(const struct parameter *parameter, const char *in,
			 const struct argument *argument, struct violations *violations)
{
	struct decimal number;
	int r = decimal_parse(argument->text, argument->length, &number);

	if (r == 0)
		return schema_check_number(parameter->schema, number, in, parameter->pointer,
					   violations);
	if (is_plus_meant(parameter, in, argument, violations))
		return false;
	violations_add(violations, in, parameter->pointer,
		       r == -ERANGE ? "must have at most 18 significant digits"
				    : "must be a number");
	return false;
}

static bool check_boolean(const struct parameter *parameter, const char *in,
			  struct argument *argument, struct violations *violations)
{
	if (strcmp(argument->text, "true") != 0 && strcmp(argument->text, "false") != 0) {
		violations_add(violations, in, parameter->pointer, "must be true or false");
		return false;
	}
	argument->integer = argument->text[0] == 't';
	return true;
}

/* Checks one value and adds it to the arguments. -ENOMEM. */
static int take_value(struct reading *reading, const struct parameter *parameter, const char *in,
		      const char *text, size_t length)
{
	struct argument argument = {.name = parameter->name, .text = text, .length = length};
	int r = normalize(parameter, &argument);

	if (r < 0)
		return r;
	const char *reason = check_characters(argument.text, argument.length);
	if (reason) {
		violations_add(reading->violations, in, parameter->pointer, "%s", reason);
		free(argument.own);
		return 0;
	}
	switch (parameter->kind) {
	case PARAMETER_STRING:
		check_string(parameter, in, &argument, reading->violations);
		break;
	case PARAMETER_INTEGER:
		check_integer(parameter, in, &argument, reading->violations);
		break;
	case PARAMETER_NUMBER:
		check_number(parameter, in, &argument, reading->violations);
		break;
	case PARAMETER_BOOLEAN:
		check_boolean(parameter, in, &argument, reading->violations);
		break;
	}
	/* compile.py checked that all declared parameters have room. */
	reading->arguments->list[reading->arguments->count++] = argument;
	return 0;
}

/* ---- the query ------------------------------------------------------------------------------ */

static void refuse_name(struct reading *reading, const char *name, size_t length)
{
	char pointer[VIOLATION_POINTER_SIZE] = "";

	if (check_characters(name, length)) {
		violations_add(reading->violations, "query", "",
			       "the name of a parameter is not readable text");
		return;
	}
	pointer_append(pointer, name);
	violations_add(reading->violations, "query", pointer, "unknown parameter");
}

/* Takes one "name=value" from start..end; end is writable. seen: a bit per parameter. */
static int take_pair(struct reading *reading, const struct endpoint *endpoint, char *start,
		     char *end, uint32_t *seen)
{
	char *equals = memchr(start, '=', (size_t)(end - start));
	char *value = equals ? equals + 1 : end;
	size_t length;

	const char *reason = decode(start, equals ? equals : end, &length);
	if (reason) {
		violations_add(reading->violations, "query", "", "the name of a parameter %s",
			       reason);
		return 0;
	}
	for (size_t i = 0; i < endpoint->query.count; i++) {
		const struct parameter *parameter = &endpoint->query.list[i];

		if (strlen(parameter->name) != length ||
		    memcmp(parameter->name, start, length) != 0)
			continue;
		if (*seen & (UINT32_C(1) << i)) {
			violations_add(reading->violations, "query", parameter->pointer,
				       "must not be repeated");
			return 0;
		}
		*seen |= UINT32_C(1) << i;
		reading->arguments->scopes |= parameter->scopes;
		reason = decode(value, end, &length);
		if (!reason)
			return take_value(reading, parameter, "query", value, length);
		violations_add(reading->violations, "query", parameter->pointer, "%s", reason);
		return 0;
	}
	refuse_name(reading, start, length);
	return 0;
}

static int check_query(struct reading *reading, const struct endpoint *endpoint, const char *query)
{
	uint32_t seen = 0;
	int r = 0;

	if (query && *query) {
		char *position = strdup(query);

		reading->arguments->memory = position;
		if (!position)
			return -ENOMEM;
		while (*position && r == 0) {
			char *end = strchrnul(position, '&');
			bool last = !*end;

			if (end > position)
				r = take_pair(reading, endpoint, position, end, &seen);
			if (last)
				break;
			position = end + 1;
		}
	}
	for (size_t i = 0; i < endpoint->query.count; i++) {
		if (endpoint->query.list[i].required && !(seen & (UINT32_C(1) << i)))
			violations_add(reading->violations, "query",
				       endpoint->query.list[i].pointer, "is required");
	}
	return r;
}

static int check_headers(struct reading *reading, const struct endpoint *endpoint,
			 contract_header_function *header, void *context)
{
	for (size_t i = 0; i < endpoint->headers.count; i++) {
		const struct parameter *parameter = &endpoint->headers.list[i];
		const char *value = header(context, parameter->name);
		int r = 0;

		if (value)
			r = take_value(reading, parameter, "header", value, strlen(value));
		else if (parameter->required)
			violations_add(reading->violations, "header", parameter->pointer,
				       "is required");
		if (r < 0)
			return r;
	}
	return 0;
}

int contract_check_parameters(const struct contract *contract, const struct operation *operation,
			      const char *query, contract_header_function *header, void *context,
			      struct arguments *ret_arguments, struct violations *violations)
{
	const struct endpoint *endpoint = &contract->endpoints[operation->index];
	struct arguments arguments = {0};
	struct reading reading = {.arguments = &arguments, .violations = violations};
	int r = check_query(&reading, endpoint, query);

	if (r == 0)
		r = check_headers(&reading, endpoint, header, context);
	if (r == 0)
		r = violations->error;
	if (r < 0) {
		arguments_release(&arguments);
		return r;
	}
	*ret_arguments = arguments;
	return 0;
}
