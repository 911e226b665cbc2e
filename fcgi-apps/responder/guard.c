#include "responder/guard.h"

#include "auth/discovery.h"
#include "auth/guest.h"
#include "auth/provider.h"
#include "auth/secrets.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metric.h"
#include "responder/key_source.h"
#include "responder/refusal.h"
#include "responder/sign_in.h"

#define BEARER  "Bearer"
#define ACCOUNT "system:serviceaccount:"

struct guard {
	struct provider *provider;
	struct key_source *source; /* of the provider's keys; NULL: a file */
	struct secrets guests;
	struct secrets services;
	struct provider *cluster;          /* of services' tokens, or NULL */
	struct key_source *cluster_source; /* of its keys; NULL: a file */
	const char *namespace;             /* theirs */
	struct sign_in sign_in;
	_Atomic int64_t refused[TOKEN_FAULTS]; /* by enum token_fault */
};

/* ---- settings ------------------------------------------------------------------------------- */

static bool has_callers(const struct contract *contract, enum access_caller callers)
{
	for (size_t i = 0; i < contract_operation_count(contract); i++) {
		if (contract_operation(contract, i)->access.callers & callers)
			return true;
	}
	return false;
}

static void read_guests(struct guard *guard)
{
	const char *path = config_text("GUEST_KEYS", NULL);

	if (!path || secrets_read(path, false, GUEST_KEYS_MAX, &guard->guests) < 0)
		config_reject("GUEST_KEYS", path,
			      "a file of one or two lines, each of 32 to 128 visible characters");
}

static void read_services(struct guard *guard)
{
	const char *path = config_text("SERVICE_KEYS", NULL);

	/* The cluster may vouch for them instead. */
	if (!path && config_text("SERVICE_ISSUER", NULL))
		return;
	if (!path || secrets_read(path, true, SECRETS_MAX, &guard->services) < 0)
		config_reject(
			"SERVICE_KEYS", path,
			"a file of lines such as \"order <secret>\", each secret of 32 to 128 "
			"visible characters");
}

static const char *required(const char *name, const char *expected)
{
	const char *value = config_text(name, NULL);

	if (!value)
		config_reject(name, "", expected);
	return value;
}

static int create_source(struct provider *provider, const struct key_source_options *options,
			 struct key_source **ret_source)
{
	const char *socket = config_text("PROVIDER_SOCKET", "/run/app/provider.sock");
	int r = key_source_create(socket, options, provider, ret_source);

	if (r == -EINVAL && !options->credential)
		config_reject("PROVIDER_SOCKET", socket, "the path of a socket, up to 107 bytes");
	else if (r == -EINVAL || r == -EIO)
		config_reject("SERVICE_JWKS_TOKEN", options->credential,
			      "a file with what to show where the cluster's keys are");
	return r == -EIO ? -EINVAL : r;
}

/* Where the issuer says where the keys are. */
static void check_issuer(const char *issuer)
{
	if (issuer && (!discovery_is_url(issuer) || strchr(issuer, '?')))
		config_reject("AUTH_ISSUER", issuer,
			      "an https:// address without a query, since AUTH_JWKS is not set");
}

static int create_provider(const struct contract *contract, struct guard *guard)
{
	const char *place = config_text("AUTH_JWKS", NULL);
	bool fetched = !place || discovery_is_url(place);
	const struct provider_options options = {
		.issuer = required("AUTH_ISSUER", "the issuer of the tokens, an URL"),
		.audience = required("AUTH_AUDIENCE", "what tokens must be for"),
		.keys = fetched ? NULL : place,
		.keys_setting = "AUTH_JWKS",
		.scopes = contract_scopes(contract),
	};

	if (!place)
		check_issuer(options.issuer);
	int r = provider_create(&options, &guard->provider);
	struct key_source_options source = key_source_defaults();

	source.issuer = place ? NULL : options.issuer;
	return r == 0 && fetched ? create_source(guard->provider, &source, &guard->source) : r;
}

/* Of the tokens that the kubelet gives to services, if that is how they show who they are. */
static int create_cluster(struct guard *guard)
{
	static const char *const no_scopes[] = {NULL};
	const char *place = config_text("SERVICE_JWKS", NULL);
	bool fetched = place && discovery_is_url(place);
	const struct provider_options options = {
		.issuer = config_text("SERVICE_ISSUER", NULL),
		.audience = config_text("SERVICE_AUDIENCE", NULL),
		.keys = fetched ? NULL : place,
		.keys_setting = "SERVICE_JWKS",
		.scopes = no_scopes,
	};

	if (!options.issuer)
		return 0;
	required("SERVICE_AUDIENCE", "what tokens of services must be for");
	required("SERVICE_JWKS", "the cluster's keys, a JWK set: a file or an address");
	guard->namespace = required("SERVICE_NAMESPACE", "the namespace of the services' accounts");
	int r = provider_create(&options, &guard->cluster);
	struct key_source_options source = key_source_defaults();

	source.path = "/service-keys";
	source.credential = config_text("SERVICE_JWKS_TOKEN", NULL);
	return r == 0 && fetched ? create_source(guard->cluster, &source, &guard->cluster_source)
				 : r;
}

