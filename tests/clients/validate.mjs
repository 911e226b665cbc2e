/* Validates with ajv as it comes: node validate.mjs DOCUMENT [OPERATION ANSWER]…
 *
 * Of the document every schema, which must compile, and every example; then answers, each a file with
 * the body of a 200 of that operation. What ajv's strict mode has to be told are the names of what
 * OpenAPI and this platform add to JSON Schema; none of its options is set. Prints what is wrong. */
import { readFileSync } from "node:fs";
import addFormats from "ajv-formats";
import Ajv2020 from "ajv/dist/2020.js";

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const [file, ...answers] = process.argv.slice(2);
const document = read(file);
const ajv = new Ajv2020();
addFormats(ajv);
ajv.addVocabulary(["components", "x-decimals", "x-scope"]);
for (const format of ["id", "text-line", "text-block"]) ajv.addFormat(format, true);

let checked = 0;
function check(schema, values, where) {
	const validate = ajv.compile({ ...schema, components: document.components });
	for (const value of values) {
		checked++;
		if (!validate(value)) console.log(where, ajv.errorsText(validate.errors));
	}
}

/* Wherever a schema stands beside examples of it, and the examples within a schema. */
function walk(node, where) {
	if (node === null || typeof node !== "object") return;
	if (!Array.isArray(node) && typeof node.schema === "object") {
		const examples = Object.values(node.examples ?? {}).map((example) => example.value);
		check(node.schema, "example" in node ? [node.example, ...examples] : examples, where);
	}
	for (const [name, inner] of Object.entries(node)) walk(inner, `${where}/${name}`);
}

walk(document, "#");
for (const [name, schema] of Object.entries(document.components.schemas))
	check(schema, schema.examples ?? [], `#/components/schemas/${name}`);

const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
for (let i = 0; i < answers.length; i += 2) {
	const { responses } = operations.find((operation) => operation.operationId === answers[i]);
	check(responses[200].content["application/json"].schema, [read(answers[i + 1])], answers[i]);
}
if (checked === 0) console.log("nothing was checked");
