#include "responder/guard.h"

#include "auth/crypto.h"
#include "auth/guest.h"
#include "auth/quota.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metric.h"
#include "responder/refusal.h"
#include "responder/siblings.h"
#include "responder/sign_in.h"

#define BEARER "Bearer"

/* As nginx/render.awk has them for addresses. */
#define BURST         CLOCK_SECOND
#define STORING_BURST (50 * CLOCK_SECOND)

struct guard {
	struct issuer *users;
	struct siblings siblings;
	struct secrets guests;
	struct sign_in sign_in;
	struct quota *requests;                /* of each subject */
	struct quota *storing;                 /* likewise those that store something */
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

static void read_guests(struct secrets *keys)
{
	const char *path = config_text("GUEST_KEYS", NULL);

	if (!path || secrets_read(path, false, GUEST_KEYS_MAX, keys) < 0)
		config_reject("GUEST_KEYS", path,
			      "a file of one or two lines, each of 32 to 128 visible characters");
}

/* A worker with AUTH=off goes without it. */
static int load_crypto(void)
{
	char reason[LIBRARY_REASON_SIZE];
	int r = crypto_load(reason);

	if (r < 0)
		log_write(LOG_ERROR, "AUTH=jwt needs OpenSSL's libcrypto, which cannot be loaded",
			  log_text("error.message", reason), log_error_code(r));
	return r;
}

static int read_settings(const struct contract *contract, struct guard *guard)
{
	int r = load_crypto();

	if (r < 0)
		return r;
	if (has_callers(contract, ACCESS_GUEST))
		read_guests(&guard->guests);
	sign_in_read(&guard->sign_in);
	r = issuer_of_users(contract_scopes(contract), &guard->users);
	if (r == 0 && has_callers(contract, ACCESS_SERVICE))
		r = siblings_read(contract, &guard->siblings);
	return r == 0 && config_failed() ? -EINVAL : r;
}

int guard_create(const struct contract *contract, struct guard **ret_guard)
{
	const char *mode = config_text("AUTH", "");

	if (strcmp(mode, "off") == 0) {
		*ret_guard = NULL;
		return 0;
	}
	if (strcmp(mode, "jwt") != 0) {
		config_reject("AUTH", mode, "jwt, or off, which lets everybody do everything");
		return -EINVAL;
	}
	struct guard *guard = calloc(1, sizeof(*guard));
	if (!guard)
		return -ENOMEM;
	guard->requests = quota_create();
	guard->storing = quota_create();
	int r = guard->requests && guard->storing ? read_settings(contract, guard) : -ENOMEM;
	if (r < 0)
		guard_free(guard);
	else
		*ret_guard = guard;
	return r;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	issuer_free(guard->users);
	siblings_release(&guard->siblings);
	quota_free(guard->requests);
	quota_free(guard->storing);
	free(guard);
}

const struct secrets *guard_guests(const struct guard *guard)
{
	return guard ? &guard->guests : NULL;
}

const struct sign_in *guard_sign_in(const struct guard *guard)
{
	return guard && guard->sign_in.client ? &guard->sign_in : NULL;
}

void guard_renew_keys(struct guard *guard)
{
	issuer_renew_keys(guard->users);
	issuer_renew_keys(guard->siblings.cluster);
}

bool guard_has_keys(const struct guard *guard)
{
	return !guard ||
	       (issuer_has_keys(guard->users) && issuer_has_keys(guard->siblings.cluster));
}

/* ---- who it is ------------------------------------------------------------------------------ */

/* The token of an Authorization header (RFC 6750 section 2.1), or NULL: it shows something else. */
static const char *bearer_token(const char *header)
{
	size_t length = strlen(BEARER);

	if (strncasecmp(header, BEARER, length) != 0 || (header[length] && header[length] != ' '))
		return NULL;
	return header + length + strspn(header + length, " ");
}

/* issuer: whose keys it was checked with, or NULL. */
static bool refuse_token(struct guard *guard, struct issuer *issuer, struct response *response,
			 enum token_fault fault)
{
	atomic_fetch_add_explicit(&guard->refused[fault], 1, memory_order_relaxed);
	log_write(LOG_DEBUG, "a token was refused",
		  log_text("error.type", token_fault_name(fault)));
	/* A key that may be known in a second is no reason to send a client away. */
	if (fault == TOKEN_NO_KEYS || (fault == TOKEN_UNKNOWN_KEY && issuer_want_key(issuer)))
		refuse_without_keys(response);
	else if (fault == TOKEN_NO_MEMORY)
		response_error(response, -ENOMEM);
	else
		refuse_bad_token(response);
	return false;
}

/* Whose token it is: one user may come from many addresses, and with many tokens. */
static bool admit_rate(struct guard *guard, const struct request *request,
		       struct response *response)
{
	const char *subject = request->principal.subject;
	int64_t now = clock_monotonic();

