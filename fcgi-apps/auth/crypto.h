/* libcrypto has to be loaded before anything else of this folder is used. */
#ifndef AUTH_CRYPTO_H
#define AUTH_CRYPTO_H

#include "base/library.h"

/* Once a process is enough. Call it before threads start. -EIO. */
int crypto_load(char reterr_reason[LIBRARY_REASON_SIZE]);

#endif
