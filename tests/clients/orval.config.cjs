/* One file a service; requests go to the address that the environment names. */
const api = (name) => ({
	input: `documents/${name}.json`,
	output: {
		target: `generated/orval/${name}.ts`,
		client: "fetch",
		baseUrl: process.env[`${name.toUpperCase()}_ADDRESS`],
	},
});

module.exports = { product: api("product"), cart: api("cart"), order: api("order") };
