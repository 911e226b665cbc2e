#include "storage/postgres_library.h"

#include <dlfcn.h>
#include <pthread.h>

#define LIBRARY "libpq.so.5"

struct libpq libpq;

static char failure[256];

static bool find(void *library, const char *name, void *ret_function)
{
	void *address = dlsym(library, name);
	if (!address) {
		snprintf(failure, sizeof(failure),
			 "%s has no %s: PostgreSQL's client library 14 "
			 "or newer is needed",
			 LIBRARY, name);
		return false;
	}
	/* POSIX lets an object pointer hold a function's address; ISO C knows no such cast. */
	memcpy(ret_function, &address, sizeof(address));
	return true;
}

static void load(void)
{
	/* Never unloaded: OpenSSL leaves handlers behind. */
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library) {
		const char *reason = dlerror();
		snprintf(failure, sizeof(failure), "PostgreSQL's client library is missing: %s",
			 reason ? reason : LIBRARY);
		return;
	}
#define FIND(function) &&find(library, #function, &libpq.function)
	if (!(true LIBPQ_FUNCTIONS(FIND)))
		dlclose(library);
#undef FIND
}

int libpq_load(char *reterr_message, size_t error_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (!failure[0])
		return 0;
	snprintf(reterr_message, error_size, "%s", failure);
	return -EIO;
}
