#include "auth/crypto_error.h"

#include "auth/crypto_library.h"

enum crypto_error crypto_error_take(void)
{
	enum crypto_error found = CRYPTO_SILENT;
	for (unsigned long error = libcrypto.ERR_get_error(); error;
	     error = libcrypto.ERR_get_error()) {
		int reason = ERR_GET_REASON(error);
		/* The second is all that EVP says if it could not make a part of its own. */
		if (reason == ERR_R_MALLOC_FAILURE || reason == ERR_R_INTERNAL_ERROR)
			found = CRYPTO_NO_MEMORY;
		else if (found == CRYPTO_SILENT)
			found = CRYPTO_OTHER;
	}
	return found;
}
