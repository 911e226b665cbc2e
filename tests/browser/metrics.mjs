/* Prometheus' query page over a platform that is bought from: a line for each service. */
import assert from "node:assert/strict";
import { browse, picture, platform, services } from "./browser.mjs";

const probes = "getLiveness|getReadiness|getMetrics";
const query = new URLSearchParams({
	"g0.expr": `sum by (service) (rate(http_requests_total{operation!~"${probes}"}[20s]))`,
	"g0.tab": "0",
	"g0.range_input": process.env.RANGE,
	"g0.step_input": "1",
});

/* Debian's page loads a module of somebody's as if it were a script. */
const known = [/Unexpected token 'export'/];

await browse(async (open) => {
	const page = await open(`${platform.prometheus}/graph?${query}`, known);
	const legend = page.locator(".legend .line, .graph-legend .legend-item");
	await legend.first().waitFor();
	const lines = (await legend.allTextContents()).map((text) => /service="(\w+)"/.exec(text)[1]);
	assert.deepEqual(lines.sort(), [...services].sort());
	await page.waitForSelector(".graph svg path, .graph-chart canvas");
	await page.waitForTimeout(500);
	await picture(page, "metrics");
});
