#!/bin/sh
# Measures the platform beside static files, a bare FastCGI loop and two peers; under ten minutes.
#
#	bench/run.sh          prints the tables and writes bench/RESULTS.md
#	bench/run.sh quick    under two minutes, smaller, only prints
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
built=$root/build/bench
peer=$root/bench/peers/fastify

say() {
	printf '%s\n' "$*"
}

case ${1-full} in
full | quick) ;;
*)
	say "usage: bench/run.sh [quick]" >&2
	exit 2
	;;
esac

install_packages() {
	missing=
	for package in wrk sqlite3 python3-fastapi uvicorn python3-uvloop python3-httptools; do
		# shellcheck disable=SC2016 # dpkg's own placeholder
		[ "$(dpkg-query -W -f '${db:Status-Status}' $package 2>/dev/null)" = installed ] ||
			missing="$missing $package"
	done
	# Node.js may be Debian's or another one that brings its own npm.
	command -v npm >/dev/null || missing="$missing nodejs npm"
	[ -n "$missing" ] || return 0
	say "Installing for the benchmark:$missing"
	as_root=
	[ "$(id -u)" = 0 ] || as_root=sudo
	# shellcheck disable=SC2086 # a list of names
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends $missing >/dev/null
}

compile() {
	gcc -D_GNU_SOURCE -std=gnu11 -O2 -D_FORTIFY_SOURCE=3 -pthread -Wall -Wextra -Wshadow \
		-Wconversion -Wno-sign-conversion "$root/bench/$1.c" -o "$built/$1" -lfcgi
}

install_fastify() {
	mkdir -p "$built/fastify"
	cp "$peer/server.js" "$built/fastify/"
	cmp -s "$peer/package-lock.json" "$built/fastify/package-lock.json" &&
		[ -f "$built/fastify/node_modules/.package-lock.json" ] && return 0
	say "Installing Fastify from npm, as bench/peers/fastify/package-lock.json pins it"
	cp "$peer/package.json" "$built/fastify/"
	cp "$peer/package-lock.json" "$built/fastify/"
	(cd "$built/fastify" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}

mkdir -p "$built"
make -s -C "$root" build VARIANT=release
install_packages
compile bare
compile checkout
install_fastify
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$root/bench/bench.py" "$@"
