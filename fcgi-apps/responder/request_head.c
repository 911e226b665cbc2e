#include "responder/request_head.h"

#include <ctype.h>

#include "base/digits.h"
#include "base/uuid.h"

#define HOST_MAX 300

enum parameter {
	METHOD,
	PATH,
	PREFIX,
	QUERY,
	CONTENT_TYPE,
	LISTENER,
	HEAD_ONLY,
	AUTHORIZATION,
	CART_SECRET,
	RATE_LIMIT,
	STORING_LIMIT,
	IDEMPOTENCY_KEY,
	IF_MATCH,
	IF_NONE_MATCH,
	ORIGIN,
	REQUEST_ID,
	TRACEPARENT,
	PARAMETER_COUNT,
};

static void read_parameters(char *const *sent, const char *values[PARAMETER_COUNT])
{
	static const struct {
		const char *name;
		size_t length;
	} known[PARAMETER_COUNT] = {
#define PARAMETER(name) {name "=", sizeof(name)}
		[METHOD] = PARAMETER("REQUEST_METHOD"),
		[PATH] = PARAMETER("DOCUMENT_URI"),
		[PREFIX] = PARAMETER("SCRIPT_NAME"),
		[QUERY] = PARAMETER("QUERY_STRING"),
		[CONTENT_TYPE] = PARAMETER("CONTENT_TYPE"),
		[LISTENER] = PARAMETER("LISTENER"),
		[HEAD_ONLY] = PARAMETER("HEAD_ONLY"),
		[AUTHORIZATION] = PARAMETER("HTTP_AUTHORIZATION"),
		[CART_SECRET] = PARAMETER("HTTP_CART_SECRET"),
		[RATE_LIMIT] = PARAMETER("RATE_LIMIT"),
		[STORING_LIMIT] = PARAMETER("STORING_LIMIT"),
		[IDEMPOTENCY_KEY] = PARAMETER("HTTP_IDEMPOTENCY_KEY"),
		[IF_MATCH] = PARAMETER("HTTP_IF_MATCH"),
		[IF_NONE_MATCH] = PARAMETER("HTTP_IF_NONE_MATCH"),
		[ORIGIN] = PARAMETER("SERVER_ORIGIN"),
		[REQUEST_ID] = PARAMETER("HTTP_X_REQUEST_ID"),
		[TRACEPARENT] = PARAMETER("HTTP_TRACEPARENT"),
#undef PARAMETER
	};
	for (; *sent; sent++) {
		for (size_t i = 0; i < PARAMETER_COUNT; i++) {
			if (strncmp(*sent, known[i].name, known[i].length) == 0) {
				values[i] = *sent + known[i].length;
				break;
			}
		}
	}
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static bool is_lower_hex(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (hex_value(text[i]) < 0 || (text[i] >= 'A' && text[i] <= 'F'))
			return false;
	}
	return true;
}

/* count digits, 16 at most */
static char *random_hex(char *position, unsigned count)
{
	uint64_t bits;
	random_bytes(&bits, sizeof(bits));
	return hex_fixed(position, bits, count);
}

/* "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context section 3.2). */
static bool is_traceparent(const char *text)
{
	return strlen(text) == TRACEPARENT_SIZE - 1 && strncmp(text, "00-", 3) == 0 &&
	       is_lower_hex(text + 3, 32) && text[35] == '-' && is_lower_hex(text + 36, 16) &&
	       text[52] == '-' && is_lower_hex(text + 53, 2);
}

/* nginx passes on the caller's trace with a new span, which the worker shares. A worker reached
 * without nginx starts a new trace. */
static void set_trace(struct request *request, const char *traceparent)
{
	char *own = request->traceparent;
	if (traceparent && is_traceparent(traceparent)) {
		memcpy(own, traceparent, TRACEPARENT_SIZE);
	} else {
		memcpy(own, "00-", 3);
		random_hex(random_hex(own + 3, 16), 16);
		own[35] = '-';
		random_hex(own + 36, 16);
		memcpy(own + 52, "-01", 4);
	}
	memcpy(request->trace_id, own + 3, 32);
	request->trace_id[32] = '\0';
}

static void set_request_id(struct request *request, const char *request_id)
{
	size_t length = request_id ? strlen(request_id) : 0;
	bool valid = length > 0 && length < REQUEST_ID_SIZE;
	for (size_t i = 0; valid && i < length; i++)
		valid = isalnum((unsigned char)request_id[i]) || strchr("._-", request_id[i]);
	if (valid)
		memcpy(request->request_id, request_id, length + 1);
	else
		uuid_make(request->request_id);
}

/* scheme "://" host [ ":" port ], with the characters of a host (RFC 3986 section 3.2.2) but no
 * escapes. */
static bool is_origin(const char *text)
{
	const char *host = strstr(text, "://");
	size_t length = host ? strlen(host + 3) : 0;
	return length > 0 && length < HOST_MAX &&
	       strspn(host + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				"-._:[]") == length;
}

/* Of nginx, which has checked it. */
static int64_t limit_of(const char *text)
{
	return text ? strtol(text, NULL, 10) : 0;
}

void request_head_read(struct request *request, char *const *parameters)
{
	const char *sent[PARAMETER_COUNT] = {NULL};
	read_parameters(parameters, sent);

	request->method = or_empty(sent[METHOD]);
	request->path = or_empty(sent[PATH]);
	request->prefix = or_empty(sent[PREFIX]);
	request->query = or_empty(sent[QUERY]);
	request->content_type = or_empty(sent[CONTENT_TYPE]);
	request->internal = sent[LISTENER] && strcmp(sent[LISTENER], "public") != 0;
	request->head_only = sent[HEAD_ONLY] != NULL;
	request->authorization = or_null(sent[AUTHORIZATION]);
	request->cart_secret = or_null(sent[CART_SECRET]);
	request->rate_limit = limit_of(sent[RATE_LIMIT]);
	request->storing_limit = limit_of(sent[STORING_LIMIT]);
	request->idempotency_key = or_null(sent[IDEMPOTENCY_KEY]);
	request->if_match = or_null(sent[IF_MATCH]);
	request->if_none_match = or_null(sent[IF_NONE_MATCH]);
	request->origin = sent[ORIGIN] && is_origin(sent[ORIGIN]) ? sent[ORIGIN] : "";
	set_request_id(request, sent[REQUEST_ID]);
	set_trace(request, sent[TRACEPARENT]);
}
