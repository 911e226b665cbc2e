/* Swagger UI, used as a person uses it. */
export async function openDocs(open, address, expected, prepare) {
	const page = await open(address, expected, prepare);
	await page.waitForSelector(".opblock");
	return page;
}

/*
 * "Try it out": opens the operation, fills in what is given, presses Execute. Returns the address
 * that was called, the status, the headers' text and the body.
 */
export async function tryOut(page, operationId, { parameters = {}, choices = {}, body } = {}) {
	const operation = page.locator(`[id^="operations-"][id$="-${operationId}"]`);
	await operation.locator(".opblock-summary-control").click();
	for (const [name, value] of Object.entries(parameters))
		await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
	for (const [name, value] of Object.entries(choices))
		await operation.locator(`tr[data-param-name="${name}"] select`).selectOption(value);
	if (body !== undefined)
		await operation.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
	return execute(operation);
}

/* Executes once more what was tried before. */
export async function repeat(page, operationId) {
	const operation = page.locator(`[id^="operations-"][id$="-${operationId}"]`);
	await operation.locator("button.btn-clear").click();
	return execute(operation);
}

async function execute(operation) {
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

/* "Authorize": what the dialog has of a scheme. */
export async function openScheme(page, name) {
	const schemes = page.locator(".dialog-ux .auth-container");
	if (!(await schemes.first().isVisible())) await page.locator(".scheme-container .authorize").click();
	return schemes.filter({ has: page.locator(`h4:has-text("${name}")`) });
}

export async function closeSchemes(page) {
	await page.locator(".dialog-ux .close-modal").click();
}

/* Pastes a token, or a cart's secret. */
export async function paste(page, name, value) {
	const scheme = await openScheme(page, name);
	await scheme.locator("input").fill(value);
	await scheme.locator("button.authorize").click();
	await scheme.getByRole("button", { name: "Remove authorization" }).waitFor();
	await closeSchemes(page);
}

/* Signs in at the provider's page, which another window shows; returns the scheme once that has closed. */
export async function signIn(page, person, scopes = []) {
	const scheme = await openScheme(page, "signIn");
	for (const scope of scopes) await scheme.locator(`label[for^="${scope}-"]`).click();
	const opening = page.waitForEvent("popup");
	await scheme.locator("button.authorize").click();
	const popup = await opening;
	await popup.locator("input[name=login]").fill(person);
	/* The click may hear of the end before it has returned. */
	const pressed = popup.locator("button").click();
	await Promise.all([popup.waitForEvent("close"), pressed.catch(() => {})]);
	return scheme;
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
