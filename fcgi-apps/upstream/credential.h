/*
 * What calls show of who makes them: the text of a file, sent as `Authorization: Bearer`. A file
 * that changes is read anew: the kubelet replaces a projected token before it expires. Thread-safe.
 */
#ifndef UPSTREAM_CREDENTIAL_H
#define UPSTREAM_CREDENTIAL_H

#include "base/text.h"

#define CREDENTIAL_LENGTH_MAX 8192

struct credential;

/* -EIO: the file cannot be read, -EINVAL: it holds no credential; -ENOMEM. */
int credential_create(const char *path, struct credential **ret_credential);
void credential_free(struct credential *credential); /* takes NULL */

/* Appends the header's line. If the file cannot be read any more, what it held counts. */
void credential_append(struct credential *credential, struct text *out);

#endif
