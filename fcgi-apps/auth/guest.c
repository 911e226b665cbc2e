#include "auth/guest.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "base/base64url.h"

#define KEY_MIN      32
#define PREFIX       "gst_"
#define PURPOSE      "cart:" /* the key may serve others one day */
#define DIGEST_BYTES 32

/* Takes the line's end off. False: it is no key. */
static bool trim_key(char *line)
{
	size_t length = strcspn(line, "\n");

	line[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if (line[i] <= ' ' || line[i] > '~')
			return false;
	}
	return length >= KEY_MIN && length <= GUEST_KEY_LENGTH;
}

static int read_keys(FILE *file, struct guest_keys *keys)
{
	/* One more than fits, with the line's end and the NUL: a longer one is no key. */
	char line[GUEST_KEY_LENGTH + 3];

	while (fgets(line, sizeof(line), file)) {
		if (keys->count == GUEST_KEYS_MAX || !trim_key(line))
			return -EINVAL;
		memcpy(keys->keys[keys->count++], line, strlen(line) + 1);
	}
	if (ferror(file))
		return -EIO;
	return keys->count > 0 ? 0 : -EINVAL;
}

int guest_keys_read(const char *path, struct guest_keys *ret_keys)
{
	struct guest_keys keys = {0};
	FILE *file = fopen(path, "re");

	if (!file)
		return -EIO;
	int r = read_keys(file, &keys);
	fclose(file);
	if (r == 0)
		*ret_keys = keys;
	OPENSSL_cleanse(&keys, sizeof(keys));
	return r;
}

static int make(const char *key, const char *cart_id, char ret_secret[GUEST_SECRET_SIZE])
{
	struct text message CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	struct text secret CLEANUP(text_release) = TEXT_INIT(GUEST_SECRET_SIZE);
	unsigned char digest[DIGEST_BYTES];
	unsigned int length = 0;

	text_printf(&message, PURPOSE "%s", cart_id);
	if (text_error(&message))
		return -ENOMEM;
	if (!HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)message.data,
		  message.length, digest, &length) ||
	    length != sizeof(digest))
		return -EIO;
	text_append_string(&secret, PREFIX);
	base64url_encode((const char *)digest, sizeof(digest), &secret);
	if (text_error(&secret))
		return -ENOMEM;
	snprintf(ret_secret, GUEST_SECRET_SIZE, "%s", text_string(&secret));
	return 0;
}

int guest_secret_make(const struct guest_keys *keys, const char *cart_id,
		      char ret_secret[GUEST_SECRET_SIZE])
{
	return keys->count > 0 ? make(keys->keys[0], cart_id, ret_secret) : -EIO;
}

bool guest_secret_fits(const struct guest_keys *keys, const char *cart_id, const char *secret)
{
	bool fits = false;

	if (!secret || strlen(secret) != GUEST_SECRET_SIZE - 1)
		return false;
	for (size_t i = 0; i < keys->count; i++) {
		char right[GUEST_SECRET_SIZE];
		bool made = make(keys->keys[i], cart_id, right) == 0;

		fits |= made && CRYPTO_memcmp(right, secret, GUEST_SECRET_SIZE) == 0;
	}
	return fits;
}
