/*
 * Tokens that were verified, and who they are. A token is compared as a whole; those that are
 * refused are never stored, so a flood of forged ones evicts nobody. The least recently used go
 * first. Thread-safe.
 */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "auth/principal.h"

struct token_cache;

/* The cache takes about bytes_max bytes when it is full: a token of a kilobyte takes 2.2. NULL when
 * out of memory. */
struct token_cache *token_cache_create(size_t bytes_max);
void token_cache_free(struct token_cache *cache);

/* Whether it is there and expires after now (microseconds since 1970). */
bool token_cache_find(struct token_cache *cache, const char *token, size_t length, int64_t now,
		      struct principal *ret_principal);

/* Without memory it is not stored. */
void token_cache_store(struct token_cache *cache, const char *token, size_t length,
		       const struct principal *principal, int64_t expires);

/* Forgets all of them. */
void token_cache_clear(struct token_cache *cache);

struct token_cache_counts {
	uint64_t hits, misses; /* since it was created */
	size_t tokens, bytes;  /* now */
};

struct token_cache_counts token_cache_counts(struct token_cache *cache);

#endif
