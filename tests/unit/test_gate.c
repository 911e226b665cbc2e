/* responder/gate: when requests are read. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "responder/gate.h"
#include "unit.h"

#define LIMIT   64
#define REOPENS 32

static struct gate *gate;
static atomic_int passed;

static void open_gate(void)
{
	ck_assert_int_eq(gate_create(&gate), 0);
}

static void close_gate(void)
{
	gate_free(gate);
}

static void enter(int count)
{
	for (int i = 0; i < count; i++)
		gate_enter(gate);
}

static void leave(int count)
{
	for (int i = 0; i < count; i++)
		gate_leave(gate);
}

static void *pass(void *argument UNUSED)
{
	gate_wait(gate);
	atomic_fetch_add(&passed, 1);
	return NULL;
}

START_TEST(below_the_limit_nobody_waits)
{
	enter(LIMIT - 1);
	gate_wait(gate);
}
END_TEST

START_TEST(at_the_limit_all_wait_and_go_on_once_half_are_through)
{
	pthread_t threads[3];
	enter(LIMIT);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, pass, NULL), 0);
	usleep(20 * 1000);
	ck_assert_int_eq(atomic_load(&passed), 0);
	leave(LIMIT - REOPENS);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(atomic_load(&passed), ARRAY_SIZE(threads));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("gate");
	tcase_add_checked_fixture(tcase, open_gate, close_gate);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, below_the_limit_nobody_waits);
	tcase_add_test(tcase, at_the_limit_all_wait_and_go_on_once_half_are_through);
	return unit_run(tcase, "gate");
}
