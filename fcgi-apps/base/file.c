#include "base/file.h"

#include <stdio.h>

#define PIECE 4096

int file_read(const char *path, struct text *out)
{
	FILE *file = fopen(path, "re");
	char piece[PIECE];
	size_t got;

	if (!file)
		return -EIO;
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0 && text_error(out) == 0)
		text_append(out, piece, got);
	bool failed = ferror(file);
	fclose(file);
	return failed ? -EIO : text_error(out);
}

bool file_changed(const char *path, struct stat *seen)
{
	struct stat now;

	if (stat(path, &now) < 0 ||
	    (now.st_dev == seen->st_dev && now.st_ino == seen->st_ino &&
	     now.st_size == seen->st_size && now.st_ctim.tv_sec == seen->st_ctim.tv_sec &&
	     now.st_ctim.tv_nsec == seen->st_ctim.tv_nsec))
		return false;
	*seen = now;
	return true;
}
