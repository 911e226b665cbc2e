#include "auth/discovery.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* What is after the prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* "" or ":8080", then "" or a path. What else could be in a URL means something to nginx. */
static bool is_port_and_path(const char *text)
{
	if (*text == ':') {
		size_t digits = strspn(text + 1, "0123456789");

		if (digits < 1 || digits > 5)
			return false;
		text += 1 + digits;
	}
	if (*text != '/')
		return !*text;
	return text[strspn(text, LETTERS_AND_DIGITS "._~%+,:=@/?&-")] == '\0';
}

bool discovery_is_url(const char *text)
{
	const char *rest = after(text, "https://");
	size_t host = rest ? strspn(rest, LETTERS_AND_DIGITS ".-") : 0;

	if (strlen(text) > DISCOVERY_URL_MAX)
		return false;
	if (rest)
		return host > 0 && is_port_and_path(rest + host);
	rest = after(text, "http://localhost");
	if (!rest)
		rest = after(text, "http://127.0.0.1");
	return rest && is_port_and_path(rest);
}

bool discovery_is_issuer(const char *text)
{
	return discovery_is_url(text) && !strchr(text, '?');
}

int discovery_read(const struct json *configuration, const char *issuer, const char **ret_url,
		   char reterr_reason[JWKS_REASON_SIZE])
{
	const char *named = json_get_string(configuration, "issuer", NULL);
	const char *url = json_get_string(configuration, "jwks_uri", NULL);

	if (!named || strcmp(named, issuer) != 0) {
		snprintf(reterr_reason, JWKS_REASON_SIZE,
			 "its configuration is that of \"%.80s\", not of AUTH_ISSUER",
			 named ? named : "");
		return -EINVAL;
	}
	if (!url || !discovery_is_url(url)) {
		snprintf(reterr_reason, JWKS_REASON_SIZE, "its jwks_uri \"%.80s\" is no https://",
			 url ? url : "");
		return -EINVAL;
	}
	*ret_url = url;
	return 0;
}
