#include "base/uuid.h"

#include <stdatomic.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/digits.h"

/* The counter's bits: the 12 of rand_a and the first 4 of rand_b. It starts at a random value whose
 * first bit is 0, which leaves at least 32768 ids for the millisecond. */
#define COUNTER_BITS 16
#define COUNTER_SEED 0x7FFF

/* Random bytes are fetched for many ids at once: the system call costs more than everything
 * else. */
struct random_batch {
	unsigned char bytes[512];
	size_t left;
};
static _Thread_local struct random_batch batch;

/* Milliseconds and counter of the newest id. If the counter overflows, the milliseconds run ahead
 * of the clock for a moment, as RFC 9562 section 6.2 allows. */
static atomic_uint_fast64_t newest;

void random_bytes(void *buffer, size_t length)
{
	unsigned char *position = buffer;

	while (length > 0) {
		ssize_t got = getrandom(position, length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			abort(); /* without the kernel's generator every id would be guessable */
		position += got;
		length -= (size_t)got;
	}
}

static uint64_t random_word(void)
{
	uint64_t word;

	if (batch.left == 0) {
		random_bytes(batch.bytes, sizeof(batch.bytes));
		batch.left = sizeof(batch.bytes);
	}
	batch.left -= sizeof(word);
	memcpy(&word, batch.bytes + batch.left, sizeof(word));
	return word;
}

/* Multiply and shift, repeated if the result would be biased: Lemire, "Fast Random Integer
 * Generation in an Interval" (2019). */
uint64_t random_below(uint64_t limit)
{
	if (limit == 0)
		return 0;
	unsigned __int128 product = (unsigned __int128)random_word() * limit;
	if ((uint64_t)product < limit) {
		uint64_t threshold = -limit % limit;
		while ((uint64_t)product < threshold)
			product = (unsigned __int128)random_word() * limit;
	}
	return (uint64_t)(product >> 64);
}

static uint64_t next_time_and_counter(uint64_t seed)
{
	uint64_t now = (uint64_t)(clock_now() / 1000) << COUNTER_BITS | (seed & COUNTER_SEED);
	uint64_t last = atomic_load_explicit(&newest, memory_order_relaxed);
	uint64_t next;

	do
		next = now > last ? now : last + 1;
	while (!atomic_compare_exchange_weak_explicit(&newest, &last, next, memory_order_relaxed,
						      memory_order_relaxed));
	return next;
}

bool uuid_is_valid(const char *text, size_t length)
{
	if (length != UUID_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : hex_value(text[i]) < 0)
			return false;
	}
	return true;
}

void uuid_to_lower(char *text, size_t length)
{
	if (!uuid_is_valid(text, length))
		return;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)(text[i] | 0x20); /* digits and dashes have this bit already */
}

void uuid_make(char buffer[UUID_TEXT_SIZE])
{
	uint64_t random = random_word();
	uint64_t order = next_time_and_counter(random_word());
	uint64_t milliseconds = order >> COUNTER_BITS;
	uint64_t version_and_a = 0x7000 | (order >> 4 & 0x0FFF);
	uint64_t variant_and_b =
		UINT64_C(2) << 62 | (order & 15) << 58 | (random & ((UINT64_C(1) << 58) - 1));

	char *end = hex_fixed(buffer, milliseconds >> 16, 8);
	*end++ = '-';
	end = hex_fixed(end, milliseconds, 4);
	*end++ = '-';
	end = hex_fixed(end, version_and_a, 4);
	*end++ = '-';
	end = hex_fixed(end, variant_and_b >> 48, 4);
	*end++ = '-';
	end = hex_fixed(end, variant_and_b, 12);
	*end = '\0';
}