int guard_create(const struct contract *contract, struct guard **ret_guard)
{
	const char *mode = config_text("AUTH", NULL);

	if (mode && strcmp(mode, "off") == 0) {
		*ret_guard = NULL;
		return 0;
	}
	if (!mode || strcmp(mode, "jwt") != 0) {
		config_reject("AUTH", mode ? mode : "",
			      "jwt, or off, which lets everybody do everything");
		return -EINVAL;
	}
	struct guard *guard = calloc(1, sizeof(*guard));
	if (!guard)
		return -ENOMEM;
	if (has_callers(contract, ACCESS_GUEST))
		read_guests(guard);
	if (has_callers(contract, ACCESS_SERVICE))
		read_services(guard);
	sign_in_read(&guard->sign_in);
	int r = create_provider(contract, guard);
	if (r == 0 && has_callers(contract, ACCESS_SERVICE))
		r = create_cluster(guard);
	if (r == 0 && config_failed())
		r = -EINVAL;
	if (r < 0) {
		guard_free(guard);
		return r;
	}
	*ret_guard = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	key_source_free(guard->source);
	key_source_free(guard->cluster_source);
	provider_free(guard->provider);
	provider_free(guard->cluster);
	free(guard);
}

const struct secrets *guard_guests(const struct guard *guard)
{
	return &guard->guests;
}

const struct sign_in *guard_sign_in(const struct guard *guard)
{
	return guard && guard->sign_in.client ? &guard->sign_in : NULL;
}

bool guard_fetches(const struct guard *guard)
{
	return guard && (guard->source || guard->cluster_source);
}

void guard_fetch(struct guard *guard)
{
	if (guard->source)
		key_source_run(guard->source);
	if (guard->cluster_source)
		key_source_run(guard->cluster_source);
}

bool guard_has_keys(const struct guard *guard)
{
	return !guard || ((!guard->source || key_source_has_keys(guard->source)) &&
			  (!guard->cluster_source || key_source_has_keys(guard->cluster_source)));
}

static int64_t keys_age(const struct guard *guard)
{
	int64_t provider = guard->source ? key_source_age(guard->source) : 0;
	int64_t cluster = guard->cluster_source ? key_source_age(guard->cluster_source) : 0;

	return provider > cluster ? provider : cluster;
}

/* ---- who it is ------------------------------------------------------------------------------ */

/* The token of an Authorization header (RFC 6750 section 2.1); "", which is none, of a header that
 * shows something else. */
static const char *bearer_token(const char *header)
{
	size_t length = strlen(BEARER);

	if (strncasecmp(header, BEARER, length) != 0 || header[length] != ' ')
		return "";
	return header + length + strspn(header + length, " ");
}

/* "system:serviceaccount:<namespace>:<name>" of our own namespace; else NULL. */
static const char *account_name(const struct guard *guard, const char *subject)
{
	size_t length = strlen(guard->namespace);

	if (strncmp(subject, ACCOUNT, strlen(ACCOUNT)) != 0)
		return NULL;
	subject += strlen(ACCOUNT);
	if (strncmp(subject, guard->namespace, length) != 0 || subject[length] != ':')
		return NULL;
	return subject + length + 1;
}

static enum token_fault identify_account(struct guard *guard, const char *token,
					 struct principal *ret_service)
{
	struct principal account;
	enum token_fault fault = provider_check(guard->cluster, token, strlen(token), &account);

	if (fault != TOKEN_FINE)
		return fault;
	const char *name = account_name(guard, account.subject);
	if (!name)
		return TOKEN_SUBJECT;
	*ret_service = (struct principal){.kind = PRINCIPAL_SERVICE};
	snprintf(ret_service->subject, sizeof(ret_service->subject), "%s", name);
	return TOKEN_FINE;
}

static enum token_fault identify_service(struct guard *guard, const char *token,
					 struct principal *ret_service)
{
	const char *name = secrets_find(&guard->services, token);

	if (!name)
		return guard->cluster ? identify_account(guard, token, ret_service)
				      : TOKEN_SIGNATURE;
	*ret_service = (struct principal){.kind = PRINCIPAL_SERVICE};
	snprintf(ret_service->subject, sizeof(ret_service->subject), "%s", name);
	return TOKEN_FINE;
}

