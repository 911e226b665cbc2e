#include "auth/jwt.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_pointer.h"
#include "base/utf8.h"
#include "contract/schema_text.h"

_Static_assert(PRINCIPAL_SUBJECT_SIZE > 4 * JWT_SUBJECT_MAX, "any subject fits");

/* Far beyond any clock; times and the skew can be added without overflow. */
#define TIME_MAX (INT64_MAX / 4)

bool jwt_is_access_token(const char *type)
{
	static const char media[] = "application/";
	if (!type)
		return true;
	if (strncasecmp(type, media, strlen(media)) == 0)
		type += strlen(media);
	return strcasecmp(type, "at+jwt") == 0 || strcasecmp(type, "jwt") == 0;
}

static const char *string_of(const struct json *value)
{
	return value && json_type(value) == JSON_STRING ? json_string(value, NULL) : NULL;
}

/* A NumericDate in microseconds, at most TIME_MAX before or after 1970. */
static enum token_fault read_time(const struct json *claims, const char *name, int64_t *ret_time)
{
	const struct json *value = json_get(claims, name);
	if (!value || json_type(value) != JSON_NUMBER)
		return TOKEN_CLAIMS;
	double microseconds = strtod(json_number_text(value), NULL) * (double)CLOCK_SECOND;
	if (microseconds >= (double)TIME_MAX)
		*ret_time = TIME_MAX;
	else if (microseconds <= -(double)TIME_MAX)
		*ret_time = -TIME_MAX;
	else
		*ret_time = (int64_t)microseconds;
	return TOKEN_FINE;
}

static enum token_fault check_start(const struct json *claims, const char *name, int64_t latest)
{
	int64_t time;
	if (!json_get(claims, name))
		return TOKEN_FINE;
	enum token_fault fault = read_time(claims, name, &time);
	return !fault && time > latest ? TOKEN_NOT_YET : fault;
}

static enum token_fault check_times(const struct jwt_rules *rules, const struct json *claims,
				    int64_t now, int64_t *ret_expires)
{
	int64_t expires;
	enum token_fault fault = read_time(claims, "exp", &expires);
	if (fault)
		return fault;
	expires += rules->skew;
	if (now >= expires)
		return TOKEN_EXPIRED;
	fault = check_start(claims, "nbf", now + rules->skew);
	if (!fault)
		fault = check_start(claims, "iat", now + rules->skew);
	if (!fault)
		*ret_expires = expires;
	return fault;
}

static enum token_fault check_audience(const struct json *claims, const char *audience)
{
	const struct json *value = json_get(claims, "aud");
	bool found = false;
	if (!value)
		return TOKEN_CLAIMS;
	if (json_type(value) == JSON_STRING)
		return strcmp(string_of(value), audience) == 0 ? TOKEN_FINE : TOKEN_AUDIENCE;
	if (json_type(value) != JSON_ARRAY)
		return TOKEN_CLAIMS;
	for (size_t i = 0; i < json_length(value); i++) {
		const char *element = string_of(json_at(value, i));
		if (!element)
			return TOKEN_CLAIMS;
		found |= strcmp(element, audience) == 0;
	}
	return found ? TOKEN_FINE : TOKEN_AUDIENCE;
}

static enum token_fault check_parties(const struct jwt_rules *rules, const struct json *claims)
{
	const char *issuer = json_get_string(claims, "iss", NULL);
	if (!issuer)
		return TOKEN_CLAIMS;
	if (strcmp(issuer, rules->issuer) != 0)
		return TOKEN_ISSUER;
	return check_audience(claims, rules->audience);
}

