#include "auth/jwks.h"

struct jwks {
	size_t count;
	struct jwk keys[];
};

static bool is_named_twice(const struct jwks *jwks, const struct jwk *jwk)
{
	for (size_t i = 0; i < jwks->count; i++) {
		if (strcmp(jwks->keys[i].kid, jwk->kid) == 0 &&
		    (jwks->keys[i].algorithms & jwk->algorithms))
			return true;
	}
	return false;
}

/* Adds the key, or skips it and sets *reason. -ENOMEM. */
static int add_key(struct jwks *jwks, const struct json *object, const char **reason)
{
	struct jwk jwk = {0};
	int r = jwk_read(object, &jwk, reason);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && is_named_twice(jwks, &jwk)) {
		*reason = "a second key with the same \"kid\" and algorithm";
		jwk_release(&jwk);
	} else if (r == 0) {
		jwks->keys[jwks->count++] = jwk;
	}
	return 0;
}

static int add_keys(struct jwks *jwks, const struct json *array, char reason[JWKS_REASON_SIZE])
{
	const char *skipped = "it has none";
	for (size_t i = 0; i < json_length(array); i++) {
		int r = add_key(jwks, json_at(array, i), &skipped);
		if (r < 0)
			return r;
	}
	if (jwks->count > 0)
		return 0;
	snprintf(reason, JWKS_REASON_SIZE, "no key can be used: %s", skipped);
	return -EINVAL;
}

int jwks_make(const struct json *value, struct jwks **ret_jwks,
	      char reterr_reason[JWKS_REASON_SIZE])
{
	const struct json *array = json_get(value, "keys");
	snprintf(reterr_reason, JWKS_REASON_SIZE, "out of memory");
	if (!array || json_type(array) != JSON_ARRAY) {
		snprintf(reterr_reason, JWKS_REASON_SIZE,
			 "not a JSON object with an array \"keys\"");
		return -EINVAL;
	}
	if (json_length(array) > JWKS_KEYS_MAX) {
		snprintf(reterr_reason, JWKS_REASON_SIZE, "more than %d keys", JWKS_KEYS_MAX);
		return -EMSGSIZE;
	}
	struct jwks *jwks = calloc(1, sizeof(*jwks) + json_length(array) * sizeof(jwks->keys[0]));
	if (!jwks)
		return -ENOMEM;
	int r = add_keys(jwks, array, reterr_reason);
	if (r < 0)
		jwks_free(jwks);
	else
		*ret_jwks = jwks;
	return r;
}

int jwks_read(const char *text, size_t length, struct jwks **ret_jwks,
	      char reterr_reason[JWKS_REASON_SIZE])
{
	struct json *value CLEANUP(json_free_p) = NULL;
	struct json_error error = {0};
	if (length > JWKS_TEXT_MAX) {
		snprintf(reterr_reason, JWKS_REASON_SIZE, "longer than %zu bytes", JWKS_TEXT_MAX);
		return -EMSGSIZE;
	}
	int r = json_parse_input(text, length, &value, &error);
	if (r == 0)
		return jwks_make(value, ret_jwks, reterr_reason);
	if (r == -EINVAL)
		snprintf(reterr_reason, JWKS_REASON_SIZE, "line %zu, column %zu: %s", error.line,
			 error.column, error.detail);
	else
		snprintf(reterr_reason, JWKS_REASON_SIZE, "out of memory");
	return r;
}

void jwks_free(struct jwks *jwks)
{
	if (!jwks)
		return;
	for (size_t i = 0; i < jwks->count; i++)
		jwk_release(&jwks->keys[i]);
	free(jwks);
}

size_t jwks_count(const struct jwks *jwks)
{
	return jwks->count;
}

const struct jwk *jwks_find(const struct jwks *jwks, const char *kid, enum algorithm algorithm)
{
	const struct jwk *found = NULL;
	for (size_t i = 0; i < jwks->count; i++) {
		const struct jwk *jwk = &jwks->keys[i];
		if (!(jwk->algorithms & ALGORITHM_BIT(algorithm)))
			continue;
		if (kid && strcmp(jwk->kid, kid) == 0)
			return jwk;
		if (!kid && found)
			return NULL;
		if (!kid)
			found = jwk;
	}
	return found;
}

bool jwks_equal(const struct jwks *a, const struct jwks *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct jwk *x = &a->keys[i], *y = &b->keys[i];
		if (x->algorithms != y->algorithms || strcmp(x->kid, y->kid) != 0 ||
		    strcmp(x->thumbprint, y->thumbprint) != 0)
			return false;
	}
	return true;
}
