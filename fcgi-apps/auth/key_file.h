/*
 * The file of a verifier's keys, a JWK set (jwks.h). It may change at any time; as long as it
 * cannot be read, the old keys count. For one thread at a time.
 */
#ifndef AUTH_KEY_FILE_H
#define AUTH_KEY_FILE_H

#include "auth/verifier.h"
#include "base/file.h"

struct key_file {
	const char *path; /* kept, not copied; NULL: there is none */
	struct verifier *verifier;
	struct stat seen; /* when it was last read */
	int error;        /* of that, which has been logged */
};

/* Reads the keys. -EIO: the file cannot be read; else errors and the reason as jwks_read(). */
int key_file_open(struct key_file *file, const char *path, struct verifier *verifier,
		  char reterr_reason[JWKS_REASON_SIZE]);

/* Reads them anew if the file has changed. To be called every second. */
void key_file_renew(struct key_file *file);

#endif
