/* responder/check.h and each service's checks.c: sound stores, and each kind of corruption. */
#include "store.h"

#include "base/text.h"
#include "corruptions.h"

static struct db *open_sound(const struct subject *subject)
{
	struct db_options options = store_options();

	options.migrations = subject->migrations;
	options.migration_count = subject->migration_count;
	options.before_commit = subject->before_commit;
	struct db *db = store_open_with(&options);
	for (size_t i = 0; i < STATEMENTS && subject->sound[i]; i++)
		ck_assert_int_eq(db_transaction(db, store_run, (void *)subject->sound[i]), 0);
	return db;
}

static int corrupt(struct db_conn *conn, void *argument)
{
	const struct corruption *corruption = argument;
	const char *unguard = corruption->unguard[store_is_postgres()];

	if (unguard)
		ck_assert_int_ge(db_run(conn, unguard, DB_NO_VALUES), 0);
	for (size_t i = 0; i < CORRUPTIONS && corruption->sql[i]; i++)
		ck_assert_int_ge(db_run(conn, corruption->sql[i], DB_NO_VALUES), 0);
	return 0;
}

struct findings {
	struct text rules;
	const char *last;
	char id[64];
};

static void note(void *context, const char *rule, const char *id, const char *text)
{
	struct findings *findings = context;

	ck_assert_uint_gt(strlen(text), 10);
	if (!findings->last || strcmp(findings->last, rule) != 0)
		text_printf(&findings->rules, "%s%s", findings->last ? " " : "", rule);
	/* SQLite's own check reports only that something in the file is wrong. */
	if (!findings->id[0] && strcmp(rule, "file-intact") != 0)
		snprintf(findings->id, sizeof(findings->id), "%s", id);
	findings->last = rule;
}

static void expect(struct db *db, const struct subject *subject, const char *rules, const char *id)
{
	struct findings findings = {.rules = TEXT_INIT(1024)};

	int64_t found = check_run(db, subject->checks, subject->check_count, NOW, note, &findings);
	ck_assert_str_eq(text_string(&findings.rules), rules);
	if (id)
		ck_assert_str_eq(findings.id, id);
	else
		ck_assert_int_eq(found, 0);
	text_release(&findings.rules);
}

static void find(const struct subject *subject, const struct corruption *corruption)
{
	const char *rules = corruption->rules;

	if (corruption->sqlite_rules && !store_is_postgres())
		rules = corruption->sqlite_rules;
	store_prepare();
	struct db *db = open_sound(subject);
	expect(db, subject, "", NULL);
	ck_assert_int_eq(db_transaction(db, corrupt, (void *)corruption), 0);
	expect(db, subject, rules, corruption->id);
	db_close(db);
	store_remove();
}

START_TEST(product_corruptions_are_found)
{
	find(&product, &of_product[_i]);
}
END_TEST

START_TEST(search_corruptions_are_found)
{
	if (!store_is_postgres())
		find(&product, &of_search[_i]);
}
END_TEST

START_TEST(change_corruptions_are_found)
{
	if (store_is_postgres())
		find(&product, &of_changes[_i]);
}
END_TEST

START_TEST(cart_corruptions_are_found)
{
	find(&cart, &of_cart[_i]);
}
END_TEST

START_TEST(order_corruptions_are_found)
{
	find(&order, &of_order[_i]);
}
END_TEST

/* ---- beside a worker ------------------------------------------------------------------------ */

START_TEST(read_only_store_is_not_written)
{
	struct db_options options = store_options();
	struct db *looking = NULL;
	char error[256];

	store_prepare();
	options.migrations = cart_migrations;
	options.migration_count = CART_MIGRATION_COUNT;
	options.read_only = true;
	ck_assert_int_lt(db_open(&options, &looking, error, sizeof(error)), 0);

	struct db *working = open_sound(&cart);
	looking = store_open_with(&options);
	ck_assert_int_eq(db_transaction(working, store_run, (void *)of_cart[2].sql[0]), 0);
	expect(looking, &cart, "checkouts-fit-their-state", "busy");
	ck_assert_int_lt(db_read(looking, store_run, (void *)"DELETE FROM carts"), 0);
	db_close(looking);
	ck_assert_int_eq(store_number(working, "SELECT count(*) FROM carts"), 3);

	options.migration_count = 0;
	ck_assert_int_eq(db_open(&options, &looking, error, sizeof(error)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "newer than this program"));
	db_close(working);
	store_remove();
}
END_TEST

START_TEST(older_schema_is_not_migrated)
{
	struct db *db = NULL;
	char error[256];

	store_prepare();
	struct db_options options = store_options();
	options.migrations = product_migrations;
	options.migration_count = 1;
	db_close(store_open_with(&options));
	options.migration_count = PRODUCT_MIGRATION_COUNT;
	options.read_only = true;
	ck_assert_int_eq(db_open(&options, &db, error, sizeof(error)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "schema version 1"));
	store_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checks");
	TCase *tcase = tcase_create("checks");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, product_corruptions_are_found, 0, ARRAY_SIZE(of_product));
	tcase_add_loop_test(tcase, search_corruptions_are_found, 0, ARRAY_SIZE(of_search));
	tcase_add_loop_test(tcase, change_corruptions_are_found, 0, ARRAY_SIZE(of_changes));
	tcase_add_loop_test(tcase, cart_corruptions_are_found, 0, ARRAY_SIZE(of_cart));
	tcase_add_loop_test(tcase, order_corruptions_are_found, 0, ARRAY_SIZE(of_order));
	tcase_add_test(tcase, read_only_store_is_not_written);
	tcase_add_test(tcase, older_schema_is_not_migrated);
	suite_add_tcase(suite, tcase);
	return store_main(suite);
}
