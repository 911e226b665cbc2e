#include "base/library.h"

#include <dlfcn.h>

int library_load(const char *file, const char *const *names, void *functions,
		 char reterr_reason[LIBRARY_REASON_SIZE])
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	void *address = library;
	for (size_t i = 0; address && names[i]; i++) {
		address = dlsym(library, names[i]);
		/* POSIX lets an object pointer hold a function's address; ISO C knows no such cast.
		 */
		memcpy((char *)functions + i * sizeof(address), &address, sizeof(address));
	}
	if (address)
		return 0;
	const char *reason = dlerror();
	snprintf(reterr_reason, LIBRARY_REASON_SIZE, "%s", reason ? reason : file);
	return -EIO;
}
