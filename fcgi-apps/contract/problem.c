#include "contract/problem.h"

static const struct status_name {
	int status;
	const char *title;
	const char *code;
} status_names[] = {
	{400, "Bad Request", "bad-request"},
	{401, "Unauthorized", "unauthorized"},
	{403, "Forbidden", "forbidden"},
	{404, "Not Found", "not-found"},
	{405, "Method Not Allowed", "method-not-allowed"},
	{406, "Not Acceptable", "not-acceptable"},
	{408, "Request Timeout", "request-timeout"},
	{409, "Conflict", "conflict"},
	{410, "Gone", "gone"},
	{411, "Length Required", "length-required"},
	{412, "Precondition Failed", "precondition-failed"},
	{413, "Content Too Large", "content-too-large"},
	{414, "URI Too Long", "uri-too-long"},
	{415, "Unsupported Media Type", "unsupported-media-type"},
	{422, "Unprocessable Content", "unprocessable-content"},
	{428, "Precondition Required", "precondition-required"},
	{429, "Too Many Requests", "too-many-requests"},
	{431, "Request Header Fields Too Large", "request-header-fields-too-large"},
	{500, "Internal Server Error", "internal-server-error"},
	{501, "Not Implemented", "not-implemented"},
	{502, "Bad Gateway", "bad-gateway"},
	{503, "Service Unavailable", "service-unavailable"},
	{504, "Gateway Timeout", "gateway-timeout"},
	{507, "Insufficient Storage", "insufficient-storage"},
};

static const struct status_name *find_status(int status)
{
	static const struct status_name unknown = {0, "Error", "error"};

	for (size_t i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (status_names[i].status == status)
			return &status_names[i];
	}
	return &unknown;
}

const char *problem_title(int status)
{
	return find_status(status)->title;
}

const char *problem_code(int status)
{
	return find_status(status)->code;
}

void problem_begin(struct json_writer *writer, int status, const char *code, const char *detail,
		   const char *request_id)
{
	json_object_begin(writer);
	json_member_string(writer, "title", problem_title(status));
	json_member_int(writer, "status", status);
	json_member_string(writer, "detail", detail ? detail : problem_title(status));
	json_member_string(writer, "code", code ? code : problem_code(status));
	json_member_string(writer, "request_id", request_id ? request_id : "");
}

void problem_end(struct json_writer *writer)
{
	json_object_end(writer);
}
