/* Why libcrypto failed. Thread-safe: each thread has a queue of errors of its own. */
#ifndef AUTH_CRYPTO_ERROR_H
#define AUTH_CRYPTO_ERROR_H

#include "base/base.h"

enum crypto_error {
	CRYPTO_SILENT, /* it does not tell: a signature does not fit, or sometimes no memory */
	CRYPTO_NO_MEMORY,
	CRYPTO_OTHER,
};

/* After a failure. Empties the queue, which libpq's TLS uses as well. */
enum crypto_error crypto_error_take(void);

#endif
