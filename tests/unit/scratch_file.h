/* A small file in /tmp that a test replaces while it is in use. */
#ifndef SCRATCH_FILE_H
#define SCRATCH_FILE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCRATCH_PATH_SIZE 32

/* An empty one, which the caller unlinks. */
static inline void scratch_file_make(char ret_path[SCRATCH_PATH_SIZE])
{
	snprintf(ret_path, SCRATCH_PATH_SIZE, "/tmp/scratch.XXXXXX");
	int fd = mkstemp(ret_path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* As the kubelet does: another file takes the place. */
static inline void scratch_file_replace(const char *path, const char *text)
{
	char fresh[SCRATCH_PATH_SIZE + sizeof(".new")];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	FILE *file = fopen(fresh, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(rename(fresh, path), 0);
}

#endif
