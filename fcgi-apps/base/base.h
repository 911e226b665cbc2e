/*
 * Attributes, array size and cleanup, used on every floor.
 *
 * A function that can fail returns 0 or a positive result, or one of these, on every floor:
 *   -ENOMEM          out of memory
 *   -EMSGSIZE        a limit on a length or a count would be exceeded
 *   -EINVAL          malformed input
 *   -ERANGE          a number outside its range
 *   -EDOM            a number with more decimals than allowed
 *   -ENOENT          no such thing
 *   -EEXIST          already there, such as a unique key
 *   -EOPNOTSUPP      a method that this path does not have
 *   -EPROTONOSUPPORT a media type that is not accepted
 *   -EPERM           refused, and the response already says why
 *   -EBUSY           another process holds it
 *   -EAGAIN          not now (a race was lost, a queue is full); the same call may succeed later
 *   -ECANCELED       shutting down
 *   -EHOSTDOWN       the store or a sibling service cannot be reached
 *   -ETIMEDOUT       a deadline passed
 *   -ENOSPC          the disk is full
 *   -EPIPE           the peer has closed the connection
 *   -ECONNABORTED    the client went away in the middle of its request or answer
 *   -EIO             any other failure of the store or the system
 * The errno of a system call is passed on only to be logged.
 *
 * Output parameters are called ret_x and untouched on failure; reterr_x are written on failure.
 * Destructors take NULL.
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

/*
 * Calls function(&variable) when the variable goes out of scope, on every path. The variable must
 * be initialised where it is declared.
 *
 *	struct json *body CLEANUP(json_free_p) = NULL;
 *	struct text path CLEANUP(text_release) = TEXT_INIT(PATH_MAX);
 *	char *copy CLEANUP(free_p) = strdup(name);
 *	if (!copy)
 *		return -ENOMEM;
 */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* Defines name_p(type **), the form that CLEANUP wants, from a destructor of type *. */
#define DEFINE_CLEANUP(type, name)                                                                 \
	static inline void name##_p(type **pointer)                                                \
	{                                                                                          \
		name(*pointer);                                                                    \
	}

/* For a local `char *` from malloc. */
static inline void free_p(char **pointer)
{
	__builtin_free(*pointer);
}

#endif
