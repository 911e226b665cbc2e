#include "responder/docs.h"

#include "base/embed.h"
#include "responder/service.h"

enum asset_id {
	SWAGGER_STYLE,
	SWAGGER_SCRIPT,
	SWAGGER_START,
	REDOC_SCRIPT,
	REDOC_START,
	ASSET_COUNT,
};

#define ASSET_NAME_SIZE 64

struct asset {
	const char *stem;
	const char *extension;
	int64_t hash;     /* of the content: part of the name, and the entity tag */
	const char *data; /* compressed (RFC 1952) */
	const size_t *size;
};

/* Made by scripts/docs-ui.sh; empty where npm was missing. */
#define ASSET(id, stem, extension, hash) EMBED(docs_##id, "docs-ui/" stem "." extension ".gz");
#include <docs-ui/assets.inc>
#undef ASSET

static const struct asset assets[ASSET_COUNT] = {
#define ASSET(id, stem, extension, hash)                                                           \
	[id] = {stem, extension, hash, docs_##id, &docs_##id##_size},
#include <docs-ui/assets.inc>
#undef ASSET
};

/* "connect-src": the page fetches the document, and "Try it out" the service. */
#define POLICY_BASE                                                                                \
	"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "        \
	"script-src 'self'; connect-src 'self'; img-src 'self' data:; "

/* Swagger UI sets styles through the DOM only. */
#define POLICY_SWAGGER POLICY_BASE "style-src 'self'"

/* Redoc makes two <style>s: one of perfect-scrollbar, one empty (the hash of nothing) that it fills
 * through the DOM. Its search runs in a worker made from a blob. */
#define POLICY_REDOC                                                                               \
	POLICY_BASE "style-src 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc=' "             \
		    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; worker-src blob:"

static void asset_name(const struct asset *asset, char name[ASSET_NAME_SIZE])
{
	snprintf(name, ASSET_NAME_SIZE, "%s.%015llx.%s", asset->stem, (long long)asset->hash,
		 asset->extension);
}

bool docs_present(void)
{
	return assets[0].data != NULL;
}

/* Addresses are relative: only the gateway knows the page's full path. Also with a
 * slash at the end of its path the files are beside the document. */
static const char *folder(const struct request *request)
{
	size_t length = strlen(request->path);
	return length > 1 && request->path[length - 1] == '/' ? "../" : "";
}

static void begin_page(struct response *response, const struct request *request, const char *policy)
{
	response->status = 200;
	response->content_type = "text/html; charset=utf-8";
	response_header(response, "Content-Security-Policy", "%s", policy);
	response_header(response, "Cache-Control", "no-cache");
	text_printf(&response->body,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<title>%s</title>\n<link rel=\"icon\" href=\"data:,\">\n",
		    request->runtime->service->title);
}

static void add_asset(struct response *response, const struct request *request, enum asset_id id,
		      const char *before, const char *after)
{
	char name[ASSET_NAME_SIZE];
	asset_name(&assets[id], name);
	text_printf(&response->body, "%s%sdocs/%s%s\n", before, folder(request), name, after);
}

static void add_script(struct response *response, const struct request *request, enum asset_id id)
{
	add_asset(response, request, id, "<script src=\"", "\"></script>");
}

static void end_page(struct response *response)
{
	text_append_string(&response->body,
			   "</head>\n<body>\n<div id=\"page\"></div>\n</body>\n</html>\n");
}

static int tell_missing(struct request *request, struct response *response)
{
	begin_page(response, request, POLICY_BASE);
	text_printf(
		&response->body,
		"</head>\n<body>\n<h1>%s</h1>\n"
		"<p>This page is not in this build: it needs Swagger UI and Redoc, which come "
		"from npm, and npm was missing or could not fetch them. Install npm and run "
		"<code>make build</code> again.</p>\n"
		"<p>The document itself is here: <a href=\"%sopenapi.json\">openapi.json</a></p>\n"
		"</body>\n</html>\n",
		request->runtime->service->title, folder(request));
	return 0;
}

int docs_get_swagger(struct request *request, struct response *response)
{
	if (!docs_present())
		return tell_missing(request, response);
	begin_page(response, request, POLICY_SWAGGER);
	add_asset(response, request, SWAGGER_STYLE, "<link rel=\"stylesheet\" href=\"", "\">");
	add_script(response, request, SWAGGER_SCRIPT);
	add_script(response, request, SWAGGER_START);
	end_page(response);
	return 0;
}

int docs_get_redoc(struct request *request, struct response *response)
{
	if (!docs_present())
		return tell_missing(request, response);
	begin_page(response, request, POLICY_REDOC);
	add_script(response, request, REDOC_SCRIPT);
	add_script(response, request, REDOC_START);
	end_page(response);
	return 0;
}

static const struct asset *find_asset(const char *wanted)
{
	for (size_t i = 0; docs_present() && i < ASSET_COUNT; i++) {
		char name[ASSET_NAME_SIZE];
		asset_name(&assets[i], name);
		if (strcmp(wanted, name) == 0)
			return &assets[i];
	}
	return NULL;
}

int docs_get_file(struct request *request, struct response *response)
{
	const struct asset *asset = find_asset(request_path_parameter(request, "file"));
	if (!asset) {
		response_not_found(response, "File");
		return 0;
	}
	bool style = strcmp(asset->extension, "css") == 0;
	response_constant(response, style ? "text/css" : "text/javascript", asset->data,
			  *asset->size);
	response_version(response, asset->hash);
	response_header(response, "Content-Encoding", "gzip");
	response_header(response, "Cache-Control", "public, max-age=31536000, immutable");
	return 0;
}
