#include "auth/key_file.h"

#include "base/log.h"

static int read_keys(const struct key_file *file, char reterr_reason[JWKS_REASON_SIZE])
{
	struct text text CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX);
	struct jwks *keys = NULL;
	int r = file_read(file->path, &text);

	if (r < 0) {
		snprintf(reterr_reason, JWKS_REASON_SIZE, "%s",
			 r == -EMSGSIZE ? "it is too long" : "it cannot be read");
		return r;
	}
	r = jwks_read(text_string(&text), text.length, &keys, reterr_reason);
	if (r == 0)
		verifier_set_keys(file->verifier, keys);
	return r;
}

int key_file_open(struct key_file *file, const char *path, struct verifier *verifier,
		  char reterr_reason[JWKS_REASON_SIZE])
{
	*file = (struct key_file){.path = path, .verifier = verifier};
	file_changed(path, &file->seen);
	return read_keys(file, reterr_reason);
}

void key_file_renew(struct key_file *file)
{
	char reason[JWKS_REASON_SIZE] = "";

	if (!file->path || !file_changed(file->path, &file->seen))
		return;
	int before = file->error;
	int r = file->error = read_keys(file, reason);
	/* Short of memory or descriptors, the next call tries again. */
	if (r == -ENOMEM || r == -EIO)
		file->seen = (struct stat){0};
	if (r == 0)
		log_write(LOG_INFO, "the provider's keys were read anew",
			  log_text("file.path", file->path));
	else if (r != before)
		log_write(LOG_ERROR, "cannot read the provider's keys anew",
			  log_text("file.path", file->path), log_text("error.message", reason),
			  log_error_code(r));
}
