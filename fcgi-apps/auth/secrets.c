#include "auth/secrets.h"

#include "auth/crypto_library.h"
#include "base/file.h"

#define FILE_LIMIT (SECRETS_MAX * (sizeof(struct secret) + 2))

static bool is_secret(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return length >= SECRET_LENGTH_MIN && length <= SECRET_LENGTH;
}

static bool add(struct secrets *secrets, const char *line, bool named)
{
	size_t name = named ? strspn(line, "abcdefghijklmnopqrstuvwxyz") : 0;
	const char *text = named ? line + name + 1 : line;

	if (named && (name == 0 || name > SECRET_NAME_LENGTH || line[name] != ' '))
		return false;
	if (!is_secret(text))
		return false;
	struct secret *secret = &secrets->list[secrets->count++];
	memcpy(secret->name, line, name);
	memcpy(secret->text, text, strlen(text) + 1);
	return true;
}

int secrets_read(const char *path, bool named, size_t most, struct secrets *ret_secrets)
{
	struct text content CLEANUP(text_release) = TEXT_INIT(FILE_LIMIT);
	struct secrets secrets = {0};
	int r = file_read(path, &content);

	if (r < 0)
		return r == -EMSGSIZE ? -EINVAL : r;
	char *rest = content.data;
	/* After the last line feed there may be nothing. */
	for (char *line = strsep(&rest, "\n"); line && (rest || *line);
	     line = strsep(&rest, "\n")) {
		if (secrets.count == most || !add(&secrets, line, named))
			return -EINVAL;
	}
	if (secrets.count == 0)
		return -EINVAL;
	*ret_secrets = secrets;
	return 0;
}

const char *secrets_find(const struct secrets *secrets, const char *text)
{
	size_t length = strlen(text);
	const char *name = NULL;

	for (size_t i = 0; i < secrets->count; i++) {
		const struct secret *secret = &secrets->list[i];

		if (strlen(secret->text) == length &&
		    libcrypto.CRYPTO_memcmp(secret->text, text, length) == 0)
			name = secret->name;
	}
	return name;
}
