/* What all purchases share: where the services are, and what they buy. */
import { strictEqual } from "node:assert";

function address(name: string): string {
	const value = process.env[`${name}_ADDRESS`];
	if (!value) throw new Error(`${name}_ADDRESS is not set`);
	return value;
}

export const at = {
	product: address("PRODUCT"),
	cart: address("CART"),
	order: address("ORDER"),
};

/* Prism asks for a token where the document does. */
const { TOKEN } = process.env;
const plainFetch = globalThis.fetch;
globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit) => {
	const request = new Request(input, init);
	request.headers.set("Authorization", `Bearer ${TOKEN}`);
	return plainFetch(request);
};

const run = `${process.pid}-${Date.now()}`;
let count = 0;

export function unique(prefix: string): string {
	return `${prefix}-${run}-${++count}`;
}

export const lamp = { name: "Desk lamp", price: 19.99, inventory: 5, tags: ["lamp"] };

/* The value where the status is the one that is meant. */
export function expect<T>(answer: { status: number; value: T | undefined; problem?: unknown }, status: number): T {
	strictEqual(answer.status, status, JSON.stringify(answer.problem));
	if (answer.value === undefined) throw new Error(`${status} without a body`);
	return answer.value;
}
