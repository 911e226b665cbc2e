/* Small files that somebody may replace while the process runs: keys, tokens, secrets. Thread-safe,
 * as far as the arguments are. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>

#include "base/text.h"

/* Appends what the file holds. -EIO: it cannot be read; -EMSGSIZE: more than the text takes;
 * -ENOMEM. */
int file_read(const char *path, struct text *out);

/* Whether the file is there, and not the one of *seen: another one, or changed in content or
 * permissions. Then *seen is the one that is there now; {0} is none. */
bool file_changed(const char *path, struct stat *seen);

#endif
