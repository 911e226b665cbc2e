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
		/* What is tried goes to where the page came from, under whichever name. */
		requestInterceptor: (request) => {
			const address = new URL(request.url, openapi);
			request.url = location.origin + address.pathname + address.search;
			return request;
		},
		presets: [SwaggerUIBundle.presets.apis],
		layout: "BaseLayout",
	});
});
