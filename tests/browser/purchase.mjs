/* A purchase by hand: "Try it out" in the three documents at the gateway. */
import assert from "node:assert/strict";
import { browse, picture, platform } from "./browser.mjs";
import { openDocs, tryOut } from "./swagger.mjs";

const headphones = {
	name: "Headphones, over-ear",
	price: 129.9,
	sku: `HEAD-${Date.now()}`,
	category: "audio",
	inventory: 5,
};

await browse(async (open) => {
	const products = await openDocs(open, `${platform.gateway}/products/docs`);
	await picture(products, "docs");
	const product = await tryOut(products, "createProduct", { body: headphones });
	assert.equal(product.status, 201);
	assert.equal(product.body.price, headphones.price);
	assert.match(product.headers, /etag:/i);

	const carts = await openDocs(open, `${platform.gateway}/carts/docs`);
	const cart = await tryOut(carts, "createCart", { body: { user_id: "ada" } });
	assert.equal(cart.status, 201);
	const filled = await tryOut(carts, "addItem", {
		parameters: { id: cart.body.id },
		body: { product_id: product.body.id, quantity: 2 },
	});
	assert.equal(filled.status, 200);
	assert.equal(filled.body.items[0].name, headphones.name);

	const orders = await openDocs(open, `${platform.gateway}/orders/docs`);
	const order = await tryOut(orders, "createOrder", {
		body: { user_id: "ada", cart_id: cart.body.id },
	});
	assert.equal(order.status, 201);
	assert.equal(order.body.status, "pending");
	assert.equal(order.body.total_amount, 259.8);
	await picture(
		orders,
		"try-it-out",
		order.operation.locator(".btn-group:not(.try-out)"),
		order.operation.locator(".live-responses-table .headerline").last(),
	);

	/* What the business does not allow is told as well. */
	const again = await openDocs(open, `${platform.gateway}/orders/docs`, [/status of 409/]);
	const refused = await tryOut(again, "createOrder", {
		body: { user_id: "ada", cart_id: cart.body.id },
	});
	assert.equal(refused.status, 409);
	assert.equal(refused.body.code, "already-ordered");

	const stock = await openDocs(open, `${platform.gateway}/products/docs`);
	const left = await tryOut(stock, "getProduct", { parameters: { id: product.body.id } });
	assert.equal(left.status, 200);
	assert.equal(left.body.inventory, 3);
});
