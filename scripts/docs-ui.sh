#!/bin/sh
# Fetches Swagger UI and Redoc from npm, as pinned by fcgi-apps/docs-ui/package-lock.json, and packs what
# the pages at /docs and /redoc need into build/docs-ui, for fcgi-apps/responder/docs.c:
#
#	assets.inc   a line for each file: its identifier, name, extension and 60 bits of its hash
#	*.gz         the files, compressed
#
# If npm is missing or cannot fetch, assets.inc is empty: everything builds, and /docs says so.
# Does nothing if everything is up to date.
set -eu

cd "$(dirname "$0")/.."
source=fcgi-apps/docs-ui
built=build/docs-ui
packages=$built/npm/node_modules

say() {
	printf '  DOCS  %s\n' "$*"
}

# A change of any of these files, from npm or from here, packs everything again.
state() {
	cat "$source/package-lock.json" "$source"/*.js "$0" | sha256sum
}

fetch() {
	cmp -s "$source/package-lock.json" "$built/npm/package-lock.json" &&
		[ -f "$packages/.package-lock.json" ] && return 0
	say 'fetching Swagger UI and Redoc from npm'
	mkdir -p "$built/npm"
	rm -rf "$packages"
	cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$built/npm/"
	(cd "$built/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
		--fetch-retries=1 >/dev/null)
}

# pack IDENTIFIER NAME EXTENSION: turns standard input into NAME.EXTENSION.gz and a line of assets.inc.
pack() {
	cat >"$built/file"
	gzip -9n <"$built/file" >"$built/$2.$3.gz"
	printf 'ASSET(%s, "%s", "%s", 0x%.15s)\n' "$1" "$2" "$3" "$(sha256sum <"$built/file")" >>"$built/assets.new"
	rm "$built/file"
}

# Redoc loads its logo from a content delivery network, which the pages' policy forbids: an empty picture
# replaces it. Source maps are not served.
logo='https://cdn.redoc.ly/redoc/logo-mini.svg'
no_logo="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"

pack_all() {
	grep -q "\"$logo\"" "$packages/redoc/bundles/redoc.standalone.js" || {
		say "redoc.standalone.js has no \"$logo\" any more"
		return 1
	}
	pack SWAGGER_STYLE swagger-ui css <"$packages/swagger-ui-dist/swagger-ui.css"
	pack SWAGGER_SCRIPT swagger-ui js <"$packages/swagger-ui-dist/swagger-ui-bundle.js"
	pack SWAGGER_START swagger-start js <"$source/swagger-start.js"
	sed "s|\"$logo\"|\"$no_logo\"|" "$packages/redoc/bundles/redoc.standalone.js" |
		pack REDOC_SCRIPT redoc js
	pack REDOC_START redoc-start js <"$source/redoc-start.js"
}

mkdir -p "$built"
# Builds of several variants may run at the same time.
exec 9>"$built/lock"
flock 9
[ -f "$built/state" ] && [ "$(cat "$built/state")" = "$(state)" ] && exit 0

: >"$built/assets.new"
if ! command -v npm >/dev/null; then
	say 'npm is missing: /docs and /redoc will only say so'
elif ! fetch; then
	say 'npm could not fetch: /docs and /redoc will only say so'
else
	pack_all
	state >"$built/state"
fi
if cmp -s "$built/assets.new" "$built/assets.inc"; then
	rm "$built/assets.new"
else
	mv "$built/assets.new" "$built/assets.inc"
fi
