/*
 * Forced into every file of this project (-include): functions that cannot be used safely, or
 * that are not thread-safe, do not compile. The system headers that declare them come first.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(function) banned_function_##function

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef strerror
#define strerror(...) BANNED(strerror)
#undef alloca
#define alloca(...) BANNED(alloca)

#endif
