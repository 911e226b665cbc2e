/* Swagger UI, used as a person uses it. */
export async function openDocs(open, address, expected) {
	const page = await open(address, expected);
	await page.waitForSelector(".opblock");
	return page;
}

/*
 * "Try it out": opens the operation, fills in what is given, presses Execute. Returns the address
 * that was called, the status, the headers' text and the body.
 */
export async function tryOut(page, operationId, { parameters = {}, body } = {}) {
	const operation = page.locator(`[id^="operations-"][id$="-${operationId}"]`);
	await operation.locator(".opblock-summary-control").click();
	for (const [name, value] of Object.entries(parameters))
		await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
	if (body !== undefined)
		await operation.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
	await operation.locator("button.execute").click();
	const answer = operation.locator(".live-responses-table .response").first();
	await answer.waitFor();
	const texts = await answer.locator("pre").allTextContents();
	return {
		operation,
		address: await operation.locator(".request-url pre").textContent(),
		status: parseInt(await answer.locator(".response-col_status").textContent(), 10),
		headers: texts.join("\n"),
		body: parsed(texts[0]),
	};
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
