#include "responder/issuer.h"

#include "auth/discovery.h"
#include "base/config.h"
#include "responder/key_source.h"

struct issuer {
	struct provider *provider;
	struct key_source *source; /* of its keys; NULL: a file */
};

static const char *required(const char *name, const char *expected)
{
	const char *value = config_text(name, NULL);

	if (!value)
		config_reject(name, "", expected);
	return value;
}

static int create_source(struct issuer *issuer, const struct key_source_options *options)
{
	const char *socket = config_text("PROVIDER_SOCKET", "/run/app/provider.sock");
	int r = key_source_create(socket, options, issuer->provider, &issuer->source);

	if (r == -EINVAL && !options->credential)
		config_reject("PROVIDER_SOCKET", socket, "the path of a socket, up to 107 bytes");
	else if (r == -EINVAL || r == -EIO)
		config_reject("SERVICE_JWKS_TOKEN", options->credential,
			      "a file with what to show where the cluster's keys are");
	return r == -EIO ? -EINVAL : r;
}

/* place: the keys' file or address; NULL: the provider's configuration says. */
static int create(const char *place, struct provider_options *options,
		  const struct key_source_options *source, struct issuer **ret_issuer)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	bool fetched = !place || discovery_is_url(place);

	if (!issuer)
		return -ENOMEM;
	options->keys = fetched ? NULL : place;
	int r = provider_create(options, &issuer->provider);
	if (r == 0 && fetched)
		r = create_source(issuer, source);
	if (r < 0)
		issuer_free(issuer);
	else
		*ret_issuer = issuer;
	return r;
}

int issuer_of_users(const char *const *scopes, struct issuer **ret_issuer)
{
	const char *place = config_text("AUTH_JWKS", NULL);
	struct key_source_options source = key_source_defaults();
	struct provider_options options = {
		.issuer = required("AUTH_ISSUER", "the issuer of the tokens, an URL"),
		.audience = required("AUTH_AUDIENCE", "what tokens must be for"),
		.keys_setting = "AUTH_JWKS",
		.scopes = scopes,
	};

	if (!place && options.issuer && !discovery_is_issuer(options.issuer))
		config_reject("AUTH_ISSUER", options.issuer,
			      "an https:// address without a query, since AUTH_JWKS is not set");
	source.issuer = place ? NULL : options.issuer;
	return create(place, &options, &source, ret_issuer);
}

int issuer_of_accounts(struct issuer **ret_issuer)
{
	const char *place =
		required("SERVICE_JWKS", "the cluster's keys, a JWK set: a file or an address");
	struct key_source_options source = key_source_defaults();
	struct provider_options options = {
		.issuer = config_text("SERVICE_ISSUER", NULL),
		.audience = required("SERVICE_AUDIENCE", "what tokens of services must be for"),
		.keys_setting = "SERVICE_JWKS",
	};

	source.path = "/service-keys";
	source.credential = config_text("SERVICE_JWKS_TOKEN", NULL);
	return create(place, &options, &source, ret_issuer);
}

void issuer_free(struct issuer *issuer)
{
	if (!issuer)
		return;
	key_source_free(issuer->source);
	provider_free(issuer->provider);
	free(issuer);
}

enum token_fault issuer_check(struct issuer *issuer, const char *token,
			      struct principal *ret_principal)
{
	return provider_check(issuer->provider, token, strlen(token), ret_principal);
}

bool issuer_want_key(struct issuer *issuer)
{
	return issuer && issuer->source && key_source_want(issuer->source);
}

void issuer_renew_keys(struct issuer *issuer)
{
	if (issuer && issuer->source)
		key_source_run(issuer->source);
	else if (issuer)
		provider_renew_keys(issuer->provider);
}

bool issuer_has_keys(struct issuer *issuer)
{
	return !issuer || provider_has_keys(issuer->provider);
}

int64_t issuer_keys_age(struct issuer *issuer)
{
	return issuer && issuer->source ? key_source_age(issuer->source) : 0;
}

struct token_cache_counts issuer_cache_counts(struct issuer *issuer)
{
	return issuer ? provider_cache_counts(issuer->provider) : (struct token_cache_counts){0};
}
