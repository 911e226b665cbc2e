#include <pthread.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "unit.h"

#define THREADS 4
#define IDS     20000

START_TEST(form)
{
	char id[UUID_TEXT_SIZE];
	int64_t before = clock_now() / 1000;

	uuid_make(id);
	ck_assert_uint_eq(strlen(id), 36);
	for (size_t i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			ck_assert_int_eq(id[i], '-');
		else
			ck_assert_msg(strchr("0123456789abcdef", id[i]), "%s", id);
	}
	ck_assert_int_eq(id[14], '7');
	ck_assert_msg(strchr("89ab", id[19]), "%s", id);

	char hex[13];
	memcpy(hex, id, 8);
	memcpy(hex + 8, id + 9, 4);
	hex[12] = '\0';
	int64_t milliseconds = strtoll(hex, NULL, 16);
	ck_assert_int_ge(milliseconds, before);
	ck_assert_int_le(milliseconds, clock_now() / 1000);
}
END_TEST

START_TEST(strictly_increasing)
{
	char last[UUID_TEXT_SIZE] = "", id[UUID_TEXT_SIZE];

	/* More than fit into one millisecond's counter. */
	for (int i = 0; i < 200000; i++) {
		uuid_make(id);
		ck_assert_str_lt(last, id);
		memcpy(last, id, sizeof(id));
	}
}
END_TEST

static void *make_ids(void *argument)
{
	char(*ids)[UUID_TEXT_SIZE] = argument;

	for (int i = 0; i < IDS; i++)
		uuid_make(ids[i]);
	return NULL;
}

/* Time and counter: 20 characters, and the upper half of the bits of the one that follows. */
static void cut_random_tail(char id[UUID_TEXT_SIZE])
{
	id[20] = id[20] < '4' ? '0' : id[20] < '8' ? '4' : id[20] < 'c' ? '8' : 'c';
	id[21] = '\0';
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(unique_over_threads)
{
	char(*ids)[UUID_TEXT_SIZE] = calloc(THREADS * IDS, UUID_TEXT_SIZE);
	pthread_t threads[THREADS];

	ck_assert_ptr_nonnull(ids);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 1; i < THREADS * IDS; i++) {
		if (i % IDS != 0)
			ck_assert_str_lt(ids[i - 1], ids[i]);
	}
	for (int i = 0; i < THREADS * IDS; i++)
		cut_random_tail(ids[i]);
	qsort(ids, THREADS * IDS, UUID_TEXT_SIZE, compare_ids);
	for (int i = 1; i < THREADS * IDS; i++)
		ck_assert_str_lt(ids[i - 1], ids[i]);
	free(ids);
}
END_TEST

START_TEST(random_tail_differs)
{
	char a[UUID_TEXT_SIZE], b[UUID_TEXT_SIZE];

	uuid_make(a);
	uuid_make(b);
	ck_assert_str_ne(a + 24, b + 24);
}
END_TEST

START_TEST(random_bytes_fill_everything)
{
	unsigned char seen[1000] = {0}, bytes[1000];

	/* A byte stays 0 through ten fillings with a chance of 2^-80. */
	for (int round = 0; round < 10; round++) {
		random_bytes(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 0; i < sizeof(seen); i++)
		ck_assert_uint_ne(seen[i], 0);
}
END_TEST

START_TEST(random_below_is_in_range_and_even)
{
	int counts[10] = {0};

	ck_assert_uint_eq(random_below(0), 0);
	ck_assert_uint_eq(random_below(1), 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t number = random_below(10);
		ck_assert_uint_lt(number, 10);
		counts[number]++;
	}
	/* 10,000 each; the standard deviation is 95. */
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		ck_assert_int_gt(counts[i], 9000);
		ck_assert_int_lt(counts[i], 11000);
	}
	ck_assert_uint_le(random_below(UINT64_MAX), UINT64_MAX - 1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("uuid");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, form);
	tcase_add_test(tests, strictly_increasing);
	tcase_add_test(tests, unique_over_threads);
	tcase_add_test(tests, random_tail_differs);
	tcase_add_test(tests, random_bytes_fill_everything);
	tcase_add_test(tests, random_below_is_in_range_and_even);
	return unit_run(tests, "uuid");
}
