#include "base/failpoint.h"

#ifdef FAILPOINTS

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"

#define FAILPOINTS_MAX  8
#define FAILPOINT_PAUSE (8 * CLOCK_SECOND)
#define HITS_MAX        1000000

/* Tells tests that a failpoint ended the process. */
#define EXIT_STATUS 86

enum action { ACTION_EXIT, ACTION_PAUSE, ACTION_ERROR };

static const char *const action_names[] = {
	[ACTION_EXIT] = "exit",
	[ACTION_PAUSE] = "pause",
	[ACTION_ERROR] = "error",
};

struct point {
	const char *name;
	size_t name_length;
	enum action action;
	long wanted; /* which hit counts; 0: each */
	_Atomic long hits;
};

static struct point points[FAILPOINTS_MAX];
static size_t point_count;

static bool parse_action(const char *text, size_t length, enum action *ret_action)
{
	for (size_t i = 0; i < ARRAY_SIZE(action_names); i++) {
		if (strlen(action_names[i]) == length &&
		    memcmp(action_names[i], text, length) == 0) {
			*ret_action = (enum action)i;
			return true;
		}
	}
	return false;
}

/* One element of the list, of that length. */
static bool parse_point(const char *text, size_t length)
{
	struct point *point = &points[point_count];
	const char *action = memchr(text, ':', length);

	if (!action || action == text || point_count == FAILPOINTS_MAX)
		return false;
	point->name = text;
	point->name_length = (size_t)(action - text);
	action++;

	const char *end = text + length;
	const char *hit = memchr(action, '@', (size_t)(end - action));

	if (!parse_action(action, (size_t)((hit ? hit : end) - action), &point->action))
		return false;
	if (hit) {
		char *stop;

		point->wanted = strtol(hit + 1, &stop, 10);
		if (stop != end || point->wanted < 1 || point->wanted > HITS_MAX)
			return false;
	}
	point_count++;
	return true;
}

void failpoint_start(void)
{
	const char *value = config_text("FAILPOINT", "");
	const char *rest = value;

	while (*rest) {
		size_t length = strcspn(rest, ",");

		if (!parse_point(rest, length)) {
			config_reject("FAILPOINT", value, "name:exit|pause|error[@n], …");
			return;
		}
		rest += length;
		rest += *rest == ',';
	}
}

static void pause_thread(void)
{
	struct timespec rest = {.tv_sec = FAILPOINT_PAUSE / CLOCK_SECOND};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
		;
}

static int act(const struct point *point, const char *name)
{
	log_write(LOG_WARN, "failpoint", log_text("failpoint.name", name),
		  log_text("failpoint.action", action_names[point->action]));
	switch (point->action) {
	case ACTION_EXIT:
		_exit(EXIT_STATUS);
	case ACTION_PAUSE:
		pause_thread();
		return 0;
	case ACTION_ERROR:
		break;
	}
	return -EIO;
}

int failpoint(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < point_count; i++) {
		struct point *point = &points[i];

		if (point->name_length != length || memcmp(point->name, name, length) != 0)
			continue;
		long hit = atomic_fetch_add(&point->hits, 1) + 1;

		if (point->wanted == 0 || point->wanted == hit) {
			int r = act(point, name);

			if (r)
				return r;
		}
	}
	return 0;
}

#endif
