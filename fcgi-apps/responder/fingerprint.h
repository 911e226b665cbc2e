/*
 * Tells two requests with the same Idempotency-Key apart: SHA-256 of path, query and body.
 *
 * `sent` is the hash of the bytes as received, `meaning` that of the checked request: ids in lower
 * case, texts in their normal form (contract/schema_text.h), JSON without white space and escapes.
 * A body that is not JSON, and the order of members, count as received. For most bodies both hashes
 * are the same: then only `sent` is stored.
 *
 * Replicas of the version before this one know `sent` alone.
 */
#ifndef RESPONDER_FINGERPRINT_H
#define RESPONDER_FINGERPRINT_H

#include "responder/request.h"

#define FINGERPRINT_SENT_SIZE    65
#define FINGERPRINT_MEANING_SIZE 33 /* half of the digits are enough for those of one key */

struct fingerprint {
	char sent[FINGERPRINT_SENT_SIZE];
	char meaning[FINGERPRINT_MEANING_SIZE];
};

/* -ENOMEM. */
int fingerprint_make(const struct request *request, struct fingerprint *ret_print);

/* The meaning to store, or NULL. */
const char *fingerprint_meaning(const struct fingerprint *print);

/* Whether the stored fingerprint is of the same request. */
bool fingerprint_fits(const struct fingerprint *print, const char *sent, const char *meaning);

#endif
