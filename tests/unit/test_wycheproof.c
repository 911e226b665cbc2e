/*
 * auth/jwk.h and auth/jws.h against the vectors of Project Wycheproof (C2SP), which are not part of
 * this repository: the folder VECTORS has json_web_signature_test.json and json_web_key_test.json.
 * Without it nothing is tested here.
 *
 *	make test-wycheproof VECTORS=…
 */
#include "auth/jwks.h"
#include "auth/jws.h"
#include "base/json.h"
#include "tokens.h" /* loads libcrypto */
#include "unit.h"

#define FILE_MAX ((size_t)4 << 20)

static const char *const files[] = {"json_web_signature_test.json", "json_web_key_test.json"};

struct counts {
	int valid, invalid;
	int other_algorithms; /* valid, but refused on purpose: HS256, RS384 */
	int lenient;          /* valid to those who skip characters that are not of the alphabet */
	int roca;             /* invalid, as the key is weak: only its factors show that */
};

static struct json *read_file(const char *name)
{
	struct text path CLEANUP(text_release) = TEXT_INIT(4096);
	struct json *value = NULL;
	struct json_error error = {0};
	text_printf(&path, "%s/%s", getenv("VECTORS"), name);
	FILE *file = fopen(text_string(&path), "rb");
	ck_assert_msg(file, "cannot open %s", text_string(&path));
	char *content = malloc(FILE_MAX);
	ck_assert_ptr_nonnull(content);
	size_t length = fread(content, 1, FILE_MAX, file);
	fclose(file);
	int r = json_parse(content, length, 16, &value, &error);
	free(content);
	ck_assert_msg(r == 0, "%s: line %zu: %s", name, error.line, error.detail);
	return value;
}

/* The group's public keys as a set, or NULL where none can be used. */
static struct jwks *read_keys(const struct json *group)
{
	const struct json *key = json_get(group, "public");
	if (!key)
		key = json_get(group, "private");
	struct text set CLEANUP(text_release) = TEXT_INIT(JWKS_TEXT_MAX);
	bool is_set = json_get(key, "keys");
	text_append_string(&set, is_set ? "" : "{\"keys\":[");
	json_print(key, &set);
	text_append_string(&set, is_set ? "" : "]}");
	struct jwks *jwks = NULL;
	char reason[JWKS_REASON_SIZE];
	int r = jwks_read(text_string(&set), set.length, &jwks, reason);
	ck_assert(r == 0 || r == -EINVAL);
	return jwks;
}

static enum token_fault verify(const struct jwks *jwks, const struct json *token)
{
	struct text text CLEANUP(text_release) = TEXT_INIT(FILE_MAX);
	struct jws jws CLEANUP(jws_release) = {0};
	if (json_type(token) == JSON_STRING)
		text_append_string(&text, json_string(token, NULL));
	else
		json_print(token, &text);
	enum token_fault fault = jws_read(text_string(&text), text.length, &jws);
	if (fault)
		return fault;
	const struct jwk *jwk = jwks ? jwks_find(jwks, jws.kid, jws.algorithm) : NULL;
	return jwk ? jws_verify(&jws, jwk) : TOKEN_UNKNOWN_KEY;
}

static void judge(const struct jwks *jwks, const struct json *test, struct counts *counts)
{
	enum token_fault fault = verify(jwks, json_get(test, "jws"));
	const char *comment = json_get_string(test, "comment", "");
	bool valid = strcmp(json_get_string(test, "result", ""), "valid") == 0;
	if (valid && fault == TOKEN_ALGORITHM)
		counts->other_algorithms++;
	else if (valid && fault == TOKEN_MALFORMED && strstr(comment, "InvalidCharacter"))
		counts->lenient++;
	else if (valid && fault == TOKEN_FINE)
		counts->valid++;
	else if (!valid && fault != TOKEN_FINE)
		counts->invalid++;
	else if (!valid && strstr(comment, "Roca"))
		counts->roca++;
	else
		ck_abort_msg("test %lld, %s: %s", (long long)json_int(json_get(test, "tcId")),
			     comment, token_fault_name(fault));
}

START_TEST(vectors)
{
	struct counts counts = {0};
	struct json *root CLEANUP(json_free_p) = read_file(files[_i]);
	const struct json *groups = json_get(root, "testGroups");
	for (size_t i = 0; i < json_length(groups); i++) {
		const struct json *group = json_at(groups, i);
		const struct json *tests = json_get(group, "tests");
		struct jwks *jwks CLEANUP(jwks_free_p) = read_keys(group);
		for (size_t j = 0; j < json_length(tests); j++)
			judge(jwks, json_at(tests, j), &counts);
	}
	printf("%s: %d valid, %d invalid, %d of other algorithms, %d lenient, %d of ROCA\n",
	       files[_i], counts.valid, counts.invalid, counts.other_algorithms, counts.lenient,
	       counts.roca);
	ck_assert_int_gt(counts.valid, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("wycheproof");
	if (getenv("VECTORS"))
		tcase_add_loop_test(tests, vectors, 0, ARRAY_SIZE(files));
	return unit_run(tests, "wycheproof");
}
