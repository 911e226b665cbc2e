#!/bin/sh
# Makes sure that manifests can be rendered: by kubectl or kustomize where there is one that knows
# components, else by kustomize built into build/tools with Debian's Go, from the Go module proxy.
set -eu
cd "$(dirname "$0")/.."

built=build/tools/kustomize
version=v5.0.3

[ ! -x "$built" ] || exit 0
# kubectl 1.27 brings kustomize 5; Debian 12's is 1.20.
for tool in 'kustomize build' 'kubectl kustomize'; do
	! command -v "${tool%% *}" >/dev/null || ! $tool argocd >/dev/null 2>&1 || exit 0
done

command -v go >/dev/null || {
	printf 'Neither kubectl nor kustomize is there: building kustomize, which needs golang-go\n'
	[ "$(id -u)" = 0 ] && as_root='' || as_root=sudo
	$as_root apt-get -qq install -y --no-install-recommends golang-go ca-certificates >/dev/null
}
printf 'Building kustomize %s into %s\n' "$version" "$built"
mkdir -p build/tools
GOBIN="$PWD/build/tools" GOFLAGS=-modcacherw go install "sigs.k8s.io/kustomize/kustomize/v5@$version"
