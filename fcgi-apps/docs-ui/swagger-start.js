/* Shows the document that lies beside /docs, whatever prefix the page was reached under. */
"use strict";

const script = document.currentScript;
const openapi = new URL("../openapi.json", script.src).href;
/* This page, as the provider knows it: there it sends people back to who have signed in. */
const page = new URL("../docs", script.src).href;
const { issuer, client, audience } = script.dataset;

/* What the window that opened this one waits for, if it did so for somebody to sign in. */
function waiting() {
	try {
		return opener?.swaggerUIRedirectOauth2;
	} catch {
		return undefined; /* a page of another origin opened it */
	}
}

/* Back from the provider: hands its code over. */
function handOver(answer, { auth, state, redirectUrl, callback, errCb }) {
	const refuse = (message) => errCb({ authId: auth.name, level: "error", source: "auth", message });
	/* Another provider's answer says so (RFC 9207); not all say whose it is. */
	const foreign = answer.has("iss") && answer.get("iss") !== issuer;
	if (answer.get("state") !== state || foreign) {
		refuse("This is not the answer to what was asked.");
	} else if (answer.has("code")) {
		auth.code = answer.get("code");
		callback({ auth, redirectUrl });
	} else {
		refuse(`${answer.get("error")}: ${answer.get("error_description") ?? "no reason given"}`);
	}
	close();
}

/* The provider's own document (OpenID Connect Discovery 1.0 section 4); null where it is not to be had. */
async function discover() {
	try {
		const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
		const answer = await fetch(address, { signal: AbortSignal.timeout(3000) });
		const found = await answer.json();
		return found.issuer === issuer ? found : null;
	} catch {
		return null;
	}
}

/* Whoever may call an operation with a token may call it signed in. */
function addSignIn(api, provider) {
	const scopes = new Set(["openid"]);
	for (const { security } of operations(api)) {
		for (const { token } of security.filter((alternative) => alternative.token)) {
			security.push({ signIn: token });
			for (const scope of token) scopes.add(scope);
		}
	}
	const signIn = {
		type: "oauth2",
		description: `Signs you in at ${issuer}. Tick a scope of staff only if the provider wants to be asked for it.`,
		flows: {
			authorizationCode: {
				authorizationUrl: provider.authorization_endpoint,
				tokenUrl: provider.token_endpoint,
				scopes: Object.fromEntries([...scopes].map((name) => [name, ""])),
			},
		},
	};
	api.components.securitySchemes = { signIn, ...api.components.securitySchemes };
}

function tellAway(api) {
	const { token } = api.components.securitySchemes;
	token.description += `\n\nNobody can sign in now: ${issuer} does not answer, or not as itself.`;
}

function operations(api) {
	const members = Object.values(api.paths).flatMap((path) => Object.values(path));
	return members.filter((member) => member.security);
}

const callers = {
	cartSecret: () => "a guest with the cart's secret",
	token: ([scope]) => (scope ? `staff with the scope \`${scope}\`` : "a customer, for what is theirs"),
};

/* Swagger UI shows no scope of a token: each operation's text says who may call it. */
function tellCallers(api) {
	for (const operation of operations(api)) {
		const who = operation.security.map((alternative) => {
			const [[scheme, scopes] = []] = Object.entries(alternative);
			return scheme ? callers[scheme](scopes) : "anybody";
		});
		operation.description = `**For** ${who.join("; ") || "anybody"}.\n\n${operation.description ?? ""}`;
	}
}

/* Swagger UI sends a token only where `security` has one: also where a parameter needs it. */
function offerTokens(api) {
	for (const operation of operations(api)) {
		const scopes = (operation.parameters ?? []).flatMap((parameter) => parameter["x-scope"] ?? []);
		if (operation.security.length === 0 && scopes.length > 0)
			operation.security = [{}, { token: scopes }];
	}
}

/* What is tried goes to where the page came from, under whichever name. */
function toThisOrigin(request) {
	const address = new URL(request.url, openapi);
	request.url = location.origin + address.pathname + address.search;
	return request;
}

/* The code for a token. As a simple request, so that the provider's CORS need not allow more than the
 * origin, and without what was meant for its page, or is empty. */
function toProvider(request, address) {
	request.url = address;
	delete request.headers["X-Requested-With"];
	request.body = request.body.replace(/&client_secret=(?=&|$)/, "");
	return request;
}

async function show() {
	const provider = issuer ? await discover() : null;
	const bare = (address) => new URL(address, openapi).href.split("?")[0];
	const isProvider = ({ url }) => provider && bare(url) === bare(provider.token_endpoint);
	const prepare = (api) => {
		tellCallers(api);
		offerTokens(api);
		if (provider) addSignIn(api, provider);
		else if (issuer) tellAway(api);
		return api;
	};
	const ui = SwaggerUIBundle({
		url: openapi,
		dom_id: "#page",
		deepLinking: true,
		displayRequestDuration: true,
		tryItOutEnabled: true,
		/* No validator of somebody else's. */
		validatorUrl: null,
		oauth2RedirectUrl: page,
		requestInterceptor: (request) =>
			isProvider(request) ? toProvider(request, provider.token_endpoint) : toThisOrigin(request),
		presets: [SwaggerUIBundle.presets.apis],
		plugins: [
			{
				statePlugins: {
					spec: {
						wrapActions: {
							updateJsonSpec: (update) => (api) => update(api.paths ? prepare(api) : api),
						},
					},
				},
			},
		],
		layout: "BaseLayout",
	});
	if (provider)
		ui.initOAuth({
			clientId: client,
			scopes: "openid",
			usePkceWithAuthorizationCodeGrant: true,
			/* As a fragment the code reaches no server, and no log. */
			additionalQueryStringParams: { response_mode: "fragment", audience },
		});
}

addEventListener("DOMContentLoaded", () => {
	document.body.style.margin = 0;
	const asked = waiting();
	const answer = new URLSearchParams(location.hash.slice(1));
	if (asked && answer.has("state")) handOver(answer, asked);
	else show();
});
