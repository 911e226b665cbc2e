/* Every rule with every principal: the cases are stated here once more, in other words. */
#include "auth/authorize.h"

#include "unit.h"

#define READ  UINT64_C(1)
#define WRITE UINT64_C(2)

static enum verdict verdict;
static struct owner owner;

static void ask(unsigned callers, uint64_t scopes, const struct principal *principal)
{
	const struct access_rule rule = {.callers = callers, .scopes = scopes};

	owner = (struct owner){.any = true, .user_id = "untouched"};
	verdict = authorize(&rule, principal, &owner);
	if (verdict != VERDICT_GRANTED)
		ck_assert_str_eq(owner.user_id, "untouched");
}

/* Of the bits of number: a principal of a kind, with or without a subject, a secret, scopes. */
static struct principal principal_of(enum principal_kind kind, unsigned number)
{
	struct principal principal = {
		.kind = kind,
		.subject = {number & 1 ? 'a' : '\0'},
		.cart_secret = number & 2 ? "gst_" : NULL,
	};

	principal.scopes = kind == PRINCIPAL_USER ? number >> 2 : 0;
	return principal;
}

#define PRINCIPALS 16 /* of each kind */
#define RULES      128

static void check_user(unsigned callers, uint64_t scopes, const struct principal *user)
{
	bool is_staff = scopes & user->scopes;
	bool is_customer = callers & ACCESS_CUSTOMER && user->subject[0];
	bool is_guest = callers & ACCESS_GUEST && user->cart_secret;

	if (callers & ACCESS_ANYONE || is_staff) {
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(owner.any);
	} else if (is_customer) {
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(!owner.any);
		ck_assert_str_eq(owner.user_id, "a");
	} else if (is_guest) {
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(!owner.any);
		ck_assert_ptr_null(owner.user_id);
	} else {
		ck_assert_int_eq(verdict, VERDICT_SCOPE);
	}
}

static void check_nobody(unsigned callers, const struct principal *nobody)
{
	bool is_guest = callers & ACCESS_GUEST && nobody->cart_secret;

	if (callers & ACCESS_ANYONE) {
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(owner.any);
	} else if (callers & ACCESS_NOBODY || is_guest) {
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(!owner.any);
		ck_assert_ptr_null(owner.user_id);
	} else {
		ck_assert_int_eq(verdict, VERDICT_UNKNOWN);
	}
}

START_TEST(every_principal_with_every_rule)
{
	unsigned callers = (unsigned)_i & 31;
	uint64_t scopes = (uint64_t)_i >> 5;

	for (unsigned i = 0; i < PRINCIPALS; i++) {
		struct principal principal = principal_of(PRINCIPAL_USER, i);

		ask(callers, scopes, &principal);
		check_user(callers, scopes, &principal);
		principal = principal_of(PRINCIPAL_NOBODY, i);
		ask(callers, scopes, &principal);
		check_nobody(callers, &principal);
		principal = principal_of(PRINCIPAL_SERVICE, i);
		ask(callers, scopes, &principal);
		ck_assert_int_eq(verdict, callers & (ACCESS_ANYONE | ACCESS_SERVICE)
						  ? VERDICT_GRANTED
						  : VERDICT_UNKNOWN);
		principal = principal_of(PRINCIPAL_ALL, i);
		ask(callers, scopes, &principal);
		ck_assert_int_eq(verdict, VERDICT_GRANTED);
		ck_assert(owner.any);
	}
}
END_TEST

START_TEST(what_is_sent_takes_all_of_its_scopes)
{
	struct principal principal = {.kind = PRINCIPAL_USER};

	ck_assert_uint_eq(authorize_lacking(0, &principal), 0);
	ck_assert_uint_eq(authorize_lacking(READ, &principal), READ);
	principal.scopes = READ;
	ck_assert_uint_eq(authorize_lacking(READ, &principal), 0);
	ck_assert_uint_eq(authorize_lacking(READ | WRITE, &principal), WRITE);
	principal.scopes = UINT64_MAX;
	ck_assert_uint_eq(authorize_lacking(UINT64_C(1) << 63, &principal), 0);
	principal.kind = PRINCIPAL_NOBODY;
	ck_assert_uint_eq(authorize_lacking(READ, &principal), READ);
	ck_assert_uint_eq(authorize_lacking(0, &principal), 0);
	principal.kind = PRINCIPAL_SERVICE;
	ck_assert_uint_eq(authorize_lacking(READ, &principal), READ);
	principal = (struct principal){.kind = PRINCIPAL_ALL};
	ck_assert_uint_eq(authorize_lacking(READ | WRITE, &principal), 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("authorize");

	tcase_add_loop_test(tests, every_principal_with_every_rule, 0, RULES);
	tcase_add_test(tests, what_is_sent_takes_all_of_its_scopes);
	return unit_run(tests, "authorize");
}
