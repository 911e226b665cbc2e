#include "upstream/answer.h"

#include "base/clock.h"
#include "unit.h"

#define BODY_LIMIT 32

#define OK   "HTTP/1.1 200 OK\r\n"
#define LATE "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
#define END  (-1) /* what the end of the connection adds */

static const struct {
	const char *text;
	int result; /* of the last byte, or END */
	int at_end; /* after END */
	int status;
	const char *body;
	bool keeps;
	int64_t retry_after; /* seconds */
} cases[] = {
	{OK "Content-Length: 2\r\n\r\n{}", 1, 0, 200, "{}", true, 0},
	{OK "content-length:  2 \r\nConnection: close\r\n\r\n{}", 1, 0, 200, "{}", false, 0},
	{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 1, 0, 200, "{}", false, 0},
	{OK "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nT: v\r\n\r\n", 1, 0,
	 200, "{}", true, 0},
	{OK "\r\n{}", END, 1, 200, "{}", false, 0},
	{"HTTP/1.1 204 No Content\r\n\r\n", 1, 0, 204, "", true, 0},
	{"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", 1, 0, 304, "", true, 0},
	{"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}", 1, 0,
	 200, "{}", true, 0},
	{LATE "Retry-After: 7\r\n\r\n", 1, 0, 503, "", true, 7},
	{LATE "RETRY-AFTER:86399\r\nX: 1\r\n\r\n", 1, 0, 503, "", true, 86399},
	{LATE "Retry-After: 86400\r\n\r\n", 1, 0, 503, "", true, 0},
	{LATE "Retry-After: 99999999999999999999\r\n\r\n", 1, 0, 503, "", true, 0},
	{LATE "Retry-After: -1\r\n\r\n", 1, 0, 503, "", true, 0},
	{LATE "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n", 1, 0, 503, "", true, 0},
	{LATE "Retry-After-All: 7\r\nX-Retry-After: 7\r\n\r\n", 1, 0, 503, "", true, 0},
	{OK "Content-Length: 33\r\n\r\n012345678901234567890123456789012", -EMSGSIZE, 0, 0, NULL,
	 false, 0},
	{OK "Content-Length: 2\r\n\r\n{", END, -EINVAL, 0, NULL, false, 0},
	{OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", END, -EINVAL, 0, NULL, false, 0},
	{OK "Content-Le", END, -EINVAL, 0, NULL, false, 0},
	{"", END, -EINVAL, 0, NULL, false, 0},
	{OK "Transfer-Encoding: chunked\r\n\r\nx", -EINVAL, 0, 0, NULL, false, 0},
	{OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", -EINVAL, 0, 0, NULL, false,
	 0},
	{OK "Content-Length: 2\r\nContent-Length: 3", -EINVAL, 0, 0, NULL, false, 0},
	{OK "Content-Length: 1x", -EINVAL, 0, 0, NULL, false, 0},
	{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", -EINVAL,
	 0, 0, NULL, false, 0},
	{"{", -EINVAL, 0, 0, NULL, false, 0},
};

/* The result of the last piece that was read. */
static int feed(struct answer_reader *reader, const char *text, size_t piece)
{
	int r = 0;

	for (size_t at = 0, length = strlen(text); at < length && r == 0; at += piece)
		r = answer_read(reader, text + at, length - at < piece ? length - at : piece);
	return r;
}

static void check_answer(size_t piece, int i)
{
	struct answer answer = {.body = TEXT_INIT(BODY_LIMIT)};
	struct answer_reader reader;

	answer_reader_init(&reader, &answer);
	int r = feed(&reader, cases[i].text, piece);

	if (cases[i].result == END) {
		ck_assert_int_eq(r, 0);
		r = answer_read(&reader, NULL, 0);
		ck_assert_int_eq(r, cases[i].at_end);
	} else {
		ck_assert_int_eq(r, cases[i].result);
	}
	if (r == 1) {
		ck_assert_int_eq(answer.status, cases[i].status);
		ck_assert_str_eq(text_string(&answer.body), cases[i].body);
		ck_assert_int_eq(reader.keeps, cases[i].keeps);
		ck_assert_int_eq(answer.retry_after, cases[i].retry_after * CLOCK_SECOND);
	}
	text_release(&answer.body);
}

START_TEST(whole)
{
	check_answer(SIZE_MAX, _i);
}
END_TEST

START_TEST(byte_by_byte)
{
	check_answer(1, _i);
}
END_TEST

/* Two answers to one request: a peer that sends that cannot be trusted with another request. */
START_TEST(more_than_was_asked_for)
{
	struct answer answer = {.body = TEXT_INIT(BODY_LIMIT)};
	struct answer_reader reader;

	answer_reader_init(&reader, &answer);
	ck_assert_int_eq(
		feed(&reader, OK "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n", SIZE_MAX), 1);
	ck_assert_str_eq(text_string(&answer.body), "{}");
	ck_assert(!reader.keeps);
	text_release(&answer.body);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("answer");

	tcase_add_loop_test(tests, whole, 0, ARRAY_SIZE(cases));
	tcase_add_loop_test(tests, byte_by_byte, 0, ARRAY_SIZE(cases));
	tcase_add_test(tests, more_than_was_asked_for);
	return unit_run(tests, "answer");
}
