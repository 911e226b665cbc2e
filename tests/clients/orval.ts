/* A purchase with the functions that orval makes. What they answer is told apart by its status, so
 * problems need no cast. */
import { deepStrictEqual, strictEqual } from "node:assert";
import * as cart from "./generated/orval/cart";
import * as order from "./generated/orval/order";
import * as product from "./generated/orval/product";
import { lamp, unique } from "./shop";

/* Does not compile unless each code is known with its members, and no other is left. */
function checkoutRefused(problem: order.CheckoutRefusedResponse): string {
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

async function sell(): Promise<product.Product> {
	const made = await product.createProduct({ ...lamp, sku: unique("ORVAL") });
	if (made.status !== 201) throw new Error(made.data.code);
	const changed = await product.patchProduct(made.data.id, { price: 0.29, category: null });
	if (changed.status !== 200) throw new Error(changed.data.code);
	const stale = await product.deleteProduct(made.data.id, { headers: { "If-Match": '"1"' } });
	if (stale.status !== 412) throw new Error(`${stale.status}`);
	strictEqual(stale.data.version, changed.data.version);
	return changed.data;
}

async function main() {
	const bought = await sell();
	const found = await product.listProducts({ ids: bought.id, count: true });
	if (found.status !== 200) throw new Error(found.data.code);
	deepStrictEqual(found.data, [bought]);

	const user_id = unique("joan");
	const opened = await cart.createCart({ user_id });
	if (opened.status !== 201) throw new Error(opened.data.code);
	const filled = await cart.addItem(opened.data.id, { product_id: bought.id, quantity: 3 });
	if (filled.status !== 200) throw new Error(filled.data.code);
	strictEqual(filled.data.total_amount, 0.87);

	const wanted = { user_id, cart_id: opened.data.id };
	const placed = await order.createOrder(wanted, { headers: { "Idempotency-Key": unique("key") } });
	if (placed.status !== 201) throw new Error(placed.data.code);
	const again = await order.createOrder(wanted);
	if (again.status !== 409) throw new Error(`${again.status}`);
	strictEqual(checkoutRefused(again.data), placed.data.id);
	const none = await order.getOrder("none");
	if (none.status !== 404) throw new Error(`${none.status}`);
	strictEqual(none.data.code satisfies "not-found", "not-found");
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
