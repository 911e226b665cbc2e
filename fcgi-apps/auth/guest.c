#include "auth/guest.h"

#include "auth/crypto_error.h"
#include "auth/crypto_library.h"
#include "base/base64url.h"

#define PREFIX       "gst_"
#define PURPOSE      "cart:" /* the key may serve others one day */
#define DIGEST_BYTES 32

static int make(const char *key, const char *cart_id, char ret_secret[GUEST_SECRET_SIZE])
{
	struct text message CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	struct text secret = {0};
	unsigned char digest[DIGEST_BYTES];

	text_printf(&message, PURPOSE "%s", cart_id);
	if (text_error(&message))
		return -ENOMEM;
	if (!libcrypto.HMAC(libcrypto.EVP_sha256(), key, (int)strlen(key),
			    (const unsigned char *)message.data, message.length, digest, NULL)) {
		crypto_error_take();
		return -EIO;
	}
	text_init_fixed(&secret, ret_secret, GUEST_SECRET_SIZE);
	text_append_string(&secret, PREFIX);
	base64url_encode((const char *)digest, sizeof(digest), &secret);
	return text_error(&secret);
}

int guest_secret_make(const struct secrets *keys, const char *cart_id,
		      char ret_secret[GUEST_SECRET_SIZE])
{
	return keys->count > 0 ? make(keys->list[0].text, cart_id, ret_secret) : -EIO;
}

bool guest_secret_fits(const struct secrets *keys, const char *cart_id, const char *secret)
{
	bool fits = false;

	if (!secret || strlen(secret) != GUEST_SECRET_SIZE - 1)
		return false;
	for (size_t i = 0; i < keys->count; i++) {
		char right[GUEST_SECRET_SIZE];
		bool made = make(keys->list[i].text, cart_id, right) == 0;

		fits |= made && libcrypto.CRYPTO_memcmp(right, secret, GUEST_SECRET_SIZE) == 0;
	}
	return fits;
}
