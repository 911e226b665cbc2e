#include "auth/quota.h"

#include <pthread.h>
#include <sha2.h>

#include "base/clock.h"

#define SETS 1024
#define WAYS 8

struct slot {
	uint8_t key[SHA256_DIGEST_LENGTH]; /* nobody finds a subject that counts as another */
	int64_t due; /* when the next would come at just the rate; past: nothing is used up */
};

struct quota {
	pthread_mutex_t lock; /* of the slots */
	struct slot slots[SETS][WAYS];
};

struct quota *quota_create(void)
{
	struct quota *quota = calloc(1, sizeof(*quota));

	if (quota)
		pthread_mutex_init(&quota->lock, NULL);
	return quota;
}

void quota_free(struct quota *quota)
{
	if (!quota)
		return;
	pthread_mutex_destroy(&quota->lock);
	free(quota);
}

/* By libmd: libcrypto's allocates, and without memory it leaves the digest as it was. */
static void make_key(const char *subject, uint8_t ret_key[SHA256_DIGEST_LENGTH])
{
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, (const uint8_t *)subject, strlen(subject));
	SHA256Final(ret_key, &sha);
}

/* The subject's, or the one of its set that has used least, emptied for it. */
static struct slot *find_slot(struct quota *quota, const uint8_t key[SHA256_DIGEST_LENGTH])
{
	struct slot *set = quota->slots[(key[0] << 8 | key[1]) % SETS];
	struct slot *least = set;

	for (struct slot *slot = set; slot < set + WAYS; slot++) {
		if (memcmp(slot->key, key, sizeof(slot->key)) == 0)
			return slot;
		if (slot->due < least->due)
			least = slot;
	}
	memcpy(least->key, key, sizeof(least->key));
	least->due = 0;
	return least;
}

int64_t quota_take(struct quota *quota, const char *subject, int64_t per_second, int64_t burst,
		   int64_t now)
{
	uint8_t key[SHA256_DIGEST_LENGTH];

	if (per_second == 0)
		return 0;
	make_key(subject, key);
	pthread_mutex_lock(&quota->lock);
	struct slot *slot = find_slot(quota, key);
	int64_t due = slot->due > now ? slot->due : now;
	int64_t wait = due - now - burst;
	if (wait <= 0)
		slot->due = due + CLOCK_SECOND / per_second;
	pthread_mutex_unlock(&quota->lock);
	return wait > 0 ? wait : 0;
}
