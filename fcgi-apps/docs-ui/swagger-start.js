/* Shows the document that lies beside /docs, whatever prefix the page was reached under. */
"use strict";

const openapi = new URL("../openapi.json", document.currentScript.src).href;

addEventListener("DOMContentLoaded", () => {
	document.body.style.margin = 0;
	SwaggerUIBundle({
		url: openapi,
		dom_id: "#page",
		deepLinking: true,
		displayRequestDuration: true,
		tryItOutEnabled: true,
		/* No validator of somebody else's. */
		validatorUrl: null,
		presets: [SwaggerUIBundle.presets.apis],
		layout: "BaseLayout",
	});
});
