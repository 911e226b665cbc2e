#include "upstream/credential.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/log.h"

struct credential {
	pthread_mutex_t lock; /* guards all but the path */
	struct stat seen;     /* of the file when it was last read, or tried to be */
	char text[CREDENTIAL_LENGTH_MAX + 1];
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

static int read_file(struct credential *credential)
{
	char text[CREDENTIAL_LENGTH_MAX + 3] = "";
	FILE *file = fopen(credential->path, "re");

	if (!file)
		return -EIO;
	bool read = fgets(text, sizeof(text), file);
	bool failed = ferror(file);
	fclose(file);
	if (failed)
		return -EIO;
	if (!read || !trim(text))
		return -EINVAL;
	memcpy(credential->text, text, strlen(text) + 1);
	return 0;
}

int credential_create(const char *path, struct credential **ret_credential)
{
	struct credential *credential = calloc(1, sizeof(*credential) + strlen(path) + 1);

	if (!credential)
		return -ENOMEM;
	memcpy(credential->path, path, strlen(path) + 1);
	int r = stat(path, &credential->seen) < 0 ? -EIO : read_file(credential);
	if (r < 0) {
		free(credential);
		return r;
	}
	pthread_mutex_init(&credential->lock, NULL);
	*ret_credential = credential;
	return 0;
}

void credential_free(struct credential *credential)
{
	if (!credential)
		return;
	pthread_mutex_destroy(&credential->lock);
	free(credential);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void renew(struct credential *credential)
{
	struct stat now;

	if (stat(credential->path, &now) < 0 || is_same(&now, &credential->seen))
		return;
	credential->seen = now;
	int r = read_file(credential);
	if (r < 0)
		log_write(LOG_WARN, "cannot read a service's credential anew",
			  log_text("file.path", credential->path), log_error_code(r));
}

void credential_append(struct credential *credential, struct text *out)
{
	pthread_mutex_lock(&credential->lock);
	renew(credential);
	text_printf(out, "Authorization: Bearer %s\r\n", credential->text);
	pthread_mutex_unlock(&credential->lock);
}