	if (request->principal.kind != PRINCIPAL_USER)
		return true;
	int64_t wait = quota_take(guard->requests, subject, request->rate_limit, BURST, now);
	if (wait == 0)
		wait = quota_take(guard->storing, subject, request->storing_limit, STORING_BURST,
				  now);
	if (wait > 0)
		refuse_too_many(response, wait);
	return wait == 0;
}

/* False: the response says what is the matter with the token. */
static bool identify(struct guard *guard, struct request *request, struct response *response)
{
	struct principal *principal = &request->principal;
	bool internal = request->operation->access.callers & ACCESS_SERVICE;
	struct issuer *issuer = internal ? guard->siblings.cluster : guard->users;

	principal->cart_secret = request->cart_secret;
	if (!request->authorization)
		return true;
	const char *token = bearer_token(request->authorization);
	if (!token) {
		refuse_unknown(request, response);
		return false;
	}
	enum token_fault fault = internal ? siblings_identify(&guard->siblings, token, principal)
					  : issuer_check(issuer, token, principal);
	principal->cart_secret = request->cart_secret;
	if (fault == TOKEN_FINE)
		return admit_rate(guard, request, response);
	return refuse_token(guard, issuer, response, fault);
}

/* ---- whether they may ----------------------------------------------------------------------- */

bool guard_admit(struct guard *guard, struct request *request, struct response *response)
{
	const struct operation *operation = request->operation;
	const struct access_rule *rule = &operation->access;

	if (!guard)
		request->principal = (struct principal){.kind = PRINCIPAL_ALL};
	else if (!(rule->callers & ACCESS_ANYONE) && !identify(guard, request, response))
		return false;
	switch (authorize(rule, &request->principal, &request->owner)) {
	case VERDICT_SCOPE:
		refuse_scopes(request, response, rule->scopes);
		return false;
	case VERDICT_UNKNOWN:
		refuse_unknown(request, response);
		return false;
	case VERDICT_GRANTED:
		break;
	}
	if (request->principal.kind != PRINCIPAL_SERVICE ||
	    siblings_may_call(operation, request->principal.subject))
		return true;
	refuse_caller(response);
	return false;
}

bool guard_admit_scopes(struct guard *guard, struct request *request, struct response *response,
			uint64_t scopes)
{
	if (!guard || scopes == 0)
		return true;
	/* Nothing that the caller of a public operation shows was looked at so far. */
	if ((request->operation->access.callers & ACCESS_ANYONE) &&
	    !identify(guard, request, response))
		return false;
	uint64_t lacking = authorize_lacking(scopes, &request->principal);
	if (lacking == 0)
		return true;
	if (request->principal.kind == PRINCIPAL_USER)
		refuse_scopes(request, response, lacking);
	else
		refuse_unknown(request, response);
	return false;
}

/* ---- figures -------------------------------------------------------------------------------- */

static int64_t refused_for(const struct guard *guard, enum token_fault fault)
{
	return guard ? atomic_load_explicit(&guard->refused[fault], memory_order_relaxed) : 0;
}

void guard_write_metrics(const struct guard *guard, struct text *out)
{
	struct issuer *users = guard ? guard->users : NULL;
	struct issuer *cluster = guard ? guard->siblings.cluster : NULL;
	struct token_cache_counts cache = issuer_cache_counts(users);
	int64_t age = issuer_keys_age(users), other = issuer_keys_age(cluster);
	struct metric refused = metric_family(out, METRIC_COUNTER, "auth_refused_total",
					      "Tokens that were refused, by reason.");

	for (enum token_fault fault = TOKEN_FINE + 1; fault < TOKEN_FAULTS; fault++)
		metric_int(&refused, refused_for(guard, fault), "reason", token_fault_name(fault));
	metric_counter(out, "auth_token_cache_hits_total", "Tokens found among the verified ones.",
		       (int64_t)cache.hits);
	metric_counter(out, "auth_token_cache_misses_total", "Tokens that had to be verified.",
		       (int64_t)cache.misses);
	metric_gauge(out, "jwks_age_seconds",
		     "Since the keys of tokens were fetched; 0 where they are in a file.",
		     (age > other ? age : other) / CLOCK_SECOND);
	metric_gauge(out, "auth_token_cache_tokens", "Verified tokens that are kept.",
		     (int64_t)cache.tokens);
}
