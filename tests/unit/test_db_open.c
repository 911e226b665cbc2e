/* The URL of the store, and what opening makes of it. */
#include "items.h"

#include <sys/stat.h>

START_TEST(ping_answers)
{
	ck_assert_int_eq(db_ping(db), 0);
}
END_TEST

static const struct {
	const char *url;
	const char *message;
} bad_urls[] = {
	{"postgresql://user:secret@host:number/db", "invalid integer value"},
	{"postgres://user:sec@secret@host/db", "form postgresql://"},
	{"postgresql://user:secret@host/db?nothing=1", "form postgresql://"},
	{"postgresql://user:secret@%2Fnowhere/db", "cannot use the database"},
	{"mysql://user:secret@host/db", "not of the form"},
	{"", "not of the form"},
	{"var/file.db", "not of the form"},
	{"sqlite:file.db", "not of the form"},
	{"sqlite://file.db", "three slashes"},
	{"sqlite:///", "must name a file"},
	{"sqlite:////tmp/", "must name a file"},
	{"sqlite:////tmp/a.db?mode=ro", "without options"},
	{"sqlite:////nowhere/at/all.db", "cannot open /nowhere/at/all.db"},
	{"sqlite:////proc/version", "cannot open /proc/version"},
	{"sqlite:////tmp", "cannot open /tmp: unable to open database file (Is a directory)"},
};

START_TEST(bad_urls_are_explained)
{
	struct db_options options = store_options();
	struct db *none = NULL;
	char error[256] = "";
	options.url = bad_urls[_i].url;
	ck_assert_int_lt(db_open(&options, &none, error, sizeof(error)), 0);
	ck_assert_ptr_null(none);
	ck_assert_msg(strstr(error, bad_urls[_i].message), "%s", error);
	ck_assert_ptr_null(strstr(error, "secret"));
}
END_TEST

static const struct {
	const char *url;
	const char *description;
} described[] = {
	{"sqlite:////tmp/x.db", "sqlite:////tmp/x.db"},
	{"sqlite:////tmp/../tmp//x.db", "sqlite:////tmp/x.db"},
	{"sqlite:////x.db", "sqlite://///x.db"},
	{"sqlite:///x.db", "sqlite:////tmp/x.db"},
	{"sqlite:///../tmp/x.db", "sqlite:////tmp/x.db"},
	{"sqlite:///not/there/x.db", "sqlite:////tmp/not/there/x.db"},
	{"postgresql://user:secret@h1:1,h2:2/db", "postgresql://h1,h2:1,2/db"},
	{"postgres://h/db?user=user&password=secret", "postgresql://h:5432/db"},
	{"postgresql://h:5432/db", "postgresql://h:5432/db"},
	{"postgresql:///db?host=/run&port=7&sslmode=require", "postgresql:///run:7/db"},
	{"postgresql:///", "postgresql://around:5432/"},
};

START_TEST(urls_are_described_without_their_secrets)
{
	char text[256], error[256] = "";
	setenv("PGHOST", "around", 1);
	unsetenv("PGPORT");
	unsetenv("PGDATABASE");
	ck_assert_int_eq(chdir("/tmp"), 0);
	ck_assert_int_eq(db_describe(described[_i].url, text, sizeof(text), error, sizeof(error)),
			 0);
	ck_assert_str_eq(text, described[_i].description);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	struct db_options options = store_options();
	struct db *none = NULL;
	char error[256] = "";
	db_close(db);
	FILE *file = fopen(store_path, "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 1000; i++)
		fputs("hello, world\n", file);
	fclose(file);
	ck_assert_int_eq(db_open(&options, &none, error, sizeof(error)), -EIO);
	ck_assert_msg(strstr(error, "not a database"), "%s", error);
	ck_assert_int_eq(unlink(store_path), 0);
	db = store_open();
}
END_TEST

START_TEST(a_missing_folder_is_made)
{
	char folder[96], url[160], path[128];
	struct stat status;
	struct db_options options = store_options();
	snprintf(folder, sizeof(folder), "%s/var", store_folder);
	snprintf(path, sizeof(path), "%s/new.db", folder);
	snprintf(url, sizeof(url), "sqlite:///%s", path);
	options.url = url;
	struct db *other = store_open_with(&options);
	ck_assert_int_eq(stat(folder, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0700);
	db_close(other);
	ck_assert_int_eq(unlink(path), 0); /* nothing else is left: the log went into the file */
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(a_relative_path_is_relative)
{
	struct db_options options = store_options();
	ck_assert_int_eq(chdir(store_folder), 0);
	options.url = "sqlite:///:memory:";
	struct db *other = store_open_with(&options);
	ck_assert_int_eq(access(":memory:", F_OK), 0);
	db_close(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db_open");
	TCase *store = tcase_create("store");
	tcase_add_checked_fixture(store, set_up, tear_down);
	tcase_add_test(store, ping_answers);
	tcase_add_loop_test(store, urls_are_described_without_their_secrets, 0,
			    ARRAY_SIZE(described));
	tcase_add_loop_test(store, bad_urls_are_explained, 0, ARRAY_SIZE(bad_urls));
	if (!store_is_postgres()) {
		tcase_add_test(store, a_file_that_is_no_database_is_refused);
		tcase_add_test(store, a_missing_folder_is_made);
		tcase_add_test(store, a_relative_path_is_relative);
	}
	suite_add_tcase(suite, store);
	return store_main(suite);
}
