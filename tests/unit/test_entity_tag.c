#include "responder/entity_tag.h"
#include "unit.h"

static const struct {
	const char *list;
	int64_t version;
	bool matches;
} cases[] = {
	{"\"3\"", 3, true},
	{"\"3\"", 4, false},
	{"\"33\"", 3, false},
	{"\"3", 3, false},
	{"3", 3, false},
	{"*", 1, true},
	{"W/\"3\"", 3, true}, /* what nginx makes of ours when it compresses */
	{"\"1\", \"2\",\"3\"", 3, true},
	{"\"1\", W/\"2\" , \"4\"", 3, false},
	{"\"a,\\\"3\\\"\"", 3, false},
	{"", 3, false},
	{",,,", 3, false},
};

START_TEST(matches_the_version)
{
	ck_assert_msg(entity_tag_matches(cases[_i].list, cases[_i].version) == cases[_i].matches,
		      "%s against %d", cases[_i].list, (int)cases[_i].version);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("entity_tag");
	tcase_add_loop_test(tcase, matches_the_version, 0, ARRAY_SIZE(cases));
	return unit_run(tcase, "entity_tag");
}
