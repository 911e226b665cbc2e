/*
 * What the fuzz targets share. A target is a file fuzz_<name>.c with the entry point of libFuzzer;
 * it is linked with libFuzzer (make fuzz) or with replay.c (make test-fuzz). It gets any bytes and
 * says with fuzz_check() what must hold for all of them.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program with a message: replay.c and libFuzzer then keep the input. */
#define fuzz_check(condition)                                                                      \
	((condition)                                                                               \
		 ? (void)0                                                                         \
		 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), \
		    abort()))

/* Bytes of an input, taken from its start. */
struct fuzz_input {
	const char *data;
	size_t size;
};

/* The next byte, 0 at the end. */
static inline unsigned char fuzz_byte(struct fuzz_input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return (unsigned char)*input->data++;
}

/* A copy of the bytes up to the next newline, which is skipped, or to the end; cut at a NUL byte.
 * The caller frees it. */
static inline char *fuzz_line(struct fuzz_input *input)
{
	const char *newline = input->size ? memchr(input->data, '\n', input->size) : NULL;
	size_t length = newline ? (size_t)(newline - input->data) : input->size;
	char *line = strndup(input->size ? input->data : "", length);
	fuzz_check(line);
	length += newline != NULL;
	input->data += length;
	input->size -= length;
	return line;
}

/* The rest as a block of its own, where reading beyond its end is found out; not NUL-terminated.
 * The caller frees it. */
static inline char *fuzz_rest(const struct fuzz_input *input)
{
	char *copy = malloc(input->size ? input->size : 1);
	fuzz_check(copy);
	if (input->size)
		memcpy(copy, input->data, input->size);
	return copy;
}

#endif
