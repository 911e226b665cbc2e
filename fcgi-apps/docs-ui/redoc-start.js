/* Shows the document that lies beside /redoc, whatever prefix the page was reached under. */
"use strict";

const openapi = new URL("../openapi.json", document.currentScript.src).href;

addEventListener("DOMContentLoaded", () => {
	document.body.style.margin = 0;
	const fonts = "system-ui, sans-serif";
	Redoc.init(
		openapi,
		{
			hideLoading: true,
			theme: { typography: { fontFamily: fonts, headings: { fontFamily: fonts } } },
		},
		document.getElementById("page"),
	);
});
