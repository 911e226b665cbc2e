#include "failing_memory.h"
#include "responder/paging.h"
#include "unit.h"

static struct response response;
static struct request request;

static void start(void)
{
	response_init(&response, "request-1");
	request = (struct request){.query = ""};
}

static void stop(void)
{
	response_release(&response);
}

static void send_cursor(const char *text)
{
	request.arguments.list[0] =
		(struct argument){.name = "cursor", .text = text, .length = strlen(text)};
	request.arguments.count = 1;
}

/* The cursor of the response's Link header, as the client would send it. */
static const char *linked_cursor(void)
{
	static char cursor[4096];
	const char *place = strstr(text_string(&response.headers), "cursor=");
	ck_assert_ptr_nonnull(place);
	place += strlen("cursor=");
	snprintf(cursor, sizeof(cursor), "%.*s", (int)strcspn(place, ">"), place);
	return cursor;
}

START_TEST(what_goes_in_comes_out)
{
	static const char *const fields[] = {"1700000000000000", "", "caf\xc3\xa9 \"<>&%"};
	paging_next(&request, &response, "-price", fields, ARRAY_SIZE(fields));
	send_cursor(linked_cursor());

	struct cursor cursor;
	ck_assert(cursor_read(&request, &response, "-price", ARRAY_SIZE(fields), &cursor));
	ck_assert_uint_eq(cursor.count, ARRAY_SIZE(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		ck_assert_str_eq(cursor.fields[i], fields[i]);
	int64_t number = 0;
	ck_assert(cursor_int(&cursor, 0, &response, &number));
	ck_assert_int_eq(number, 1700000000000000);
	ck_assert(!cursor_int(&cursor, 2, &response, &number));
	ck_assert_int_eq(response.status, 422);
	cursor_release(&cursor);
}
END_TEST

START_TEST(no_cursor_is_the_first_page)
{
	struct cursor cursor;
	ck_assert(cursor_read(&request, &response, "name", 2, &cursor));
	ck_assert_uint_eq(cursor.count, 0);
}
END_TEST

START_TEST(a_link_keeps_the_query_and_replaces_the_cursor)
{
	static const char *const fields[] = {"a"};
	request.query = "limit=2&cursor=old&q=%C3%A9<x>";
	paging_next(&request, &response, "k", fields, 1);
	ck_assert_str_eq(text_string(&response.headers),
			 "Link: <?limit=2&q=%C3%A9%3Cx%3E&cursor=awBhAA>; rel=\"next\"\r\n");
}
END_TEST

START_TEST(a_cursor_is_replaced_however_its_name_is_written)
{
	static const char *const fields[] = {"a"};
	request.query = "%63ursor=old&limit=2&cursor_=x&curso%7";
	paging_next(&request, &response, "k", fields, 1);
	ck_assert_str_eq(text_string(&response.headers),
			 "Link: <?limit=2&cursor_=x&curso%7&cursor=awBhAA>; rel=\"next\"\r\n");
	response_reset(&response);
	request.query = "c%75%72so%52=kept&curso%72=old";
	paging_next(&request, &response, "k", fields, 1);
	ck_assert_str_eq(text_string(&response.headers),
			 "Link: <?c%75%72so%52=kept&cursor=awBhAA>; rel=\"next\"\r\n");
}
END_TEST

START_TEST(a_query_that_cannot_be_continued_is_refused)
{
	static char query[6000];
	memset(query, '<', sizeof(query) - 1);
	request.query = query;
	paging_next(&request, &response, "k", (const char *const[]){"a"}, 1);
	ck_assert_int_eq(response.status, 422);
	ck_assert_str_eq(text_string(&response.headers), "");
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "too long"));
}
END_TEST

static const char *const bad[] = {
	"x",                   /* half a byte */
	"awBhAB",              /* bits beyond the last byte */
	"awBh",                /* last field not ended */
	"a?Bh",                /* not of the alphabet */
	"",                    /* empty */
	"bABhAA",              /* of another kind */
	"awBhAGEA",            /* one field too many */
	"awBhAGEAYQBhAGEAYQA", /* many too many */
	"awA",                 /* one too few */
	"awD_AA",              /* a field that is not UTF-8 */
};

START_TEST(a_bad_cursor_is_refused)
{
	struct cursor cursor;
	send_cursor(bad[_i]);
	ck_assert(!cursor_read(&request, &response, "k", 1, &cursor));
	ck_assert_int_eq(response.status, 422);
	ck_assert_ptr_nonnull(strstr(text_string(&response.body), "\"/cursor\""));
}
END_TEST

#ifdef FAILING_MEMORY

START_TEST(no_memory_is_no_bad_cursor)
{
	struct cursor cursor;
	send_cursor("awBhAA");
	stays_broken = true;
	countdown = 0;
	bool read = cursor_read(&request, &response, "k", 1, &cursor);
	countdown = -1;
	ck_assert(!read);
	ck_assert_int_eq(response.status, 503);
}
END_TEST

#endif

int main(void)
{
	TCase *tcase = tcase_create("paging");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, what_goes_in_comes_out);
	tcase_add_test(tcase, no_cursor_is_the_first_page);
	tcase_add_test(tcase, a_link_keeps_the_query_and_replaces_the_cursor);
	tcase_add_test(tcase, a_cursor_is_replaced_however_its_name_is_written);
	tcase_add_test(tcase, a_query_that_cannot_be_continued_is_refused);
	tcase_add_loop_test(tcase, a_bad_cursor_is_refused, 0, ARRAY_SIZE(bad));
#ifdef FAILING_MEMORY
	tcase_add_test(tcase, no_memory_is_no_bad_cursor);
#endif
	return unit_run(tcase, "paging");
}
