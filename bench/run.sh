#!/bin/sh
# Measures the platform: beside static files, a bare FastCGI loop and two peers; with small and
# large catalogues; on both stores; with replicas; after kill -9; the cost of metrics and of tokens.
#
#	bench/run.sh                   prints the tables and writes bench/RESULTS.md; about 14 minutes
#	bench/run.sh [quick] PART...   only prints: compare flat stores replicas recovery metrics tokens
#	bench/run.sh quick             all of them, smaller; about three minutes, only prints
#	bench/run.sh shops             beside Vendure and Medusa, which npm installs (a gigabyte); writes
#	                               bench/SHOPS.md; about ten minutes
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
built=$root/build/bench

say() {
	printf '%s\n' "$*"
}

peers=fastify
for argument; do
	case $argument in
	compare | quick) ;;
	flat | stores | replicas | recovery | metrics | tokens | shops) peers= ;;
	*)
		say "usage: bench/run.sh [quick] [compare|flat|stores|replicas|recovery|metrics|tokens|shops]..." >&2
		exit 2
		;;
	esac
done
case " $* " in
*' compare '*) peers=fastify ;;
esac
case " $* " in
*' shops '*) peers="$peers node vendure medusa" ;;
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

compile() { # program, more for gcc
	program=$1
	shift
	gcc -D_GNU_SOURCE -std=gnu11 -O2 -D_FORTIFY_SOURCE=3 -pthread -Wall -Wextra -Wshadow \
		-Wconversion -Wno-sign-conversion "$root/bench/$program.c" -o "$built/$program" "$@"
}

compile_with_floors() { # program, more for gcc
	libraries=$root/build/release
	compile "$@" -I"$root/fcgi-apps" -I"$root/tests/unit" -Wl,--as-needed \
		"$libraries/libproduct.a" "$libraries/libresponder.a" "$libraries/libupstream.a" \
		"$libraries/libstorage.a" "$libraries/libauth.a" "$libraries/libcontract.a" \
		"$libraries/libbase.a" -lfcgi -ljson-c -lsqlite3 -lhttp_parser -lmd -lunistring -lz
}

install_peer() { # folder in bench/peers
	peer=$root/bench/peers/$1
	mkdir -p "$built/$1"
	find "$peer" -name '*.js' -exec cp {} "$built/$1/" ';'
	cmp -s "$peer/package-lock.json" "$built/$1/package-lock.json" &&
		[ -f "$built/$1/node_modules/.package-lock.json" ] && return 0
	say "Installing from npm, as bench/peers/$1/package-lock.json pins it: $1"
	cp "$peer/package.json" "$peer/package-lock.json" "$built/$1/"
	(cd "$built/$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}

mkdir -p "$built"
make -s -C "$root" build VARIANT=release
"$root/scripts/install-packages.sh" postgres token
install_packages
compile bare -lfcgi
compile checkout
compile_with_floors metrics_cost
compile_with_floors tokens -lcrypto
for peer_wanted in $peers; do
	install_peer "$peer_wanted"
done
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$root/bench/bench.py" "$@"
