#include "auth/crypto_library.h"

#include "auth/crypto.h"

struct libcrypto libcrypto;

#define NAME(function) #function,
int crypto_load(char reterr_reason[LIBRARY_REASON_SIZE])
{
	static const char *const names[] = {LIBCRYPTO_FUNCTIONS(NAME) NULL};
	return library_load("libcrypto.so.3", names, &libcrypto, reterr_reason);
}
#undef NAME
