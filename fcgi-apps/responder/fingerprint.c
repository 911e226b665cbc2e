#include "responder/fingerprint.h"

#include <sha2.h>

#include "base/uuid.h"

static void update(SHA2_CTX *sha, const char *bytes, size_t length)
{
	SHA256Update(sha, (const uint8_t *)bytes, length);
}

static void hash(const char *path, const char *query, const char *body, size_t body_length,
		 char ret_hex[SHA256_DIGEST_STRING_LENGTH])
{
	SHA2_CTX sha;
	size_t length = strlen(path);

	if (length && path[length - 1] == '/')
		length--; /* the path counts the same with and without the slash */
	SHA256Init(&sha);
	update(&sha, path, length);
	update(&sha, "", 1);
	update(&sha, query, strlen(query) + 1);
	update(&sha, body, body_length);
	SHA256End(&sha, ret_hex);
}

static void append_path(struct text *out, const char *path)
{
	text_append_string(out, path);
	if (text_error(out))
		return;
	for (char *segment = out->data; segment; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		uuid_to_lower(segment, strcspn(segment, "/"));
	}
}

static int hash_meaning(const struct request *request, char ret_hex[SHA256_DIGEST_STRING_LENGTH])
{
	struct text path CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	struct text body CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);

	append_path(&path, request->path);
	if (request->body)
		json_print(request->body, &body);
	if (text_error(&path) || text_error(&body))
		return -ENOMEM;
	hash(text_string(&path), request->query,
	     request->body ? text_string(&body) : request->body_text,
	     request->body ? body.length : request->body_length, ret_hex);
	return 0;
}

int fingerprint_make(const struct request *request, struct fingerprint *ret_print)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];
	int r = hash_meaning(request, hex);

	if (r < 0)
		return r;
	snprintf(ret_print->meaning, sizeof(ret_print->meaning), "%.32s", hex);
	hash(request->path, request->query, request->body_text, request->body_length, hex);
	snprintf(ret_print->sent, sizeof(ret_print->sent), "%s", hex);
	return 0;
}

static bool begins_with(const char *text, const char *meaning)
{
	return strncmp(text, meaning, strlen(meaning)) == 0;
}

const char *fingerprint_meaning(const struct fingerprint *print)
{
	return begins_with(print->sent, print->meaning) ? NULL : print->meaning;
}

bool fingerprint_fits(const struct fingerprint *print, const char *sent, const char *meaning)
{
	return strcmp(print->sent, sent) == 0 ||
	       begins_with(meaning && *meaning ? meaning : sent, print->meaning);
}
