/*
 * What a provider says about itself: OpenID Connect Discovery 1.0. Pure functions.
 */
#ifndef AUTH_DISCOVERY_H
#define AUTH_DISCOVERY_H

#include "auth/jwks.h"
#include "base/json.h"

#define DISCOVERY_URL_MAX 2000

/*
 * Whether keys may be fetched from there: https://host[:port][/path][?query], of a name or an
 * address of IPv4, or http:// on localhost or 127.0.0.1, for a provider of one's own machine.
 */
bool discovery_is_url(const char *text);

/* Whether a provider with this name can be asked for its configuration: such an address without a
 * query (section 2, "Issuer Identifier"). */
bool discovery_is_issuer(const char *text);

/*
 * Finds the address of the keys in a provider's configuration (section 3); ret_url lies in it.
 * -EINVAL: no configuration of just this issuer (section 4.3), or no address as above.
 * reterr_reason says what is wrong, for the log.
 */
int discovery_read(const struct json *configuration, const char *issuer, const char **ret_url,
		   char reterr_reason[JWKS_REASON_SIZE]);

#endif
