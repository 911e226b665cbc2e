/*
 * What the scenarios share: a headless Chromium, pages that collect what goes wrong in them, and
 * the platform's addresses, handed over by test_browser.py.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

/* {product, cart, order, gateway, open: "http://127.0.0.1:…"}: open lets any origin in. */
export const platform = JSON.parse(process.env.PLATFORM);
export const services = ["product", "cart", "order"];

/* Every place a service's pages are at: its own port, and the gateway's prefix. */
export const places = services.flatMap((name) => [
	{ name, base: platform[name] },
	{ name, base: `${platform.gateway}/${name}s` },
]);

/* As root, as in a container, Chromium has no sandbox; nothing here leaves the machine. */
const flags = [
	...(process.getuid() === 0 ? ["--no-sandbox"] : []),
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/* Runs scenario(open) with open(address) → page; fails on anything that a page complained of. */
export async function browse(scenario) {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags, timeout: 120_000 });
	const faults = [];
	/* Its popups, too. */
	const watch = (page, address, expected) => {
		const fault = (text) => {
			if (!expected.some((pattern) => pattern.test(text)))
				faults.push(`${address}: ${text}`);
		};
		page.setDefaultTimeout(120_000);
		page.on("popup", (popup) => watch(popup, address, expected));
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type()))
				fault(`${message.text()} (${message.location().url})`);
		});
		page.on("pageerror", (error) => fault(error.message));
		/* Chromium calls the end of an answer without a body "aborted". */
		page.on("requestfailed", (request) => {
			const { errorText } = request.failure();
			if (errorText !== "net::ERR_ABORTED") fault(`${errorText} from ${request.url()}`);
		});
	};
	const open = async (address, expected = [], prepare = () => {}) => {
		const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
		watch(page, address, expected);
		await prepare(page);
		const answer = await page.goto(address);
		assert.equal(answer.status(), 200, address);
		return page;
	};
	try {
		await scenario(open);
	} catch (error) {
		console.error(faults.join("\n"));
		throw error;
	} finally {
		await browser.close();
	}
	assert.deepEqual(faults, []);
}

/* What the page shows now; from one element to the end of another, where they are given. */
export async function picture(page, name, top, end) {
	if (end) {
		const [first, last] = await Promise.all([top.boundingBox(), end.boundingBox()]);
		const height = Math.ceil(last.y + last.height - first.y) + 34;
		await page.setViewportSize({ width: 1280, height });
	}
	if (top) {
		await top.evaluate((element) => {
			element.scrollIntoView();
			scrollBy(0, -24);
		});
		/* Menus follow what is in view. */
		await page.waitForTimeout(500);
	}
	mkdirSync(process.env.SCREENSHOTS, { recursive: true });
	await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
}
