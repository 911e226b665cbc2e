#include "auth/service_keys.h"

#include <openssl/crypto.h>

/* A line with its end and the NUL, and one more: a longer one is refused. */
#define LINE_SIZE (SERVICE_NAME_LENGTH + 1 + SERVICE_SECRET_LENGTH + 3)

static bool is_secret(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return length >= SERVICE_SECRET_LENGTH_MIN && length <= SERVICE_SECRET_LENGTH;
}

/* "order <secret>"; false: it is something else. */
static bool read_line(char *line, struct service_key *key)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz");

	line[strcspn(line, "\n")] = '\0';
	if (name == 0 || name > SERVICE_NAME_LENGTH || line[name] != ' ' ||
	    !is_secret(line + name + 1))
		return false;
	snprintf(key->name, sizeof(key->name), "%.*s", (int)name, line);
	snprintf(key->secret, sizeof(key->secret), "%s", line + name + 1);
	return true;
}

static int read_keys(FILE *file, struct service_keys *keys)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), file)) {
		if (keys->count == SERVICE_KEYS_MAX || !read_line(line, &keys->list[keys->count]))
			return -EINVAL;
		keys->count++;
	}
	if (ferror(file))
		return -EIO;
	return keys->count > 0 ? 0 : -EINVAL;
}

int service_keys_read(const char *path, struct service_keys *ret_keys)
{
	struct service_keys keys = {0};
	FILE *file = fopen(path, "re");

	if (!file)
		return -EIO;
	int r = read_keys(file, &keys);
	fclose(file);
	if (r == 0)
		*ret_keys = keys;
	OPENSSL_cleanse(&keys, sizeof(keys));
	return r;
}

const char *service_keys_find(const struct service_keys *keys, const char *secret)
{
	size_t length = strlen(secret);
	const char *name = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		const struct service_key *key = &keys->list[i];

		if (strlen(key->secret) == length &&
		    CRYPTO_memcmp(key->secret, secret, length) == 0)
			name = key->name;
	}
	return name;
}
