/*
 * An OpenID Connect provider on loopback, as PROVIDER says:
 *
 *	port      where it listens; its issuer is http://127.0.0.1:<port>
 *	audience  what its access tokens are for
 *	scopes    which staff may have, "orders:read orders:write"
 *	redirects addresses that the public client "docs" signs in for; of http://127.0.0.1/… on any
 *	          port (RFC 8252 section 7.3)
 *	keys      private JWKs, of which the first signs; without them it makes one of its own
 *
 * Whoever signs in is who they say. Only "staff", and the client "backend", which has the secret
 * "backend", get scopes; those of anybody else who asks for some are refused.
 */
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const settings = JSON.parse(process.env.PROVIDER);
const issuer = `http://127.0.0.1:${settings.port}`;
const api = "https://shop.example"; /* the resource that all tokens are for (RFC 8707) */

function makeKey() {
	const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	return { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "1" };
}

const clients = [
	{
		client_id: "docs",
		token_endpoint_auth_method: "none",
		grant_types: ["authorization_code"],
		response_types: ["code"],
		redirect_uris: settings.redirects ?? [],
		application_type: "native",
	},
	{
		client_id: "backend",
		client_secret: "backend",
		grant_types: ["client_credentials"],
		response_types: [],
		redirect_uris: [],
	},
];

/* Nobody is asked for a consent: a grant of what the person may have is there. */
async function loadExistingGrant({ oidc }) {
	const { accountId } = oidc.session;
	const grant = new oidc.provider.Grant({ accountId, clientId: oidc.client.clientId });
	grant.addOIDCScope("openid");
	grant.addResourceScope(api, accountId === "staff" ? settings.scopes : "");
	await grant.save();
	return grant;
}

const provider = new Provider(issuer, {
	clients,
	jwks: { keys: settings.keys ?? [makeKey()] },
	loadExistingGrant,
	findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
	clientBasedCORS: (_, origin) => new URL(origin).hostname === "127.0.0.1",
	cookies: { keys: ["not secret"] },
	pkce: { required: () => true, methods: ["S256"] },
	interactions: { url: (_, { uid }) => `/interaction/${uid}` },
	features: {
		clientCredentials: { enabled: true },
		devInteractions: { enabled: false },
		resourceIndicators: {
			enabled: true,
			defaultResource: () => api,
			useGrantedResource: () => true,
			/* A token for something else has its name as audience. */
			getResourceServerInfo: (_, resource) => ({
				audience: resource === api ? settings.audience : resource,
				scope: settings.scopes,
				accessTokenFormat: "jwt",
				jwt: { sign: { alg: "RS256" } },
			}),
		},
	},
});

const form = `<!DOCTYPE html><html lang="en"><title>Sign in</title>
<link rel="icon" href="data:,">
<form method="post"><label>Name <input name="login"></label><button>Sign in</button></form></html>`;

/* Asks for a name; refuses what the grant does not have. */
provider.use(async (ctx, next) => {
	if (!ctx.path.startsWith("/interaction/")) return next();
	const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
	const finish = (result) => provider.interactionFinished(ctx.req, ctx.res, result);
	if (ctx.method === "GET" && prompt.name === "login") {
		ctx.body = form;
		return undefined;
	}
	ctx.respond = false;
	if (prompt.name !== "login")
		return finish({ error: "access_denied", error_description: "That is not for you" });
	let body = "";
	for await (const part of ctx.req) body += part;
	/* Native clients are asked for a consent, whatever the grant has. */
	return finish({ login: { accountId: new URLSearchParams(body).get("login") }, consent: {} });
});

provider.listen(settings.port, "127.0.0.1");