/* Whether it could be stored as the id of a user, and as no other one's; if not, the fault. */
static enum token_fault check_user_id(const char *text, enum token_fault fault)
{
	struct text normal CLEANUP(text_release) = TEXT_INIT(TEXT_UNLIMITED);
	size_t length = text ? strlen(text) : 0;
	if (length == 0 || utf8_count(text, length) > JWT_SUBJECT_MAX ||
	    !schema_text_is_line(text, length))
		return fault;
	if (!schema_text_normalize(text, length, &normal))
		return TOKEN_FINE;
	if (text_error(&normal))
		return TOKEN_NO_MEMORY;
	return strcmp(text_string(&normal), text) == 0 ? TOKEN_FINE : fault;
}

/* It is only for the log, which goes without one that it could not show. */
static enum token_fault read_client(const struct json *claims, struct principal *principal)
{
	const char *client = json_get_string(claims, "client_id", NULL);
	if (!client)
		client = json_get_string(claims, "azp", NULL);
	enum token_fault fault = check_user_id(client, TOKEN_CLAIMS);
	if (fault == TOKEN_FINE && strlen(client) < sizeof(principal->client_id))
		memcpy(principal->client_id, client, strlen(client) + 1);
	return fault == TOKEN_NO_MEMORY ? fault : TOKEN_FINE;
}

static uint64_t scope_bit(const struct jwt_rules *rules, const char *name, size_t length)
{
	if (length == strlen(JWT_SCOPE_ADMIN) && memcmp(name, JWT_SCOPE_ADMIN, length) == 0)
		return UINT64_MAX;
	for (size_t i = 0; rules->scopes[i]; i++) {
		if (strncmp(rules->scopes[i], name, length) == 0 && !rules->scopes[i][length])
			return UINT64_C(1) << i;
	}
	return 0;
}

static uint64_t split_scopes(const struct jwt_rules *rules, const char *list)
{
	uint64_t scopes = 0;
	while (*list) {
		size_t length = strcspn(list, " ");
		scopes |= scope_bit(rules, list, length);
		list += length;
		list += strspn(list, " ");
	}
	return scopes;
}

/* What is of another type gives none: the token is a customer's all the same. */
static uint64_t scopes_of(const struct jwt_rules *rules, const struct json *value)
{
	uint64_t scopes = 0;
	if (value && json_type(value) == JSON_STRING)
		return split_scopes(rules, string_of(value));
	if (!value || json_type(value) != JSON_ARRAY)
		return 0;
	for (size_t i = 0; i < json_length(value); i++) {
		const char *name = string_of(json_at(value, i));
		if (name)
			scopes |= scope_bit(rules, name, strlen(name));
	}
	return scopes;
}

static enum token_fault read_principal(const struct jwt_rules *rules, const struct json *claims,
				       struct principal *principal)
{
	const char *subject = json_get_string(claims, "sub", NULL);
	enum token_fault fault = check_user_id(subject, TOKEN_SUBJECT);
	if (fault)
		return fault;
	memcpy(principal->subject, subject, strlen(subject) + 1);
	for (size_t i = 0; rules->pointers[i]; i++)
		principal->scopes |= scopes_of(rules, json_pointer_get(claims, rules->pointers[i]));
	return read_client(claims, principal);
}

enum token_fault jwt_read(const struct jwt_rules *rules, const char *payload, size_t length,
			  int64_t now, struct principal *ret_principal, int64_t *ret_expires)
{
	struct json *claims CLEANUP(json_free_p) = NULL;
	struct json_error error;
	struct principal principal = {.kind = PRINCIPAL_USER};
	int64_t expires = 0;
	int r = json_parse_input(payload, length, &claims, &error);
	if (r < 0)
		return r == -ENOMEM ? TOKEN_NO_MEMORY : TOKEN_CLAIMS;
	if (json_type(claims) != JSON_OBJECT)
		return TOKEN_CLAIMS;
	enum token_fault fault = check_parties(rules, claims);
	if (!fault)
		fault = check_times(rules, claims, now, &expires);
	if (!fault)
		fault = read_principal(rules, claims, &principal);
	if (fault)
		return fault;
	*ret_principal = principal;
	*ret_expires = expires;
	return TOKEN_FINE;
}
