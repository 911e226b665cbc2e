#!/bin/sh
# Installs the Debian packages that are missing for the given purposes, after printing their names.
#
#	scripts/install-packages.sh build|docs|token|postgres|test|browser|clients|provider|coverage|deploy|observe|fuzz|lint|diagram ...
#
# Does nothing, silently, if all are installed.
set -eu

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'install-packages: %s\n' "$*" >&2
	exit 1
}

# Node.js may be Debian's, or another one that includes npm.
npm_packages() {
	command -v npm >/dev/null || echo nodejs npm
}

packages_for() {
	case $1 in
	build)
		echo gcc libc6-dev make libfcgi-dev libhttp-parser-dev libjson-c-dev libsqlite3-dev \
			libmd-dev libpq-dev libssl-dev libunistring-dev nginx spawn-fcgi curl python3 zlib1g-dev
		;;
	docs) npm_packages ;;
	token) echo python3-cryptography ;;
	browser) echo python3-pytest chromium fonts-liberation ;;
	# quicktype's generated code reads times with dateutil.
	clients) echo python3-pytest python3-dateutil ;;
	provider) echo python3-cryptography python3-pytest ;;
	postgres) echo postgresql ;;
	test) echo check openssl python3-cryptography python3-pytest python3-pytest-xdist postgresql spin sqlite3 ;;
	coverage) echo gcovr ;;
	# binutils inspects the images' programs.
	deploy) echo binutils openssl python3-cryptography python3-jsonschema python3-pytest python3-yaml ;;
	# prometheus includes promtool; ruby runs the expressions of fluentd's configuration.
	observe) echo prometheus ruby ;;
	# libFuzzer.
	fuzz) echo clang libclang-rt-dev ;;
	lint) echo clang-format clang-tidy cppcheck shellcheck python3-pyflakes ;;
	diagram) echo graphviz ;;
	*) die "unknown purpose '$1': see the top of scripts/install-packages.sh" ;;
	esac
}

[ $# -gt 0 ] || die 'say for what: see the top of scripts/install-packages.sh'
command -v dpkg-query >/dev/null ||
	die 'this is no Debian: install the packages named in scripts/install-packages.sh by hand'

wanted=
for purpose; do
	more=$(packages_for "$purpose")
	wanted="$wanted${more:+ $more}"
done
[ -n "$wanted" ] || exit 0
# shellcheck disable=SC2016,SC2086 # dpkg's own placeholders; a list of names
installed=$(dpkg-query -W -f '${Package}=${db:Status-Status} ' $wanted 2>/dev/null) || true
missing=
for package in $wanted; do
	case " $installed" in
	*" $package=installed "*) ;;
	*) missing="$missing $package" ;;
	esac
done
missing=${missing# }
[ -n "$missing" ] || exit 0

say "Missing for $*, to be installed by apt-get: $missing"
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	die "needs root for: apt-get install $missing"
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
		-o APT::Install-Recommends=false "$@"
}

# Debian's packages start services that we do not want: nginx on port 80, Prometheus on 9090. This keeps
# them from starting, during this installation and later.
new_services=
for service in nginx prometheus; do
	case " $missing " in
	*" $service "*) new_services="$new_services $service.service" ;;
	esac
done
cleanup=
remove_files() {
	for file in $cleanup; do
		$as_root rm -f "$file"
	done
}
trap remove_files EXIT
# dash runs the trap above only at an exit, not when a signal ends it.
trap 'exit 130' INT TERM HUP
no_start=/usr/sbin/policy-rc.d
if [ -n "$new_services" ] && [ ! -e "$no_start" ]; then
	cleanup="$cleanup $no_start"
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$no_start" >/dev/null
	$as_root chmod 755 "$no_start"
fi

# Debian's package would make and start a cluster that we do not want. This keeps it from doing so, for
# this installation only.
no_cluster=/etc/postgresql-common/createcluster.d/none-by-platform.conf
case " $missing " in
*' postgresql '*)
	$as_root mkdir -p "${no_cluster%/*}"
	echo 'create_main_cluster = false' | $as_root tee "$no_cluster" >/dev/null
	cleanup="$cleanup $no_cluster"
	;;
esac

# If package lists are missing or stale, the first attempt fails: then fetch them.
# shellcheck disable=SC2086 # a list of names
if ! apt install $missing >/dev/null 2>&1; then
	say 'Fetching the package lists (apt-get update)'
	apt update || die 'apt-get update failed: is there a network?'
	apt install $missing >/dev/null || die "apt-get could not install: $missing"
fi

if [ -n "$new_services" ] && command -v systemctl >/dev/null; then
	# shellcheck disable=SC2086 # a list of names
	$as_root systemctl disable --quiet $new_services 2>/dev/null || true
fi
