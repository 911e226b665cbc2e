#include "base/config.h"

#include <stdlib.h>

#include "base/log.h"

static bool failed;

const char *config_text(const char *name, const char *fallback)
{
	const char *value = getenv(name);
	return value && *value ? value : fallback;
}

void config_reject(const char *name, const char *value, const char *expected)
{
	char message[1024];

	failed = true;
	if (value)
		snprintf(message, sizeof(message), "%s=\"%.500s\": expected %s", name, value,
			 expected);
	else
		snprintf(message, sizeof(message), "%s: expected %s", name, expected);
	log_write(LOG_ERROR, message);
}

bool config_failed(void)
{
	return failed;
}

static bool parse_int(const char *text, int64_t *ret_value)
{
	char *end;

	/* strtoll() would also accept leading white space. */
	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return false;
	*ret_value = value;
	return true;
}

int64_t config_int(const char *name, int64_t fallback, int64_t lowest, int64_t highest)
{
	const char *text = config_text(name, NULL);
	int64_t value;

	if (!text)
		return fallback;
	if (parse_int(text, &value) && value >= lowest && value <= highest)
		return value;

	char expected[80];
	snprintf(expected, sizeof(expected), "a whole number from %lld to %lld", (long long)lowest,
		 (long long)highest);
	config_reject(name, text, expected);
	return fallback;
}

bool config_bool(const char *name, bool fallback)
{
	const char *text = config_text(name, NULL);

	if (!text)
		return fallback;
	if (strcmp(text, "1") == 0 || strcmp(text, "true") == 0)
		return true;
	if (strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
		return false;
	config_reject(name, text, "0, 1, false or true");
	return fallback;
}

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* "" or ":8080" */
static bool is_port(const char *text, size_t length)
{
	if (length == 0)
		return true;
	if (length < 2 || length > 6 || text[0] != ':')
		return false;
	unsigned port = 0;
	for (size_t i = 1; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/* host [":" port] [path]. User names are refused: a password does not belong in a plain URL. */
static bool is_base_url(const char *url)
{
	static const char scheme[] = "http://";
	static const char path_bytes[] = LETTERS_AND_DIGITS "/-._~%!$&'()*+,;=:@";

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	const char *host = url + sizeof(scheme) - 1;
	size_t host_length = *host == '[' ? 1 + strspn(host + 1, "0123456789abcdefABCDEF:.")
					  : strspn(host, LETTERS_AND_DIGITS "-._");
	if (*host == '[') {
		if (host_length == 1 || host[host_length] != ']')
			return false;
		host_length++;
	}
	if (host_length == 0)
		return false;
	const char *port = host + host_length;
	const char *path = port + strcspn(port, "/");
	if (!is_port(port, (size_t)(path - port)))
		return false;
	size_t path_length = strlen(path);
	return strspn(path, path_bytes) == path_length &&
	       (path_length == 0 || path[path_length - 1] != '/');
}

const char *config_url(const char *name, const char *fallback)
{
	const char *value = config_text(name, NULL);

	if (!value)
		return fallback;
	if (is_base_url(value))
		return value;
	config_reject(name, value, "an http:// URL without trailing slash, query or fragment");
	return fallback;
}
