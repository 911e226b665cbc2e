#include "storage/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* Fields of the database's first page, from its 16th byte (https://www.sqlite.org/fileformat2.html,
 * section 1.3): the page size; a change counter, which no connection decreases, followed by the
 * size in pages; and application_id, which differs between databases. While the log is in use, only
 * checkpoints change them in the file, by whichever program. */
#define HEADER_OFFSET    16
#define HEADER_SIZE      56
#define PAGE_SIZE_OFFSET 0 /* this offset and the following are relative to HEADER_OFFSET */
#define PAGE_SIZE_SIZE   2
#define AGE_OFFSET       8
#define AGE_SIZE         8
#define PAGES_OFFSET     12
#define PAGES_SIZE       4
#define IDENTITY_OFFSET  52
#define IDENTITY_SIZE    4

/* A log begins with these bytes, of which the last bit varies (section 4.1). From its 16th byte it
 * has salts, which change each time the log starts again. */
static const unsigned char log_magic[] = {0x37, 0x7f, 0x06, 0x82};
#define LOG_HEADER_SIZE 32
#define SALTS_OFFSET    16
#define SALTS_SIZE      8

static const char *const suffixes[SQLITE_FILES] = {"", "-wal", "-shm"};

static uint64_t number_of(const unsigned char *bytes, size_t size)
{
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* The length of the file, without the part that a VACUUM's checkpoint is about to cut off: it
 * writes the first page first and truncates the file last. */
static off_t length_of(const unsigned char *header, off_t size)
{
	uint64_t page_size = number_of(header + PAGE_SIZE_OFFSET, PAGE_SIZE_SIZE);
	uint64_t pages = number_of(header + PAGES_OFFSET, PAGES_SIZE);
	off_t length = (off_t)(pages * (page_size == 1 ? 65536 : page_size));
	return size < length ? size : length;
}

static bool read_content(const struct sqlite_files *files, struct sqlite_content *ret_content)
{
	unsigned char bytes[HEADER_SIZE];
	struct stat status;
	if (fstat(files->database, &status) < 0 ||
	    pread(files->database, bytes, sizeof(bytes), HEADER_OFFSET) != sizeof(bytes))
		return false;
	*ret_content = (struct sqlite_content){
		.age = number_of(bytes + AGE_OFFSET, AGE_SIZE),
		.identity = number_of(bytes + IDENTITY_OFFSET, IDENTITY_SIZE),
		.length = length_of(bytes, status.st_size),
	};
	return true;
}

void sqlite_files_init(struct sqlite_files *files)
{
	*files = (struct sqlite_files){.database = -1, .log = -1};
	pthread_mutex_init(&files->lock, NULL);
}

void sqlite_files_release(struct sqlite_files *files)
{
	if (files->database >= 0)
		close(files->database);
	if (files->log >= 0)
		close(files->log);
	pthread_mutex_destroy(&files->lock);
}

int sqlite_files_note(struct sqlite_files *files, const char *path, sqlite3 *handle)
{
	for (size_t i = 0; i < SQLITE_FILES; i++) {
		struct stat status;
		/* If the path is a symbolic link, the log and its index lie beside its target. */
		snprintf(files->list[i].path, sizeof(files->list[i].path), "%s%s",
			 i == SQLITE_DATABASE ? path : sqlite3_db_filename(handle, "main"),
			 suffixes[i]);
		if (stat(files->list[i].path, &status) < 0)
			return -errno;
		files->list[i].device = status.st_dev;
		files->list[i].inode = status.st_ino;
	}
	files->database = open(files->list[SQLITE_DATABASE].path, O_RDONLY | O_CLOEXEC);
	files->log = open(files->list[SQLITE_LOG].path, O_RDONLY | O_CLOEXEC);
	if (files->database < 0 || files->log < 0)
		return -errno;
	return read_content(files, &files->content) ? 0 : -EIO;
}

static const char *fault_of_place(const struct sqlite_file *file)
{
	struct stat now;
	if (stat(file->path, &now) < 0)
		return errno == ENOENT || errno == ENOTDIR ? "removed or moved" : "out of reach";
	if (now.st_dev != file->device || now.st_ino != file->inode)
		return "another file is in its place";
	return NULL;
}

/* Detects a file that was overwritten in place, as cp does. Each number is aligned, so a concurrent
 * checkpoint is seen either before or after its write. */
static const char *fault_of_content(struct sqlite_files *files)
{
	const struct sqlite_content *before = &files->content;
	struct sqlite_content now;
	if (!read_content(files, &now) || now.age < before->age ||
	    (now.age == before->age && now.length < before->length) ||
	    (before->identity && now.identity != before->identity))
		return "written over by another program";
	files->content = now;
	return NULL;
}

static bool read_log_header(int log, unsigned char header[LOG_HEADER_SIZE])
{
	unsigned char magic[sizeof(log_magic)];
	if (pread(log, header, LOG_HEADER_SIZE, 0) != LOG_HEADER_SIZE)
		return false;
	memcpy(magic, header, sizeof(magic));
	magic[sizeof(magic) - 1] &= 0xfe;
	return memcmp(magic, log_magic, sizeof(magic)) == 0;
}

/* A log may be empty after a checkpoint, and a crash may leave one without a header; neither is
 * possible after a commit. SQLite truncates a log that is longer than its limit, but only after it
 * has started it again. */
static const char *fault_of_log(struct sqlite_files *files, bool logged)
{
	static const char cut[] = "cut by another program";
	unsigned char header[LOG_HEADER_SIZE];
	bool begun = read_log_header(files->log, header);
	struct stat status;
	if (fstat(files->log, &status) < 0)
		return "out of reach";
	if (!begun)
		return logged || (status.st_size > 0 && files->log_length > 0) ? cut : NULL;
	uint64_t salts = number_of(header + SALTS_OFFSET, SALTS_SIZE);
	off_t length = status.st_size < SQLITE_LOG_LIMIT ? status.st_size : SQLITE_LOG_LIMIT;
	if (salts == files->log_salts && length < files->log_length)
		return cut;
	files->log_salts = salts;
	files->log_length = length;
	return NULL;
}

static void tell(struct sqlite_files *files, const struct sqlite_file *file, const char *fault)
{
	if (fault == files->fault)
		return;
	if (fault)
		log_write(LOG_ERROR,
			  "a file of the database is not what it was: nothing is written until it"
			  " is back, or the worker is started again",
			  log_text("file.path", file->path), log_text("error.message", fault));
	else
		log_write(LOG_INFO, "the files of the database are back: writing goes on",
			  log_text("file.path", file->path));
	files->fault = fault;
}

int sqlite_files_check(struct sqlite_files *files, bool logged)
{
	const struct sqlite_file *file = &files->list[SQLITE_DATABASE];
	const char *fault = NULL;
	pthread_mutex_lock(&files->lock);
	for (size_t i = 0; i < SQLITE_FILES && !fault; i++) {
		file = &files->list[i];
		fault = fault_of_place(file);
	}
	if (!fault) {
		file = &files->list[SQLITE_DATABASE];
		fault = fault_of_content(files);
	}
	if (!fault) {
		file = &files->list[SQLITE_LOG];
		fault = fault_of_log(files, logged);
	}
	tell(files, file, fault);
	pthread_mutex_unlock(&files->lock);
	return fault ? -EHOSTDOWN : 0;
}
