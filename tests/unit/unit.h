/* What the unit test programs share: running one test case and telling the result. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

/* The exit status of a test program: 0 when every test of the case passed. */
static inline int unit_run(TCase *tcase, const char *name)
{
	Suite *suite = suite_create(name);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

#endif
