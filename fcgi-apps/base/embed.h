/*
 * Puts a file's bytes into the program: EMBED(docs_REDOC_SCRIPT, "docs-ui/redoc.js.gz") defines
 * `const char docs_REDOC_SCRIPT[]` (NUL-terminated) and `const size_t docs_REDOC_SCRIPT_size`
 * (without the NUL). Paths are relative to build/ (the assembler's -I in the Makefile).
 */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include "base/base.h"

#define EMBED(name, path)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #name "\n"                                                              \
		".hidden " #name "\n"                                                              \
		".balign 8\n" #name ":\n"                                                          \
		".incbin \"" path "\"\n"                                                           \
		"1: .byte 0\n"                                                                     \
		".balign 8\n"                                                                      \
		".global " #name "_size\n"                                                         \
		".hidden " #name "_size\n" #name "_size:\n"                                        \
		".quad 1b - " #name "\n"                                                           \
		".popsection\n");                                                                  \
	extern const char name[];                                                                  \
	extern const size_t name##_size

#endif
