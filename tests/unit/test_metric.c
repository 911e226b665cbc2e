#include "base/metric.h"
#include "unit.h"

static void expect(struct text *out, const char *lines)
{
	ck_assert_int_eq(text_error(out), 0);
	ck_assert_str_eq(text_string(out), lines);
	text_release(out);
}

START_TEST(samples_follow_their_family)
{
	struct text out = TEXT_INIT(4096);
	struct metric depth = metric_family(&out, METRIC_GAUGE, "depth", "How deep.");

	metric_int(&depth, -7);
	metric_int(&depth, INT64_MAX, "target", "cart");
	metric_int(&depth, 0, "target", "", "kind", "take", "more", "é");
	expect(&out, "# HELP depth How deep.\n"
		     "# TYPE depth gauge\n"
		     "depth -7\n"
		     "depth{target=\"cart\"} 9223372036854775807\n"
		     "depth{target=\"\",kind=\"take\",more=\"é\"} 0\n");
}
END_TEST

START_TEST(families_of_one_sample)
{
	struct text out = TEXT_INIT(4096);

	metric_counter(&out, "done_total", "Done.", 3);
	metric_gauge(&out, "open", "Open.", 4);
	expect(&out, "# HELP done_total Done.\n# TYPE done_total counter\ndone_total 3\n"
		     "# HELP open Open.\n# TYPE open gauge\nopen 4\n");
}
END_TEST

/* The format's "Comments, help text, and type information": a help text escapes \ and line feed,
 * a label's value also ". */
START_TEST(what_would_end_a_line_or_a_value_is_escaped)
{
	struct text out = TEXT_INIT(4096);
	struct metric metric = metric_family(&out, METRIC_GAUGE, "m", "a \"b\" \\ c\nd");

	metric_int(&metric, 1, "path", "C:\\\"x\"\n} 5\nm 6");
	expect(&out, "# HELP m a \"b\" \\\\ c\\nd\n"
		     "# TYPE m gauge\n"
		     "m{path=\"C:\\\\\\\"x\\\"\\n} 5\\nm 6\"} 1\n");
}
END_TEST

START_TEST(seconds_are_exact)
{
	struct text out = TEXT_INIT(4096);
	struct metric age = metric_family(&out, METRIC_GAUGE, "age_seconds", "Age.");

	metric_seconds(&age, 0);
	metric_seconds(&age, 1);
	metric_seconds(&age, INT64_MAX, "of", "all");
	expect(&out, "# HELP age_seconds Age.\n"
		     "# TYPE age_seconds gauge\n"
		     "age_seconds 0.000000\n"
		     "age_seconds 0.000001\n"
		     "age_seconds{of=\"all\"} 9223372036854.775807\n");
}
END_TEST

START_TEST(a_histogram_sums_up_its_buckets)
{
	static const int64_t bounds[] = {100, 2500000};
	static const int64_t counts[] = {2, 3, 4};
	static const struct metric_durations durations = {ARRAY_SIZE(bounds), bounds, counts, 70};
	struct text out = TEXT_INIT(4096);
	struct metric took = metric_family(&out, METRIC_HISTOGRAM, "took_seconds", "Time.");

	metric_histogram(&took, &durations, "how", "slow");
	metric_histogram(&took, &durations);
	expect(&out, "# HELP took_seconds Time.\n"
		     "# TYPE took_seconds histogram\n"
		     "took_seconds_bucket{how=\"slow\",le=\"0.0001\"} 2\n"
		     "took_seconds_bucket{how=\"slow\",le=\"2.5\"} 5\n"
		     "took_seconds_bucket{how=\"slow\",le=\"+Inf\"} 9\n"
		     "took_seconds_sum{how=\"slow\"} 0.000070\n"
		     "took_seconds_count{how=\"slow\"} 9\n"
		     "took_seconds_bucket{le=\"0.0001\"} 2\n"
		     "took_seconds_bucket{le=\"2.5\"} 5\n"
		     "took_seconds_bucket{le=\"+Inf\"} 9\n"
		     "took_seconds_sum 0.000070\n"
		     "took_seconds_count 9\n");
}
END_TEST

START_TEST(too_much_is_told_by_the_text)
{
	struct text out = TEXT_INIT(20);

	metric_counter(&out, "done_total", "Done.", 3);
	ck_assert_int_eq(text_error(&out), -EMSGSIZE);
	text_release(&out);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("metric");

	tcase_add_test(tests, samples_follow_their_family);
	tcase_add_test(tests, families_of_one_sample);
	tcase_add_test(tests, what_would_end_a_line_or_a_value_is_escaped);
	tcase_add_test(tests, seconds_are_exact);
	tcase_add_test(tests, a_histogram_sums_up_its_buckets);
	tcase_add_test(tests, too_much_is_told_by_the_text);
	return unit_run(tests, "metric");
}
