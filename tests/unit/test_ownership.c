/* responder/ownership.h: who is noted down. */
#include "responder/ownership.h"

#include "unit.h"

static const struct {
	enum principal_kind kind;
	const char *subject;
	const char *secret;
	const char *actor;
} cases[] = {
	{PRINCIPAL_USER, "ada", NULL, "user:ada"},
	{PRINCIPAL_USER, "ada", "gst_", "user:ada"},
	{PRINCIPAL_USER, "guest", NULL, "user:guest"},
	{PRINCIPAL_USER, "service:order", NULL, "user:service:order"},
	{PRINCIPAL_SERVICE, "order", NULL, "service:order"},
	{PRINCIPAL_NOBODY, "", "gst_", "guest"},
	{PRINCIPAL_NOBODY, "", NULL, NULL},
	{PRINCIPAL_ALL, "", NULL, NULL},
	{PRINCIPAL_ALL, "", "gst_", NULL},
};

START_TEST(actors)
{
	struct request request = {
		.principal = {.kind = cases[_i].kind, .cart_secret = cases[_i].secret}};
	char buffer[ACTOR_SIZE];

	snprintf(request.principal.subject, PRINCIPAL_SUBJECT_SIZE, "%s", cases[_i].subject);
	ck_assert_pstr_eq(ownership_actor(&request, buffer), cases[_i].actor);
}
END_TEST

START_TEST(the_longest_name_is_whole)
{
	struct request request = {.principal = {.kind = PRINCIPAL_SERVICE}};
	char buffer[ACTOR_SIZE];

	memset(request.principal.subject, 'x', PRINCIPAL_SUBJECT_SIZE - 1);
	ck_assert_uint_eq(strlen(ownership_actor(&request, buffer)), ACTOR_SIZE - 1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("ownership");

	tcase_add_loop_test(tests, actors, 0, ARRAY_SIZE(cases));
	tcase_add_test(tests, the_longest_name_is_whole);
	return unit_run(tests, "ownership");
}
