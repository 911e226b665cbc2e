/*
 * Runs a fuzz target without libFuzzer: every file of a corpus as it is, then a number of mutations
 * of them, the same ones each time.
 *
 *	fuzz/<target> CORPUS_FOLDER [MUTATIONS]
 *	fuzz/<target> FILE...
 *
 * When the target ends the program, the input that did it is left behind in fuzz/<target>.crash.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 4096
#define FILES_MAX 512
#define EDITS_MAX 8 /* in one mutation */

struct input {
	size_t size;
	uint8_t data[INPUT_MAX];
};

static struct input files[FILES_MAX];
static size_t file_count;
static struct input current;
static char crash_path[PATH_MAX];
static uint64_t state = 0x9e3779b97f4a7c15;

/* Of the sanitizers' run time, where there is one: it ends the program without a signal. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* xorshift64* (Marsaglia 2003, Vigna 2016): the seed is fixed, so every run makes the same inputs.
 */
static size_t below(size_t limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (size_t)((state * 0x2545f4914f6cdd1d >> 33) % limit);
}

static void keep_input(void)
{
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, current.data, current.size) != (ssize_t)current.size)
		return;
	static const char text[] = "the input is in ";
	if (write(STDERR_FILENO, text, sizeof(text) - 1) > 0 &&
	    write(STDERR_FILENO, crash_path, strlen(crash_path)) > 0 &&
	    write(STDERR_FILENO, "\n", 1) > 0)
		close(fd);
}

static void on_signal(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void watch(void)
{
	static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], on_signal);
}

static void read_file(const char *path)
{
	if (file_count == FILES_MAX) {
		fprintf(stderr, "more than %d files: %s is left out\n", FILES_MAX, path);
		exit(2);
	}
	struct input *input = &files[file_count++];
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(2);
	}
	input->size = fread(input->data, 1, sizeof(input->data), file);
	fclose(file);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names, whatever the file system's. */
static void read_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, alphasort);
	if (count < 0) {
		perror(folder);
		exit(2);
	}
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		read_file(path);
		free(entries[i]);
	}
	free(entries);
}

static void run(void)
{
	/* A hang is a failure, too. */
	alarm(60);
	/* A block of its own: one byte read beyond the end is found by the sanitizer. */
	uint8_t *copy = malloc(current.size ? current.size : 1);
	fuzz_check(copy);
	memcpy(copy, current.data, current.size);
	LLVMFuzzerTestOneInput(copy, current.size);
	free(copy);
}

static void cut(size_t at, size_t length)
{
	memmove(current.data + at, current.data + at + length, current.size - at - length);
	current.size -= length;
}

static void insert(size_t at, const void *bytes, size_t length)
{
	uint8_t copy[INPUT_MAX];
	size_t room = INPUT_MAX - current.size;
	if (length > room)
		length = room;
	memcpy(copy, bytes, length);
	memmove(current.data + at + length, current.data + at, current.size - at);
	memcpy(current.data + at, copy, length);
	current.size += length;
}

/* What tends to matter to parsers. */
static const char *const tokens[] = {
	"\"",
	"\\",
	"\\u0000",
	"\\ud800",
	"{",
	"}",
	"[",
	"]",
	",",
	":",
	"null",
	"-",
	"1e999",
	"0.1",
	"%00",
	"%2f",
	"%",
	"+",
	"&",
	"=",
	"\r\n",
	"\n",
	"\t",
	" ",
	"*",
	"W/",
	"Z",
	"T",
	"\xc3\xa9",
	"\xff",
	"\xed\xa0\x80",
	"9223372036854775808",
	"00000000-0000-7000-8000-000000000000",
};

static void edit(void)
{
	size_t at = below(current.size + 1);
	size_t length =
		current.size > at ? 1 + below(current.size - at < 32 ? current.size - at : 32) : 0;
	const struct input *other = &files[below(file_count)];
	const char *token = tokens[below(ARRAY_SIZE(tokens))];
	uint8_t byte = (uint8_t)below(256);

	switch (below(6)) {
	case 0:
		if (length)
			current.data[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		insert(at, &byte, 1);
		break;
	case 2:
		cut(at, length);
		break;
	case 3:
		insert(below(current.size + 1), current.data + at, length);
		break;
	case 4:
		insert(at, token, strlen(token));
		break;
	default:
		if (other->size) {
			size_t from = below(other->size);
			insert(at, other->data + from, 1 + below(other->size - from));
		}
	}
}

static void mutate(void)
{
	current = files[below(file_count)];
	for (size_t edits = 1 + below(EDITS_MAX); edits > 0; edits--)
		edit();
}

int main(int argc, char **argv)
{
	struct stat status;
	unsigned long mutations = 0;
	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS] | FILE...\n", argv[0]);
		return 2;
	}
	if (stat(argv[1], &status) == 0 && S_ISDIR(status.st_mode)) {
		read_folder(argv[1]);
		mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	} else {
		for (int i = 1; i < argc; i++)
			read_file(argv[i]);
	}
	if (file_count == 0) {
		fprintf(stderr, "%s: no inputs in %s\n", argv[0], argv[1]);
		return 2;
	}
	snprintf(crash_path, sizeof(crash_path), "%s.crash", argv[0]);
	watch();
	for (size_t i = 0; i < file_count; i++) {
		current = files[i];
		run();
	}
	for (unsigned long i = 0; i < mutations; i++) {
		mutate();
		run();
	}
	return 0;
}
