/* Which prepared statements are kept, tested with empty ones. */
#include "storage/statements.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static size_t freed;

static void count_free(struct statement *statement)
{
	freed++;
	free(statement->sql);
	free(statement);
}

static struct statement *new_statement(int number)
{
	struct statement *statement = calloc(1, sizeof(*statement));
	ck_assert_ptr_nonnull(statement);
	ck_assert_int_gt(asprintf(&statement->sql, "SELECT %d", number), 0);
	return statement;
}

START_TEST(least_recently_used_goes_first)
{
	struct statements statements;
	statements_init(&statements, count_free);
	freed = 0;
	for (int i = 0; i < STATEMENTS_MAX; i++)
		ck_assert(statements_keep(&statements, new_statement(i)));
	struct statement *twin = new_statement(1);
	ck_assert(!statements_keep(&statements, twin));
	count_free(twin);
	ck_assert_uint_eq(freed, 1);

	/* 0 was used again and 1 is in use, so 2 is removed. */
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 0"));
	statements_find(&statements, "SELECT 1")->in_use = true;
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 2"));
	for (int i = 3; i < STATEMENTS_MAX; i++) {
		struct statement *same = new_statement(i);
		ck_assert_ptr_nonnull(statements_find(&statements, same->sql));
		free(same->sql);
		free(same);
	}
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 0"));
	ck_assert(statements_keep(&statements, new_statement(1000)));
	ck_assert_uint_eq(freed, 2);
	ck_assert_ptr_null(statements_find(&statements, "SELECT 2"));
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 0"));
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 1"));
	ck_assert_ptr_nonnull(statements_find(&statements, "SELECT 1000"));

	/* Nothing can be removed while all are in use. */
	for (struct statement *each = statements.newest; each; each = each->older)
		each->in_use = true;
	struct statement *refused = new_statement(2000);
	ck_assert(!statements_keep(&statements, refused));
	count_free(refused);
	statements_release(&statements);
	ck_assert_uint_eq(freed, STATEMENTS_MAX + 3);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("statements");
	tcase_add_test(tests, least_recently_used_goes_first);
	return unit_run(tests, "statements");
}
