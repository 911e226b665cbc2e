/* A purchase with the client that @hey-api/openapi-ts makes. */
import { deepStrictEqual, strictEqual } from "node:assert";
import * as cart from "./generated/hey-api/cart";
import { client as cartClient } from "./generated/hey-api/cart/client.gen";
import * as order from "./generated/hey-api/order";
import { client as orderClient } from "./generated/hey-api/order/client.gen";
import * as product from "./generated/hey-api/product";
import { client as productClient } from "./generated/hey-api/product/client.gen";
import { at, expect, lamp, unique } from "./shop";

productClient.setConfig({ baseUrl: at.product });
cartClient.setConfig({ baseUrl: at.cart });
orderClient.setConfig({ baseUrl: at.order });

/* Does not compile unless each code is known with its members, and no other is left. */
function checkoutRefused(problem: order.CreateOrderErrors[409]): string {
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

function adjustmentRefused(problem: product.AdjustStockErrors[409]): number {
	switch (problem.code) {
		case "insufficient-stock":
		case "stock-limit":
			return problem.available;
		case "request-in-progress":
			return 0;
	}
}

function transitionRefused(problem: order.SetOrderStatusErrors[409]): string[] {
	switch (problem.code) {
		case "invalid-transition":
			return problem.allowed_transitions;
		case "history-full":
			return [`${problem.limit}`];
	}
}

async function sell(): Promise<product.Product> {
	const made = await product.createProduct({
		body: { ...lamp, sku: unique("HEY") },
		headers: { "Idempotency-Key": unique("key") },
	});
	const { id } = expect({ status: made.response.status, value: made.data, problem: made.error }, 201);
	const less = await product.adjustStock({ path: { id }, body: { delta: -6, reason: "broken" } });
	strictEqual(less.response.status, 409);
	strictEqual(adjustmentRefused(less.error as product.AdjustStockErrors[409]), 5);
	const more = await product.adjustStock({ path: { id }, body: { delta: 1, reason: "found" } });
	return expect({ status: more.response.status, value: more.data, problem: more.error }, 200);
}

async function main() {
	const bought = await sell();
	const found = await product.listProducts({ query: { q: "desk lamp", sort: "-price", limit: 10 } });
	strictEqual(found.data?.some((one) => one.id === bought.id), true);

	const user_id = unique("grace");
	const opened = await cart.createCart({ body: { user_id } });
	const { id } = expect({ status: opened.response.status, value: opened.data, problem: opened.error }, 201);
	const filled = await cart.setItem({ path: { id, product_id: bought.id }, body: { quantity: 2 } });
	strictEqual(filled.data?.total_amount, 39.98);

	const body = { user_id, cart_id: id };
	const placed = await order.createOrder({ body, headers: { "Idempotency-Key": unique("key") } });
	const made = expect({ status: placed.response.status, value: placed.data, problem: placed.error }, 201);
	strictEqual(made.items[0]?.line_total, 39.98);
	const again = await order.createOrder({ body });
	strictEqual(again.response.status, 409);
	strictEqual(checkoutRefused(again.error as order.CreateOrderErrors[409]), made.id);

	const cancelled = await order.setOrderStatus({ path: { id: made.id }, query: { status: "cancelled" } });
	strictEqual(cancelled.data?.status, "cancelled");
	const back = await order.setOrderStatus({ path: { id: made.id }, body: { status: "pending" } });
	strictEqual(back.response.status, 409);
	deepStrictEqual(transitionRefused(back.error as order.SetOrderStatusErrors[409]), []);
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
