/* A purchase with openapi-typescript's types and openapi-fetch. */
import { deepStrictEqual, strictEqual } from "node:assert";
import createClient from "openapi-fetch";
import type { paths as CartPaths } from "./generated/openapi-typescript/cart";
import type { paths as OrderPaths } from "./generated/openapi-typescript/order";
import type { paths as ProductPaths, components } from "./generated/openapi-typescript/product";
import { at, expect, lamp, unique } from "./shop";

const product = createClient<ProductPaths>({ baseUrl: at.product });
const cart = createClient<CartPaths>({ baseUrl: at.cart });
const order = createClient<OrderPaths>({ baseUrl: at.order });

type Refusal<Operation> = Operation extends {
	responses: { 409: { content: { "application/problem+json": infer Problem } } };
}
	? Problem
	: never;

/* Does not compile unless each code is known with its members, and no other is left. */
function checkoutRefused(problem: Refusal<OrderPaths["/orders"]["post"]>): string {
	switch (problem.code) {
		case "insufficient-stock":
			return problem.items.map((line) => `${line.available} of ${line.requested}`).join();
		case "price-changed":
			return problem.items.map((line) => `${line.old_price} -> ${line.new_price}`).join();
		case "already-ordered":
		case "checkout-in-progress":
			return problem.order_id;
		case "cart-empty":
		case "request-in-progress":
			return problem.code;
	}
}

function additionRefused(problem: Refusal<CartPaths["/carts/{id}/items"]["post"]>): number {
	switch (problem.code) {
		case "insufficient-stock":
			return problem.items[0]?.available ?? 0;
		case "quantity-limit":
			return problem.items[0]?.limit ?? 0;
		case "cart-full":
			return problem.limit;
		case "request-in-progress":
			return 0;
	}
}

function transitionRefused(problem: Refusal<OrderPaths["/orders/{id}/status"]["put"]>): string[] {
	switch (problem.code) {
		case "invalid-transition":
			return problem.allowed_transitions;
		case "history-full":
			return [`${problem.limit}`];
	}
}

async function importLines(sku: string) {
	const line: components["schemas"]["ProductImport"] = { ...lamp, sku };
	const made = await product.POST("/products/bulk", {
		body: JSON.stringify(line),
		bodySerializer: (body) => body,
		headers: { "Content-Type": "application/x-ndjson" },
		parseAs: "text",
	});
	const result: components["schemas"]["ImportResult"] = JSON.parse(made.data ?? "");
	strictEqual(result.status, "created");
}

async function main() {
	const sku = unique("FETCH");
	await importLines(sku);
	const found = await product.GET("/products", { params: { query: { sku, in_stock: true } } });
	const [bought] = found.data ?? [];
	strictEqual(bought?.price, 19.99);

	const user_id = unique("ada");
	const opened = await cart.POST("/carts", {
		body: { user_id },
		params: { header: { "Idempotency-Key": unique("key") } },
	});
	const { id } = expect({ status: opened.response.status, value: opened.data }, 201);
	const params = { path: { id } };
	const tooMany = await cart.POST("/carts/{id}/items", { params, body: { product_id: bought.id, quantity: 6 } });
	strictEqual(tooMany.response.status, 409);
	strictEqual(additionRefused(tooMany.error as Parameters<typeof additionRefused>[0]), 5);
	const filled = await cart.POST("/carts/{id}/items", { params, body: { product_id: bought.id, quantity: 3 } });
	strictEqual(filled.data?.total_amount, 59.97);

	const placed = await order.POST("/orders", { body: { user_id, cart_id: id } });
	const made = expect({ status: placed.response.status, value: placed.data, problem: placed.error }, 201);
	strictEqual(made.total_amount, 59.97);
	const again = await order.POST("/orders", { body: { user_id, cart_id: id } });
	strictEqual(again.response.status, 409);
	strictEqual(checkoutRefused(again.error as Parameters<typeof checkoutRefused>[0]), made.id);

	const path = { id: made.id };
	const shipped = await order.PUT("/orders/{id}/status", { params: { path, query: { status: "shipped" } } });
	strictEqual(shipped.data?.status, "shipped");
	const back = await order.PUT("/orders/{id}/status", { params: { path }, body: { status: "pending" } });
	strictEqual(back.response.status, 409);
	deepStrictEqual(transitionRefused(back.error as Parameters<typeof transitionRefused>[0]), ["delivered"]);
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
