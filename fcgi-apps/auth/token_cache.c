#include "auth/token_cache.h"

#include <pthread.h>
#include <sys/queue.h>

#define BUCKETS    1024
#define TAIL_BYTES 32

struct entry {
	LIST_ENTRY(entry) chain; /* of its bucket */
	TAILQ_ENTRY(entry) used;
	uint64_t hash;
	int64_t expires;
	struct principal principal;
	size_t length;
	char token[];
};

struct token_cache {
	pthread_mutex_t mutex; /* of all below */
	size_t bytes_max;
	struct token_cache_counts counts;
	TAILQ_HEAD(uses, entry) used; /* the last use first */
	LIST_HEAD(bucket, entry) buckets[BUCKETS];
};

/* FNV-1a, of the end: that is the signature, which differs from token to token, and which nobody
 * can choose. So nobody can fill a bucket either, or learn from the time of memcmp() below how
 * much of another's token was guessed. */
static uint64_t hash_token(const char *token, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = length < TAIL_BYTES ? 0 : length - TAIL_BYTES; i < length; i++)
		hash = (hash ^ (unsigned char)token[i]) * UINT64_C(1099511628211);
	return hash;
}

static struct bucket *bucket_of(struct token_cache *cache, uint64_t hash)
{
	return &cache->buckets[hash % BUCKETS];
}

static size_t bytes_of(const struct entry *entry)
{
	return sizeof(*entry) + entry->length;
}

static void forget(struct token_cache *cache, struct entry *entry)
{
	LIST_REMOVE(entry, chain);
	TAILQ_REMOVE(&cache->used, entry, used);
	cache->counts.tokens--;
	cache->counts.bytes -= bytes_of(entry);
	free(entry);
}

static struct entry *find(struct token_cache *cache, uint64_t hash, const char *token,
			  size_t length)
{
	struct entry *entry = LIST_FIRST(bucket_of(cache, hash));
	while (entry && (entry->hash != hash || entry->length != length ||
			 memcmp(entry->token, token, length) != 0))
		entry = LIST_NEXT(entry, chain);
	return entry;
}

struct token_cache *token_cache_create(size_t bytes_max)
{
	struct token_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return NULL;
	pthread_mutex_init(&cache->mutex, NULL);
	TAILQ_INIT(&cache->used);
	cache->bytes_max = bytes_max;
	return cache;
}

void token_cache_free(struct token_cache *cache)
{
	if (!cache)
		return;
	token_cache_clear(cache);
	pthread_mutex_destroy(&cache->mutex);
	free(cache);
}

bool token_cache_find(struct token_cache *cache, const char *token, size_t length, int64_t now,
		      struct principal *ret_principal)
{
	uint64_t hash = hash_token(token, length);
	pthread_mutex_lock(&cache->mutex);
	struct entry *entry = find(cache, hash, token, length);
	if (entry && now >= entry->expires) {
		forget(cache, entry);
		entry = NULL;
	}
	if (entry) {
		TAILQ_REMOVE(&cache->used, entry, used);
		TAILQ_INSERT_HEAD(&cache->used, entry, used);
		*ret_principal = entry->principal;
		cache->counts.hits++;
	} else {
		cache->counts.misses++;
	}
	pthread_mutex_unlock(&cache->mutex);
	return entry != NULL;
}

static struct entry *make_entry(const char *token, size_t length, const struct principal *principal,
				int64_t expires)
{
	struct entry *entry = malloc(sizeof(*entry) + length);
	if (!entry)
		return NULL;
	*entry = (struct entry){.hash = hash_token(token, length),
				.expires = expires,
				.principal = *principal,
				.length = length};
	memcpy(entry->token, token, length);
	return entry;
}

/* Whether it was kept: another thread may have stored the same token. */
static bool keep(struct token_cache *cache, struct entry *entry)
{
	if (bytes_of(entry) > cache->bytes_max ||
	    find(cache, entry->hash, entry->token, entry->length))
		return false;
	while (cache->counts.bytes > cache->bytes_max - bytes_of(entry))
		forget(cache, TAILQ_LAST(&cache->used, uses));
	LIST_INSERT_HEAD(bucket_of(cache, entry->hash), entry, chain);
	TAILQ_INSERT_HEAD(&cache->used, entry, used);
	cache->counts.tokens++;
	cache->counts.bytes += bytes_of(entry);
	return true;
}

void token_cache_store(struct token_cache *cache, const char *token, size_t length,
		       const struct principal *principal, int64_t expires)
{
	struct entry *entry = make_entry(token, length, principal, expires);
	if (!entry)
		return;
	pthread_mutex_lock(&cache->mutex);
	bool kept = keep(cache, entry);
	pthread_mutex_unlock(&cache->mutex);
	if (!kept)
		free(entry);
}

void token_cache_clear(struct token_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	while (!TAILQ_EMPTY(&cache->used))
		forget(cache, TAILQ_FIRST(&cache->used));
	pthread_mutex_unlock(&cache->mutex);
}

struct token_cache_counts token_cache_counts(struct token_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	struct token_cache_counts counts = cache->counts;
	pthread_mutex_unlock(&cache->mutex);
	return counts;
}
