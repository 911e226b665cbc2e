/* /docs of every service, at its own port and at the gateway: complete, and it calls its service. */
import assert from "node:assert/strict";
import { browse, places, platform } from "./browser.mjs";
import { openDocs, tryOut } from "./swagger.mjs";

const methods = ["get", "put", "post", "patch", "delete"];

await browse(async (open) => {
	for (const { name, base } of places) {
		const openapi = await (await fetch(`${base}/openapi.json`)).json();
		const operations = Object.values(openapi.paths)
			.flatMap((item) => Object.keys(item))
			.filter((method) => methods.includes(method));
		const page = await openDocs(open, `${base}/docs${name === "cart" ? "/" : ""}`);
		await page.locator(".opblock").nth(operations.length - 1).waitFor();
		assert.equal(await page.locator(".opblock").count(), operations.length);
		assert.equal(await page.title(), openapi.info.title);
		await page.getByText("AUTH=off: nobody is asked who they are").waitFor();
		const { address, body } = await tryOut(page, "getDocument");
		assert.equal(address, `${base}/openapi.json`);
		assert.equal(body.info.title, openapi.info.title);

		/* What needs no id works as it is filled in. The gateway has the collection at "/". */
		for (const [path, { get }] of Object.entries(openapi.paths)) {
			if (!get || path.includes("{") || get.operationId === "getDocument") continue;
			if (path === "/" && base.startsWith(platform.gateway)) continue;
			const { status } = await tryOut(page, get.operationId);
			assert.equal(status, 200, `${name} ${get.operationId}`);
		}
		await page.close();
	}
});
