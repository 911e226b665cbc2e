/*
 * What every floor uses: attributes, array size, cleanup.
 *
 * Errors, on every floor: a function that can fail returns 0 or a positive result, or a negative
 * errno value. The ones with a fixed meaning throughout:
 *   -ENOMEM     out of memory
 *   -EMSGSIZE   a limit would be exceeded
 *   -EINVAL     malformed input
 *   -ERANGE     a number out of its range
 *   -ENOENT     no such thing
 *   -EEXIST     a uniqueness rule is broken
 *   -EAGAIN     lost a race; the same call may succeed when repeated
 *   -EHOSTDOWN  the store or a sibling service can't be reached now
 *   -ETIMEDOUT  a deadline passed
 *   -ENOSPC     the disk is full
 *   -ECONNABORTED the client went away
 *   -EIO        anything else of the store or the system
 * Output parameters are named ret_x and untouched on failure. Destructors take NULL.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define PRINTF_LIKE(template, first) __attribute__((format(printf, template, first)))
#define MUST_CHECK                   __attribute__((warn_unused_result))
#define UNUSED                       __attribute__((unused))

/* Calls function(&variable) when the variable goes out of scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* Defines name_p(type **), the form that CLEANUP wants, from a destructor of type *. */
#define DEFINE_CLEANUP(type, name)                                                                 \
	static inline void name##_p(type **pointer)                                                \
	{                                                                                          \
		name(*pointer);                                                                    \
	}

/* For a local `char *` from malloc: `char *copy CLEANUP(free_p) = NULL;` */
static inline void free_p(char **pointer)
{
	__builtin_free(*pointer);
}

#endif
