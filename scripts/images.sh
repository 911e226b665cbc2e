#!/usr/bin/env bash
# Container images of the three services, with docker or podman, whichever is installed (ENGINE=…):
#
#	scripts/images.sh build            product-service, cart-service, order-service, tagged "latest" and
#	                                   with the commit; debug symbols into build/symbols
#	scripts/images.sh push             both tags, to REGISTRY (docker.io/me, say)
#	scripts/images.sh deploy           makes production run the commit's images, as REGISTRY has them now
#	                                   (k8s/images); the deployment is the commit of that change
#
#	REGISTRY        localhost: what the names of the images begin with
#	BASE_IMAGE      docker.io/library/debian:bookworm-slim
#	BUILD_OPTIONS   further options of "build", such as --network host
set -euo pipefail
cd "$(dirname "$0")/.."

services=(product cart order)

die() {
	printf 'images: %s\n' "$*" >&2
	exit 1
}

engine() {
	local found
	for found in ${ENGINE:-docker podman}; do
		if command -v "$found" >/dev/null; then
			printf '%s' "$found"
			return
		fi
	done
	die 'neither docker nor podman is there'
}

# The images of a tree with changes belong to no commit.
version() {
	local commit
	commit=$(git rev-parse HEAD)
	[[ -z $(git status --porcelain -- Makefile docker fcgi-apps nginx scripts/docs-ui.sh 'Dockerfile.*') ]] ||
		commit+=-dirty
	printf '%s' "$commit"
}

# The address of the sources, for people who inspect an image; without a token that the URL may contain.
source_url() {
	git remote get-url origin 2>/dev/null | sed -E 's#^([a-z+]+://)[^/]*@#\1#' || true
}

build() {
	local tool service options=()
	tool=$(engine)
	SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
	export SOURCE_DATE_EPOCH DOCKER_BUILDKIT=1
	# Files get the commit's time, so the same sources and packages make the same layers. docker's own
	# builder dates only the description; the workflow's (buildx) also dates the files.
	options+=(--build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH")
	[[ $tool != *podman ]] || options+=(--format docker --timestamp "$SOURCE_DATE_EPOCH")
	[[ -z ${BASE_IMAGE:-} ]] || options+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
	options+=(--build-arg "VERSION=$VERSION" --build-arg "SOURCE_URL=$(source_url)")
	# shellcheck disable=SC2206 # words
	options+=(${BUILD_OPTIONS:-})
	mkdir -p build/symbols
	for service in "${services[@]}"; do
		"$tool" build "${options[@]}" -f "Dockerfile.$service" \
			-t "$registry/$service-service:$VERSION" -t "$registry/$service-service:latest" .
		"$tool" build "${options[@]}" -f "Dockerfile.$service" --target symbols -o build/symbols .
	done
}

push() {
	local tool service tag
	[[ -n ${REGISTRY:-} ]] || die 'push where? REGISTRY=docker.io/me, say'
	tool=$(engine)
	for service in "${services[@]}"; do
		for tag in "$VERSION" latest; do
			"$tool" push "$registry/$service-service:$tag"
		done
	done
}

# By its digest, an image stays the one that was tested, even if its tag is moved.
digest() { # digest TOOL IMAGE TAG
	local found
	"$1" pull --quiet "$2:$3" >/dev/null || die "$2:$3 is not in the registry"
	found=$("$1" image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$2:$3" |
		sed -n "s#^$2@##p" | head -n 1)
	[[ $found == sha256:* ]] || die "$2:$3 has no digest"
	printf '%s' "$found"
}

deploy() {
	local tool service image found images='' file=k8s/images/kustomization.yaml
	[[ -n ${REGISTRY:-} ]] || die 'deploy from where? REGISTRY=docker.io/me, say'
	[[ $VERSION != *-dirty ]] || die 'there are changes that are in no commit, and so in no image'
	tool=$(engine)
	for service in "${services[@]}"; do
		image=$registry/$service-service
		found=$(digest "$tool" "$image" "$VERSION")
		images+="  - name: $service-service
    newName: $image
    newTag: \"$VERSION\"
    digest: $found
"
	done
	sed -i '/^images:/q' "$file"
	printf '%s' "$images" >>"$file"
	git --no-pager diff --stat -- "$file"
	printf 'Commit %s to deploy %s.\n' "$file" "$VERSION"
}

registry=${REGISTRY:-localhost}
registry=${registry%/}
VERSION=${VERSION:-$(version)}
case ${1:-} in
build | push | deploy) "$1" ;;
*) die 'build, push or deploy?' ;;
esac
