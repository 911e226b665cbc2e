#include "responder/command.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "responder/check.h"
#include "responder/version.h"
#include "storage/copy.h"

enum { STATUS_FINE = 0, STATUS_FOUND = 1, STATUS_FAILED = 2 };

/* For one statement on a large table. */
#define PATIENCE (1800 * CLOCK_SECOND)

/* A rule that everything breaks must not hide the others. */
#define SHOWN_MAX 100

static int usage(const struct service *service, FILE *out)
{
	fprintf(out,
		"usage: %s-service [--check | --copy-to URL | --routes | --version | --help]\n"
		"  (none)         serve; the listening socket is file descriptor 0\n"
		"  --check        report inconsistencies in the database; changes nothing\n"
		"  --copy-to URL  copy the database to an empty one in PostgreSQL, and check that\n"
		"  --routes       print the operations, for nginx/render.sh\n"
		"The database is the one of DATABASE_URL.\n",
		service->name);
	if (service->sibling_check)
		fprintf(out, "--check compares it with the one of %s, where that is set.\n",
			service->sibling_check->setting);
	return out == stdout ? STATUS_FINE : STATUS_FAILED;
}

/* The log also goes to stderr, but this message is short and complete. */
static int fail(const struct service *service, const char *what, const char *reason)
{
	fprintf(stderr, "%s: %s: %s\n", service->name, what, reason);
	return STATUS_FAILED;
}

static struct db_options store_options(const char *url, bool read_only)
{
	return (struct db_options){
		.url = url,
		.readers = 1,
		.busy_timeout = PATIENCE,
		.queue_limit = 1,
		.read_only = read_only,
	};
}

static int open_database(const struct service *service, const char *what,
			 const struct db_options *options, struct db **ret_db)
{
	char error[512] = "";
	int r = db_open(options, ret_db, error, sizeof(error));

	if (r < 0)
		fail(service, what, error);
	return r;
}

static int open_store(const struct service *service, const char *url, bool read_only,
		      struct db **ret_db)
{
	struct db_options options = store_options(url, read_only);

	options.migrations = service->migrations;
	options.migration_count = service->migration_count;
	return open_database(service, "cannot open the database", &options, ret_db);
}

/* *ret_db is NULL where there is nothing to compare with. */
static int open_sibling(const struct service *service, struct db **ret_db)
{
	const struct sibling_check *check = service->sibling_check;
	const char *url = check ? config_text(check->setting, NULL) : NULL;
	char what[64];

	*ret_db = NULL;
	if (!url)
		return 0;
	snprintf(what, sizeof(what), "cannot open %s", check->setting);
	struct db_options options = store_options(url, true);
	return open_database(service, what, &options, ret_db);
}

/* ---- --check ---- */

struct findings {
	const struct service *service;
	const char *rule;
	int64_t of_rule;
};

/* Ids and texts may contain anything, so make sure that each takes one line. */
static void print_line(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void end_rule(const struct findings *findings)
{
	if (findings->of_rule > SHOWN_MAX)
		printf("%s: %s: … and %" PRId64 " more\n", findings->service->name, findings->rule,
		       findings->of_rule - SHOWN_MAX);
}

static void print_finding(void *context, const char *rule, const char *id, const char *text)
{
	struct findings *findings = context;

	if (!findings->rule || strcmp(findings->rule, rule) != 0) {
		end_rule(findings);
		findings->rule = rule;
		findings->of_rule = 0;
	}
	if (++findings->of_rule > SHOWN_MAX)
		return;
	printf("%s: %s: ", findings->service->name, rule);
	print_line(id);
	fputs(" ", stdout);
	print_line(text);
	fputs("\n", stdout);
}

/* sibling: what to compare the database with, or NULL. */
static int check_store(const struct service *service, struct db *db, struct db *sibling)
{
	struct findings findings = {.service = service};
	int64_t found = check_run(db, service->checks, service->check_count, clock_now(),
				  print_finding, &findings);
	int64_t more = found >= 0 && sibling
			       ? service->sibling_check->run(db, sibling, print_finding, &findings)
			       : 0;

	if (found < 0 || more < 0)
		return fail(service, "cannot check the database", "see the log");
	found += more;
	end_rule(&findings);
	printf("%s: %" PRId64 " violations\n", service->name, found);
	return found > 0 ? STATUS_FOUND : STATUS_FINE;
}

static int check(const struct service *service, const char *url)
{
	struct db *db;
	struct db *sibling;

	if (open_store(service, url, true, &db) < 0)
		return STATUS_FAILED;
	int status = STATUS_FAILED;
	if (open_sibling(service, &sibling) == 0) {
		status = check_store(service, db, sibling);
		db_close(sibling);
	}
	db_close(db);
	return status;
}

/* ---- --copy-to ---- */

static int copy_store(const struct service *service, struct db *source, struct db *target)
{
	char error[512] = "";
	int64_t rows;

	if (db_copy(source, target, &rows, error, sizeof(error)) < 0)
		return fail(service, "nothing was copied", error);
	printf("%s: %" PRId64 " rows copied\n", service->name, rows);
	return check_store(service, target, NULL);
}

static int copy(const struct service *service, const char *url, const char *target_url)
{
	struct db *source;
	struct db *target;
	int status = STATUS_FAILED;

	/* Checked before the target file would be created. */
	if (strncmp(target_url, "sqlite:", strlen("sqlite:")) == 0)
		return fail(service, "nothing was copied", "the target must be PostgreSQL");
	if (open_store(service, url, true, &source) < 0)
		return STATUS_FAILED;
	if (open_store(service, target_url, false, &target) == 0) {
		status = copy_store(service, source, target);
		db_close(target);
	}
	db_close(source);
	return status;
}

/* ---- --routes ---- */

static void print_callers(const struct operation *operation)
{
	const char *separator = "";

	if (!operation->internal) {
		printf("public");
		separator = ",";
	}
	for (const char *const *caller = operation->callers; *caller; caller++) {
		printf("%s%s", separator, *caller);
		separator = ",";
	}
}

static int routes(const struct contract *contract)
{
	for (size_t i = 0; i < contract_operation_count(contract); i++) {
		const struct operation *operation = contract_operation(contract, i);
		print_callers(operation);
		printf(" %s %zu %s %s\n", operation->method,
		       operation->has_body ? operation->max_bytes : 0, operation->path,
		       operation->id);
	}
	return STATUS_FINE;
}

/* ---- all ---- */

/* A result that could not be written does not count as a success. */
static int told(const struct service *service, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	return fail(service, "cannot write the result", "standard output failed");
}

int command_run(const struct service *service, int argc, char **argv)
{
	const char *url = config_text("DATABASE_URL", service->default_database);

	log_start(service->name, LOG_WARN);
	if (argc == 2 && strcmp(argv[1], "--check") == 0)
		return told(service, check(service, url));
	if (argc == 3 && strcmp(argv[1], "--copy-to") == 0)
		return told(service, copy(service, url, argv[2]));
	if (argc == 2 && strcmp(argv[1], "--routes") == 0)
		return told(service, routes(service->contract));
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("%s-service %s\n", service->name, service_version);
		return told(service, STATUS_FINE);
	}
	bool asked = argc == 2 && strcmp(argv[1], "--help") == 0;
	return told(service, usage(service, asked ? stdout : stderr));
}
