#include "upstream/credential.h"

#include <pthread.h>

#include "base/file.h"
#include "base/log.h"

struct credential {
	pthread_mutex_t lock; /* guards all but the path */
	struct stat seen;     /* the file when it was last read */
	char *text;
	char path[];
};

/* A line feed at the end belongs to the file. */
static bool trim(char *text)
{
	size_t length = strcspn(text, "\n");

	text[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return length > 0 && length <= CREDENTIAL_LENGTH_MAX;
}

static int read_anew(struct credential *credential)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(CREDENTIAL_LENGTH_MAX + 1);
	int r = file_read(credential->path, &text);

	if (r == -EMSGSIZE || (r == 0 && (text.length == 0 || !trim(text.data))))
		return -EINVAL;
	if (r < 0)
		return r;
	free(credential->text);
	credential->text = text_detach(&text);
	return 0;
}

int credential_create(const char *path, struct credential **ret_credential)
{
	struct credential *credential = calloc(1, sizeof(*credential) + strlen(path) + 1);

	if (!credential)
		return -ENOMEM;
	memcpy(credential->path, path, strlen(path) + 1);
	pthread_mutex_init(&credential->lock, NULL);
	file_changed(path, &credential->seen);
	int r = read_anew(credential);
	if (r < 0) {
		credential_free(credential);
		return r;
	}
	*ret_credential = credential;
	return 0;
}

void credential_free(struct credential *credential)
{
	if (!credential)
		return;
	pthread_mutex_destroy(&credential->lock);
	free(credential->text);
	free(credential);
}

static void renew(struct credential *credential)
{
	if (!file_changed(credential->path, &credential->seen))
		return;
	int r = read_anew(credential);
	if (r < 0)
		log_write(LOG_WARN, "cannot read a service's credential anew",
			  log_text("file.path", credential->path), log_error_code(r));
	/* Short of memory or descriptors, the next call tries again. */
	if (r < 0 && r != -EINVAL)
		credential->seen = (struct stat){0};
}

void credential_append(struct credential *credential, struct text *out)
{
	pthread_mutex_lock(&credential->lock);
	renew(credential);
	text_printf(out, "Authorization: Bearer %s\r\n", credential->text);
	pthread_mutex_unlock(&credential->lock);
}
