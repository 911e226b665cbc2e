#include "responder/docs.h"

#include "responder/service.h"
#include "unit.h"

static struct service service = {.title = "Test Service API"};
static struct runtime runtime = {.service = &service};
static struct request request;
static struct response response;

static void start(void)
{
	response_init(&response, "request-1");
}

static void stop(void)
{
	response_release(&response);
}

static const char *get(int (*handle)(struct request *, struct response *), const char *path)
{
	size_t length;
	response_reset(&response);
	request = (struct request){.runtime = &runtime, .path = path};
	ck_assert_int_eq(handle(&request, &response), 0);
	ck_assert_int_eq(text_error(&response.body), 0);
	return response_body(&response, &length);
}

static void get_file(const char *file)
{
	response_reset(&response);
	request = (struct request){.runtime = &runtime, .path = "/docs/file"};
	request.route.parameters[0] = (struct path_parameter){"file", file, strlen(file)};
	request.route.parameter_count = 1;
	ck_assert_int_eq(docs_get_file(&request, &response), 0);
}

/* Copies what stands between before and the next quote; the rest of the page, NULL at its end. */
static const char *next_address(const char *page, const char *before, char address[128])
{
	const char *start = strstr(page, before);
	if (!start)
		return NULL;
	start += strlen(before);
	size_t length = strcspn(start, "\"");
	ck_assert_uint_lt(length, 128);
	memcpy(address, start, length);
	address[length] = '\0';
	return start + length;
}

/* Every file that the page refers to exists; returns how many. */
static int count_files(const char *html, const char *before, const char *folder)
{
	char *page = strdup(html);
	char address[128];
	int count = 0;
	ck_assert_ptr_nonnull(page);
	for (const char *rest = page; (rest = next_address(rest, before, address)); count++) {
		ck_assert_msg(strncmp(address, folder, strlen(folder)) == 0, "%s", address);
		get_file(address + strlen(folder));
		ck_assert_int_eq(response.status, 200);
	}
	free(page);
	return count;
}

START_TEST(pages_refer_to_files_that_exist)
{
	if (!docs_present())
		return;
	ck_assert_int_eq(count_files(get(docs_get_swagger, "/docs"), "src=\"", "docs/"), 2);
	ck_assert_int_eq(count_files(get(docs_get_swagger, "/docs/"), "src=\"", "../docs/"), 2);
	ck_assert_int_eq(
		count_files(get(docs_get_swagger, "/docs"), "stylesheet\" href=\"", "docs/"), 1);
	ck_assert_int_eq(count_files(get(docs_get_redoc, "/redoc"), "src=\"", "docs/"), 2);
	ck_assert_int_eq(count_files(get(docs_get_redoc, "/redoc/"), "src=\"", "../docs/"), 2);
}
END_TEST

START_TEST(pages_bring_their_policy)
{
	int (*const pages[])(struct request *, struct response *) = {docs_get_swagger,
								     docs_get_redoc};
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		const char *page = get(pages[i], "/docs");
		const char *headers = text_string(&response.headers);
		ck_assert_ptr_nonnull(strstr(page, "<title>Test Service API</title>"));
		ck_assert_ptr_nonnull(
			strstr(headers, "Content-Security-Policy: default-src 'none';"));
		ck_assert_ptr_null(strstr(headers, "unsafe"));
		/* Contains nothing that such a policy would block. */
		ck_assert_ptr_null(strstr(page, "<style"));
		ck_assert_ptr_null(strstr(page, "<script>"));
		ck_assert_ptr_null(strstr(page, "http"));
	}
}
END_TEST

START_TEST(pages_without_files_say_so)
{
	if (docs_present())
		return;
	const char *page = get(docs_get_redoc, "/redoc/");
	ck_assert_int_eq(response.status, 200);
	ck_assert_ptr_nonnull(strstr(page, "Install npm"));
	ck_assert_ptr_nonnull(strstr(page, "\"../openapi.json\""));
}
END_TEST

START_TEST(files_are_compressed_and_kept)
{
	char name[128];
	size_t length;
	if (!docs_present())
		return;
	ck_assert_ptr_nonnull(next_address(get(docs_get_redoc, "/redoc"), "src=\"docs/", name));
	get_file(name);
	ck_assert_str_eq(response.content_type, "text/javascript");
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "Content-Encoding: gzip\r\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&response.headers), "immutable\r\n"));
	ck_assert_int_eq(response.etag[0], '"');
	/* RFC 1952 section 2.3.1; sent from where it lies. */
	ck_assert_int_eq(memcmp(response_body(&response, &length), "\x1f\x8b\x08", 3), 0);
	ck_assert_uint_gt(length, 1000);
	ck_assert_uint_eq(response.body.length, 0);
}
END_TEST

START_TEST(other_names_do_not_exist)
{
	static const char *const names[] = {"", "redoc.000000000000000.js", "redoc.js", "../docs"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		get_file(names[i]);
		ck_assert_int_eq(response.status, 404);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("docs");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, pages_refer_to_files_that_exist);
	tcase_add_test(tcase, pages_bring_their_policy);
	tcase_add_test(tcase, pages_without_files_say_so);
	tcase_add_test(tcase, files_are_compressed_and_kept);
	tcase_add_test(tcase, other_names_do_not_exist);
	return unit_run(tcase, "docs");
}
