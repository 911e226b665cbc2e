#include "storage/postgres_library.h"

#include <pthread.h>

#include "base/library.h"

struct libpq libpq;

static char failure[LIBRARY_REASON_SIZE];

#define NAME(function) #function,
static void load(void)
{
	static const char *const names[] = {LIBPQ_FUNCTIONS(NAME) NULL};
	library_load("libpq.so.5", names, &libpq, failure);
}
#undef NAME

int libpq_load(char *reterr_message, size_t error_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (!failure[0])
		return 0;
	snprintf(reterr_message, error_size,
		 "PostgreSQL's client library, 14 or newer, cannot be loaded: %s", failure);
	return -EIO;
}
