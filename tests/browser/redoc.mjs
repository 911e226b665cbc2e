/* /redoc of every service, at its own port and at the gateway: shown, and searchable. */
import assert from "node:assert/strict";
import { browse, picture, places } from "./browser.mjs";

await browse(async (open) => {
	for (const { name, base } of places) {
		const openapi = await (await fetch(`${base}/openapi.json`)).json();
		const page = await open(`${base}/redoc`);
		await page.waitForSelector("h1");
		assert.match(await page.locator("h1").first().textContent(), new RegExp(openapi.info.title));
		const operations = page.locator('[id^="tag/"][id*="/operation/"]');
		await operations.nth(Object.keys(openapi.paths).length - 1).waitFor();

		/* Runs in a worker made from a blob, which the policy has to let through. */
		await page.locator('input[aria-label="Search"]').fill(name);
		await page.waitForSelector('[data-role="search:results"] li');
		if (name === "order" && base.endsWith("/orders")) {
			await page.locator('input[aria-label="Search"]').fill("");
			await picture(page, "redoc", page.locator('[id$="/operation/createOrder"] h2'));
		}
		await page.close();
	}
});
