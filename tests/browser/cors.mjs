/*
 * Pages of other origins call the API: http://localhost:… is listed (test_browser.py), the
 * same server under http://127.0.0.1:… is not.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { browse, platform } from "./browser.mjs";

const refusal = [/blocked by CORS policy/, /net::ERR_FAILED/];

/* In the page: one call; what it may see of the answer. */
async function call({ address, method = "GET", headers = {}, body, credentials = "omit" }) {
	try {
		const answer = await fetch(address, { method, headers, body, credentials });
		return {
			status: answer.status,
			etag: answer.headers.get("ETag"),
			location: answer.headers.get("Location"),
			requestId: answer.headers.get("X-Request-ID"),
			total: answer.headers.get("X-Total-Count"),
			server: answer.headers.get("Server"),
		};
	} catch (error) {
		return { refused: error.name };
	}
}

const product = (credentials) => ({
	method: "POST",
	credentials,
	/* None of these is simple: the browser asks first (preflight). */
	headers: { "Content-Type": "application/json", "Idempotency-Key": `key-${Math.random()}` },
	body: JSON.stringify({ name: "Lamp", price: 19.99 }),
});

const page = (answer) => answer.writeHead(200, { "Content-Type": "text/html" }).end("<!DOCTYPE html>");
const server = createServer((_, answer) => page(answer));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();

try {
	await browse(async (open) => {
		const listed = await open(`http://localhost:${port}/`);
		for (const base of [platform.product, platform.gateway]) {
			const products = `${base}/products`;
			for (const credentials of ["omit", "include"]) {
				const made = await listed.evaluate(call, {
					address: products,
					...product(credentials),
				});
				assert.equal(made.status, 201);
				assert.match(made.location, /^\/products\//);
				assert.ok(made.etag && made.requestId);
				assert.equal(made.server, null, "only what is exposed");

				const address = base + made.location;
				const headers = { "If-None-Match": made.etag };
				const got = await listed.evaluate(call, { address, credentials, headers });
				assert.equal(got.etag, made.etag);
				const list = await listed.evaluate(call, {
					address: `${products}?count=true&limit=1`,
					credentials,
				});
				assert.ok(Number(list.total) >= 1);
				const gone = await listed.evaluate(call, {
					address,
					credentials,
					method: "DELETE",
					headers: { "If-Match": made.etag },
				});
				assert.equal(gone.status, 204);
			}
		}
		/* Errors are for other origins to read too, also those of nginx. */
		const failing = await open(`http://localhost:${port}/`, [/status of 404/]);
		for (const address of [`${platform.product}/products/none`, `${platform.gateway}/nowhere`]) {
			const answer = await failing.evaluate(call, { address });
			assert.equal(answer.status, 404);
			assert.ok(answer.requestId);
		}

		const stranger = await open(`http://127.0.0.1:${port}/`, refusal);
		for (const base of [platform.product, platform.gateway]) {
			for (const credentials of ["omit", "include"]) {
				const address = `${base}/products`;
				const read = await stranger.evaluate(call, { address, credentials });
				assert.deepEqual(read, { refused: "TypeError" });
				const written = await stranger.evaluate(call, { address, ...product(credentials) });
				assert.deepEqual(written, { refused: "TypeError" });
			}
		}

		/* Where any origin may, it may without credentials only. */
		const anybody = await open(`http://127.0.0.1:${port}/`, refusal);
		const address = `${platform.open}/products`;
		const free = await anybody.evaluate(call, { address, ...product("omit") });
		assert.equal(free.status, 201);
		assert.ok(free.etag);
		const bound = await anybody.evaluate(call, { address, credentials: "include" });
		assert.deepEqual(bound, { refused: "TypeError" });
	});
} finally {
	server.close();
}
