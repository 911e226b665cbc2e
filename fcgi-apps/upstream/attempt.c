#include "upstream/attempt.h"

#include <curl/curl.h>

#include "base/clock.h"

/* Our messages are small; libcurl allocates this much for each kept connection. */
#define RECEIVE_BUFFER 8192L
#define SEND_BUFFER    16384L /* its minimum */
#define URL_LIMIT      8000   /* nginx takes a request line of 8 KiB */
#define HEADER_MAX     512

struct attempt_handle {
	CURL *curl;
};

struct attempt_handle *attempt_handle_create(void)
{
	struct attempt_handle *handle = malloc(sizeof(*handle));

	if (!handle)
		return NULL;
	handle->curl = curl_easy_init();
	if (!handle->curl) {
		free(handle);
		return NULL;
	}
	return handle;
}

void attempt_handle_free(struct attempt_handle *handle)
{
	if (!handle)
		return;
	curl_easy_cleanup(handle->curl);
	free(handle);
}

void attempt_answer_release(struct attempt_answer *answer)
{
	text_release(&answer->body);
}

static size_t receive(char *data, size_t size, size_t count, void *body)
{
	text_append(body, data, size * count);
	return text_error(body) ? 0 : size * count;
}

static void slist_free_p(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static bool add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* Leaves a value out that would start a header of its own, or does not fit. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char line[HEADER_MAX];

	if (!value)
		return true;
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return true;
	}
	if ((size_t)snprintf(line, sizeof(line), "%s: %s", name, value) >= sizeof(line))
		return true;
	return add_line(list, line);
}

static bool make_headers(const struct upstream_request *request, struct curl_slist **list)
{
	/* "Content-Type:" alone takes away the form type that libcurl would claim. */
	return add_line(list, request->body ? "Content-Type: application/json" : "Content-Type:") &&
	       add_line(list, "Accept: application/json") && add_line(list, "Expect:") &&
	       add_header(list, "X-Request-ID", request->request_id) &&
	       add_header(list, "traceparent", request->traceparent);
}

static long to_milliseconds(int64_t microseconds)
{
	/* 0 would mean "for ever" */
	return microseconds < 1000 ? 1 : (long)(microseconds / 1000);
}

/* Whoever talks to a sibling talks to that one address: no proxy, no redirect, no other scheme. */
static bool set_transport(CURL *curl, int64_t connect_timeout, int64_t timeout)
{
	return !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") &&
	       !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER) &&
	       !curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER) &&
	       !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
				 to_milliseconds(connect_timeout)) &&
	       !curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, to_milliseconds(timeout));
}

static bool set_request(CURL *curl, const char *url, const struct upstream_request *request,
			struct curl_slist *headers, struct text *body)
{
	bool sends_length = request->body || strcmp(request->method, "PUT") == 0 ||
			    strcmp(request->method, "POST") == 0;

	/* libcurl repeats a request by itself when a kept connection turns out to be dead, though
	 * it may have been acted on: a call that must not be repeated gets a new connection. */
	return !curl_easy_setopt(curl, CURLOPT_URL, url) &&
	       !curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request->idempotent ? 0L : 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) &&
	       (!sends_length ||
		(!curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				   (curl_off_t)(request->body ? request->body_length : 0)) &&
		 !curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
				   request->body ? request->body : ""))) &&
	       !curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static enum attempt_end classify(CURLcode code, const struct text *body)
{
	switch (code) {
	case CURLE_OK:
		return ATTEMPT_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return ATTEMPT_NOT_SENT;
	case CURLE_OPERATION_TIMEDOUT:
		return ATTEMPT_TIMED_OUT;
	case CURLE_OUT_OF_MEMORY:
		return ATTEMPT_NO_MEMORY;
	case CURLE_WRITE_ERROR:
		return text_error(body) == -ENOMEM ? ATTEMPT_NO_MEMORY : ATTEMPT_TOO_LONG;
	default:
		return ATTEMPT_LOST;
	}
}

enum attempt_end attempt_run(struct attempt_handle *handle, const char *base_url,
			     const struct upstream_request *request, int64_t connect_timeout,
			     int64_t timeout, struct attempt_answer *answer)
{
	CURL *curl = handle->curl;
	struct curl_slist *headers CLEANUP(slist_free_p) = NULL;
	struct text url CLEANUP(text_release);

	text_init(&url, URL_LIMIT);
	text_append_string(&url, base_url);
	text_append_string(&url, request->path);
	if (text_error(&url))
		return text_error(&url) == -ENOMEM ? ATTEMPT_NO_MEMORY : ATTEMPT_TOO_LONG;

	curl_easy_reset(curl); /* the options; the connection stays */
	if (!make_headers(request, &headers) || !set_transport(curl, connect_timeout, timeout) ||
	    !set_request(curl, text_string(&url), request, headers, &answer->body))
		return ATTEMPT_NO_MEMORY;

	CURLcode code = curl_easy_perform(curl);
	long status = 0;
	curl_off_t retry_after = 0;

	if (code == CURLE_OK) {
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		answer->status = (int)status;
	}
	if (code == CURLE_OK &&
	    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK &&
	    retry_after > 0 && retry_after < CLOCK_DAY / CLOCK_SECOND)
		answer->retry_after = retry_after * CLOCK_SECOND;
	return classify(code, &answer->body);
}
