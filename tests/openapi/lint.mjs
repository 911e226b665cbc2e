/* Lints OpenAPI documents with Redocly's rules: node lint.mjs FILE…; silent where all is well. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatProblems, getTotals, lint, loadConfig } from "@redocly/openapi-core";

const here = dirname(fileURLToPath(import.meta.url));
const config = await loadConfig({ configPath: join(here, "redocly.yaml") });
const problems = [];
for (const ref of process.argv.slice(2)) problems.push(...(await lint({ ref, config })));
if (problems.length > 0) {
	formatProblems(problems, { format: "codeframe", totals: getTotals(problems) });
	process.exitCode = 1;
}
