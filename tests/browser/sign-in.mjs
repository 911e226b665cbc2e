/* "Authorize" in /docs: by the provider's page, and by a pasted token. What it lets people do, and what not. */
import assert from "node:assert/strict";
import { browse, picture, platform } from "./browser.mjs";
import { closeSchemes, openDocs, openScheme, paste, repeat, signIn, tryOut } from "./swagger.mjs";

const refusals = [/status of 401/, /status of 403/];
const { issuer } = platform;

/* A token of the provider's client for programs. */
async function backendToken(scope) {
	const answer = await fetch(`${issuer}/token`, {
		method: "POST",
		headers: { Authorization: `Basic ${btoa("backend:backend")}` },
		body: new URLSearchParams({ grant_type: "client_credentials", scope }),
	});
	return (await answer.json()).access_token;
}

/* In the page: whether it takes the code of an answer that a window of its own brings. */
function hand(answer) {
	return new Promise((resolve) => {
		window.swaggerUIRedirectOauth2 = {
			auth: { name: "signIn" },
			state: "asked",
			callback: () => resolve(true),
			errCb: () => resolve(false),
		};
		window.open(`${location.pathname}#${answer}`);
	});
}

await browse(async (open) => {
	/* Staff pastes a token. */
	const products = await openDocs(open, `${platform.gateway}/products/docs`, refusals);
	const body = { name: "Headphones", price: 129.9, inventory: 5 };
	assert.equal((await tryOut(products, "createProduct", { body })).status, 401);
	await products.getByText("For staff with the scope products:write.").first().waitFor();
	await paste(products, "token", await backendToken("products:write stock:write stock:read"));
	const product = await repeat(products, "createProduct");
	assert.equal(product.status, 201);
	/* A public operation takes the token where a parameter needs it. */
	const low = await tryOut(products, "listProducts", { choices: { low_stock: "false" } });
	assert.equal(low.status, 200);

	/* A customer signs in, and buys. */
	const carts = await openDocs(open, `${platform.gateway}/carts/docs`, refusals);
	const scheme = await openScheme(carts, "signIn");
	await scheme.locator("h4").evaluate((heading) => heading.scrollIntoView());
	await picture(carts, "sign-in");
	assert.match(await scheme.textContent(), /authorizationCode with PKCE/);
	await signIn(carts, "ada");
	await scheme.getByRole("button", { name: "Remove authorization" }).waitFor();
	await closeSchemes(carts);
	assert.equal(new URL(carts.url()).hash, "", "the page itself stayed where it was");
	const cart = await tryOut(carts, "createCart", { body: {} });
	assert.equal(cart.status, 201);
	assert.equal(cart.body.user_id, "ada");
	const filled = await tryOut(carts, "addItem", {
		parameters: { id: cart.body.id },
		body: { product_id: product.body.id, quantity: 2 },
	});
	assert.equal(filled.status, 200);

	const orders = await openDocs(open, `${platform.gateway}/orders/docs`, refusals);
	await signIn(orders, "ada");
	await closeSchemes(orders);
	const order = await tryOut(orders, "createOrder", { body: { cart_id: cart.body.id } });
	assert.equal(order.status, 201);
	assert.equal(order.body.user_id, "ada");

	/* At the service's own port as well; somebody else does not see it. */
	const others = await openDocs(open, `${platform.order}/docs/`, [...refusals, /status of 404/]);
	await signIn(others, "grace");
	await closeSchemes(others);
	const theirs = await tryOut(others, "getOrder", { parameters: { id: order.body.id } });
	assert.equal(theirs.status, 404);

	/* Scopes are for those who have them. */
	const greedy = await openDocs(open, `${platform.gateway}/orders/docs`, refusals);
	const refused = await signIn(greedy, "ada", ["orders:read"]);
	await refused.locator(".errors").getByText("access_denied: That is not for you").waitFor();
	await closeSchemes(greedy);
	assert.equal((await tryOut(greedy, "listOrders")).status, 401);
	const staff = await openDocs(open, `${platform.gateway}/orders/docs`, refusals);
	await signIn(staff, "staff", ["orders:read", "orders:write"]);
	await closeSchemes(staff);
	const all = await tryOut(staff, "listOrders", { parameters: { user_id: "ada" } });
	assert.deepEqual(
		all.body.map(({ id }) => id),
		[order.body.id],
	);

	/* A code is taken for what was asked only, and of nobody else's provider. */
	const asking = await openDocs(open, `${platform.gateway}/orders/docs`, refusals);
	const answers = [
		{ state: "asked", code: "a", iss: issuer },
		{ state: "asked", code: "a" },
		{ state: "asked", code: "a", iss: "https://other.example" },
		{ state: "other", code: "a", iss: issuer },
	];
	const taken = [];
	for (const answer of answers) taken.push(await asking.evaluate(hand, `${new URLSearchParams(answer)}`));
	assert.deepEqual(taken, [true, true, false, false]);

	/* Without the provider, or with another in its place, a token can still be pasted. */
	const discovery = `${issuer}/.well-known/openid-configuration`;
	const other = JSON.stringify({ issuer: "http://127.0.0.1:1", token_endpoint: "http://127.0.0.1:1/" });
	for (const meddle of [
		(route) => route.abort(),
		(route) => route.fulfill({ body: other, headers: { "Access-Control-Allow-Origin": "*" } }),
	]) {
		const page = await openDocs(
			open,
			`${platform.gateway}/orders/docs`,
			[/net::ERR_FAILED/],
			(page) => page.route(discovery, meddle),
		);
		const token = await openScheme(page, "token");
		await token.getByText("Nobody can sign in now").waitFor();
		assert.equal(await (await openScheme(page, "signIn")).count(), 0);
		await paste(page, "token", await backendToken("orders:read"));
		assert.equal((await tryOut(page, "listOrders")).status, 200);
	}
});
