#include "auth/jws.h"

#include "base/base64url.h"

static enum token_fault read_header(struct jws *jws, const char *text, size_t length)
{
	char decoded[JWS_HEADER_MAX * 3 / 4];
	struct json_error error;
	if (length > JWS_HEADER_MAX)
		return TOKEN_TOO_LONG;
	int64_t r = base64url_decode(text, length, decoded);
	if (r >= 0)
		r = json_parse_input(decoded, (size_t)r, &jws->header, &error);
	if (r == -ENOMEM)
		return TOKEN_NO_MEMORY;
	return r == 0 && json_type(jws->header) == JSON_OBJECT ? TOKEN_FINE : TOKEN_MALFORMED;
}

/* A member that is a string, or is not there: then NULL. */
static enum token_fault optional_string(const struct json *object, const char *name,
					const char **ret_string)
{
	const struct json *value = json_get(object, name);
	if (value && json_type(value) != JSON_STRING)
		return TOKEN_MALFORMED;
	*ret_string = value ? json_string(value, NULL) : NULL;
	return TOKEN_FINE;
}

static enum token_fault check_header(struct jws *jws)
{
	static const char *const refused[] = {"crit", "jku", "jwk", "x5u", "x5c", "b64", "zip"};
	const char *algorithm = NULL;
	enum token_fault fault = optional_string(jws->header, "alg", &algorithm);
	if (!fault)
		fault = optional_string(jws->header, "kid", &jws->kid);
	if (!fault)
		fault = optional_string(jws->header, "typ", &jws->type);
	if (fault)
		return fault;
	if (!algorithm)
		return TOKEN_MALFORMED;
	if (algorithm_find(algorithm, &jws->algorithm) < 0)
		return TOKEN_ALGORITHM;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (json_get(jws->header, refused[i]))
			return TOKEN_HEADER;
	}
	return TOKEN_FINE;
}

static enum token_fault read_parts(struct jws *jws, const char *token, size_t length)
{
	const char *end = token + length;
	const char *first = memchr(token, '.', length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	if (!second)
		return TOKEN_MALFORMED;
	const char *signature = second + 1;
	size_t signature_length = (size_t)(end - signature);
	if (signature_length > BASE64URL_LENGTH(SIGNATURE_MAX))
		return TOKEN_MALFORMED;
	int64_t r = base64url_decode(signature, signature_length, (char *)jws->signature);
	if (r < 0)
		return TOKEN_MALFORMED;
	jws->signature_length = (size_t)r;
	jws->token = token;
	jws->payload_start = (size_t)(first + 1 - token);
	jws->signed_length = (size_t)(second - token);
	enum token_fault fault = read_header(jws, token, (size_t)(first - token));
	return fault ? fault : check_header(jws);
}

enum token_fault jws_read(const char *token, size_t length, struct jws *ret_jws)
{
	struct jws jws = {0};
	if (length > JWS_LENGTH_MAX)
		return TOKEN_TOO_LONG;
	enum token_fault fault = read_parts(&jws, token, length);
	if (fault)
		jws_release(&jws);
	else
		*ret_jws = jws;
	return fault;
}

enum token_fault jws_verify(const struct jws *jws, const struct jwk *jwk)
{
	const struct evp_md_ctx_st *verifier = jwk->verifiers[jws->algorithm];
	if (!verifier)
		return TOKEN_ALGORITHM;
	return signature_verify(jws->algorithm, verifier, jws->token, jws->signed_length,
				jws->signature, jws->signature_length);
}

enum token_fault jws_payload(const struct jws *jws, struct text *out)
{
	size_t length = jws->signed_length - jws->payload_start;
	char *end = text_reserve(out, length);
	if (!end)
		return TOKEN_NO_MEMORY;
	int64_t r = base64url_decode(jws->token + jws->payload_start, length, end);
	if (r < 0)
		return TOKEN_MALFORMED;
	text_commit(out, (size_t)r);
	return TOKEN_FINE;
}

void jws_release(struct jws *jws)
{
	json_free(jws->header);
	*jws = (struct jws){0};
}
