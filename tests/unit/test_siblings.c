/* responder/siblings.h with secrets; tests/http/test_service_accounts.py has a cluster. */
#include "responder/siblings.h"

#include "base/config.h"
#include "contracts.h"
#include "scratch_file.h"
#include "tokens.h" /* loads libcrypto */
#include "unit.h"

#define FIRST  "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"

static struct siblings siblings;

/* siblings_read() of a file with this text; Cart may call one of the contract's operations. */
static void read_text(const char *text)
{
	char path[SCRATCH_PATH_SIZE];

	start_contract(&test_security_contract);
	scratch_file_make(path);
	scratch_file_replace(path, text);
	setenv("SERVICE_KEYS", path, 1);
	siblings_read(&test_security_contract, &siblings);
	unlink(path);
}

static const struct {
	const char *text;
	bool good;
} files[] = {
	{"cart " FIRST, true},      {"cart " FIRST "\ncart " SECOND "\n", true},
	{"crt " FIRST, false},      {"carts " FIRST, false},
	{"car " FIRST, false},      {"order " FIRST, false},
	{"operator " FIRST, false}, {"cart " FIRST "\ncrt " SECOND "\n", false},
};

START_TEST(names_are_those_of_callers)
{
	read_text(files[_i].text);
	ck_assert_int_eq(config_failed(), !files[_i].good);
}
END_TEST

START_TEST(a_secret_shows_which_sibling_calls)
{
	struct principal principal = {0};

	read_text("cart " FIRST);
	ck_assert_int_eq(siblings_identify(&siblings, SECOND, &principal), TOKEN_SIGNATURE);
	ck_assert_int_eq(principal.kind, PRINCIPAL_NOBODY);
	ck_assert_int_eq(siblings_identify(&siblings, FIRST, &principal), TOKEN_FINE);
	ck_assert_int_eq(principal.kind, PRINCIPAL_SERVICE);
	ck_assert_str_eq(principal.subject, "cart");
}
END_TEST

START_TEST(only_what_asks_for_a_sibling_is_for_one)
{
	const struct operation *remove = contract_find(&test_security_contract, "remove");

	ck_assert(siblings_may_call(remove, "cart"));
	ck_assert(!siblings_may_call(remove, "order"));
	for (size_t i = 0; i < contract_operation_count(&test_security_contract); i++) {
		const struct operation *other = contract_operation(&test_security_contract, i);

		ck_assert(other == remove || !siblings_may_call(other, "cart"));
	}
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("siblings");

	tcase_add_loop_test(tests, names_are_those_of_callers, 0, ARRAY_SIZE(files));
	tcase_add_test(tests, a_secret_shows_which_sibling_calls);
	tcase_add_test(tests, only_what_asks_for_a_sibling_is_for_one);
	return unit_run(tests, "siblings");
}
