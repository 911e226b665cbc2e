#!/bin/sh
# Prints the path of a kubectl that renders k8s/: the one in PATH if its kustomize is new enough.
#
# Debian 12 packages one from 2021. So this takes the one of the next Debian, from wherever this machine
# gets its packages, checked by apt against Debian's keys, and unpacks it into build/tools. Nothing is
# installed, and the machine's own sources stay as they are.
set -eu
cd "$(dirname "$0")/.."

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
tools=$PWD/build/tools
fetched=$tools/usr/bin/kubectl

die() {
	printf 'kubectl: %s\n' "$*" >&2
	exit 1
}

# "labels" with includeTemplates, "replacements" and components need kustomize 5.
is_new_enough() {
	"$1" version --client 2>/dev/null | grep -Eq '^Kustomize Version: v([5-9]|[1-9][0-9])\.'
}

# Where this machine gets Debian from, without the suite.
mirror() {
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
		awk -v codename="$codename" \
			'$1 == "Packages" && $3 == "main" && ($2 == codename || $2 == "stable") { print $4; exit }'
}

fetch() {
	[ -r "$keyring" ] || die 'this is no Debian: install kubectl 1.27 or newer'
	from=$(mirror)
	[ -n "$from" ] || die 'this machine has no apt source of Debian: install kubectl 1.27 or newer'
	printf "The kubectl of Debian's %s goes into build/tools\n" "$suite" >&2
	mkdir -p "$tools"
	work=$(mktemp -d "$tools/apt.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
	: >"$work/status"
	echo "deb [signed-by=$keyring] $from $suite main" >"$work/sources.list"
	cat >"$work/apt.conf" <<-END
		Dir::Etc::sourcelist "$work/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$work/lists";
		Dir::State::status "$work/status";
		Dir::Cache "$work/cache";
		APT::Sandbox::User "$(id -un)";
	END
	export APT_CONFIG="$work/apt.conf"
	cd "$work"
	apt-get -qq -o APT::Update::Error-Mode=any update >&2 ||
		die "cannot reach the package lists of Debian's $suite: is there a network?"
	apt-get -qq download kubectl >&2 || die "cannot download kubectl from Debian's $suite"
	dpkg-deb -x kubectl_*.deb unpacked
	mkdir -p "${fetched%/*}"
	mv unpacked/usr/bin/kubectl "$fetched"
}

for found in "$(command -v kubectl || true)" "$fetched"; do
	if [ -n "$found" ] && is_new_enough "$found"; then
		echo "$found"
		exit
	fi
done
fetch
is_new_enough "$fetched" || die "the one of Debian's $suite does not run here"
echo "$fetched"