/* source: of the keys that it was checked with, or NULL. */
static bool refuse_token(struct guard *guard, struct key_source *source, struct response *response,
			 enum token_fault fault)
{
	atomic_fetch_add_explicit(&guard->refused[fault], 1, memory_order_relaxed);
	log_write(LOG_DEBUG, "a token was refused",
		  log_text("error.type", token_fault_name(fault)));
	/* A key that may be known in a second is no reason to send a client away. */
	if (fault == TOKEN_NO_KEYS ||
	    (fault == TOKEN_UNKNOWN_KEY && source && key_source_want(source)))
		refuse_without_keys(response);
	else if (fault == TOKEN_NO_MEMORY)
		response_error(response, -ENOMEM);
	else
		refuse_bad_token(response);
	return false;
}

/* False: the response says what is the matter with the token. */
static bool identify(struct guard *guard, struct request *request, struct response *response)
{
	struct principal *principal = &request->principal;

	*principal = (struct principal){.cart_secret = request->cart_secret};
	if (!request->authorization)
		return true;
	const char *token = bearer_token(request->authorization);
	bool internal = request->operation->access.callers & ACCESS_SERVICE;
	enum token_fault fault =
		internal ? identify_service(guard, token, principal)
			 : provider_check(guard->provider, token, strlen(token), principal);
	principal->cart_secret = request->cart_secret;
	return fault == TOKEN_FINE ||
	       refuse_token(guard, internal ? guard->cluster_source : guard->source, response,
			    fault);
}

/* ---- whether he may ------------------------------------------------------------------------- */

static bool is_caller(const struct operation *operation, const char *name)
{
	for (size_t i = 0; operation->callers[i]; i++) {
		if (strcmp(operation->callers[i], name) == 0)
			return true;
	}
	return false;
}

static bool conclude(const struct request *request, struct response *response, enum verdict verdict,
		     uint64_t scopes)
{
	switch (verdict) {
	case VERDICT_GRANTED:
		return true;
	case VERDICT_SCOPE:
		refuse_scopes(request, response, scopes);
		return false;
	default:
		refuse_unknown(response);
		return false;
	}
}

bool guard_admit(struct guard *guard, struct request *request, struct response *response)
{
	const struct operation *operation = request->operation;
	const struct access_rule *rule = &operation->access;

	if (!guard)
		request->principal = (struct principal){.kind = PRINCIPAL_ALL};
	else if (!(rule->callers & ACCESS_ANYONE) && !identify(guard, request, response))
		return false;
	enum verdict verdict = authorize(rule, &request->principal, &request->owner);
	if (!conclude(request, response, verdict, rule->scopes))
		return false;
	if (request->principal.kind != PRINCIPAL_SERVICE ||
	    is_caller(operation, request->principal.subject))
		return true;
	refuse_caller(response);
	return false;
}

bool guard_admit_scopes(struct guard *guard, struct request *request, struct response *response,
			uint64_t scopes)
{
	if (!guard || scopes == 0)
		return true;
	/* Of whoever calls a public operation nothing was looked at so far. */
	if ((request->operation->access.callers & ACCESS_ANYONE) &&
	    !identify(guard, request, response))
		return false;
	enum verdict verdict = authorize_scopes(scopes, &request->principal);
	return conclude(request, response, verdict, scopes & ~request->principal.scopes);
}

/* ---- figures -------------------------------------------------------------------------------- */

static int64_t refused_for(const struct guard *guard, enum token_fault fault)
{
	return guard ? atomic_load_explicit(&guard->refused[fault], memory_order_relaxed) : 0;
}

void guard_write_metrics(const struct guard *guard, struct text *out)
{
	struct token_cache_counts cache = {0};
	struct metric refused = metric_family(out, METRIC_COUNTER, "auth_refused_total",
					      "Tokens that were refused, by reason.");

	for (enum token_fault fault = TOKEN_FINE + 1; fault < TOKEN_FAULTS; fault++)
		metric_int(&refused, refused_for(guard, fault), "reason", token_fault_name(fault));
	if (guard)
		cache = provider_cache_counts(guard->provider);
	metric_counter(out, "auth_token_cache_hits_total", "Tokens found among the verified ones.",
		       (int64_t)cache.hits);
	metric_counter(out, "auth_token_cache_misses_total", "Tokens that had to be verified.",
		       (int64_t)cache.misses);
	metric_gauge(out, "jwks_age_seconds",
		     "Since the keys of tokens were fetched; 0 where they are in a file.",
		     guard ? keys_age(guard) / CLOCK_SECOND : 0);
	metric_gauge(out, "auth_token_cache_tokens", "Verified tokens that are kept.",
		     (int64_t)cache.tokens);
}
