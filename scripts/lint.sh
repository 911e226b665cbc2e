#!/usr/bin/env bash
# Formatting, floors, dialect, lengths, static analysis, shell scripts, Python, visible symbols, nginx
# configurations. Runs all checks; exit status 1 if any of them found something.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

failed=()
check() { # check NAME COMMAND…
	local name=$1
	shift
	printf '  LINT  %s\n' "$name"
	"$@" || failed+=("$name")
}

mapfile -t sources < <(find fcgi-apps tests/unit tests/fuzz bench docker -name '*.c' | sort)
mapfile -t headers < <(find fcgi-apps tests/unit tests/fuzz bench -name '*.h' | sort)
mapfile -t shell_scripts < <(find scripts nginx bench docker k8s tests .ci -name node_modules -prune -o -type f -exec grep -lE '^#!.*(sh|bash)$' {} + | sort)
flags=(-D_GNU_SOURCE '-DSERVICE_VERSION="lint"' -DSERVICE=lint -Ifcgi-apps -Ibuild -Itests/unit -Itests/fuzz)
flags_tidy=(-isystem /usr/include/postgresql -include fcgi-apps/base/banned.h -std=gnu11)

format() {
	clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
}

# Counts of suppressed warnings go to stderr, findings to stdout.
tidy() {
	printf '%s\n' "${sources[@]}" | grep '^fcgi-apps/' | xargs -P "$(nproc)" -n 4 sh -c \
		"clang-tidy --quiet \"\$@\" -- ${flags[*]@Q} ${flags_tidy[*]} 2>/dev/null" sh
}

flow() {
	cppcheck -j "$(nproc)" --quiet --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability --suppress=missingIncludeSystem \
		"${flags[@]}" --include=fcgi-apps/base/banned.h fcgi-apps tests/unit tests/fuzz
}

# A file has one concern; 500 lines are enough for it.
lengths() {
	local long
	long=$(find fcgi-apps tests scripts bench docker k8s -name node_modules -prune -o \
		-type f \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.rb' \) -exec wc -l {} + |
		awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines, more than 500" }')
	[[ -z $long ]] || { printf '%s\n' "$long" >&2 && return 1; }
}

nginx_configurations() {
	local directory status=0 settings service built=build/${VARIANT:-release}
	directory=$(mktemp -d)
	"${MAKE:-make}" -s "$built"/{product,cart,order}-service || return 1
	for service in product cart order; do
		"$built/$service-service" --routes >"$directory/$service"
	done
	# One configuration per line: the kind, then settings.
	while read -r -a settings; do
		if ! env RUNTIME_DIR="$directory" ERROR_LOG=stderr ACCESS_LOG=/dev/null \
			PROVIDER_SOCKET="$directory/provider.sock" \
			ROUTES="$directory/${settings[1]#SERVICE=}" "${settings[@]:1}" nginx/render.sh "${settings[0]}" >"$directory/nginx.conf" ||
			! nginx -t -q -p "$directory" -c "$directory/nginx.conf"; then
			printf 'nginx: %s\n' "${settings[*]}" >&2
			status=1
		fi
	done <<-'END'
		sidecar SERVICE=product
		sidecar SERVICE=cart
		sidecar SERVICE=order
		sidecar SERVICE=product ROOT_PATH=/products CORS_ALLOW_ORIGINS=https://shop.example
		sidecar SERVICE=cart ROOT_PATH=/carts RATE_LIMIT_RPS=0 STORING_LIMIT_RPS=0 CONNECTIONS=0 CLIENT_CONNECTIONS=0 CORS_ALLOW_ORIGINS=*
		sidecar SERVICE=order ROOT_PATH=/shop/v1.0 TRUSTED_PROXIES=10.0.0.0/8,fd00::/8
		sidecar SERVICE=product CORS_ALLOW_ORIGINS=http://localhost:*,https://[2001:db8::1]:8443
		internal SERVICE=product
		internal SERVICE=cart ROOT_PATH=/carts SERVER_NAMES=shop.example,*.shop.example
		internal SERVICE=cart AUTH_ISSUER=https://id.example/realms/shop SERVICE_JWKS=https://cluster.example/keys
		internal SERVICE=order AUTH_JWKS=https://id.example/keys RESOLVERS=127.0.0.1,::1
		internal SERVICE=order CONNECTIONS=0 CLIENT_CONNECTIONS=0
		gateway LISTEN_ADDRESS=127.0.0.1 SOURCE_ADDRESS=127.0.0.2 SERVER_NAMES=shop.example
		gateway PRODUCT_PORT=8001,8011,8021 CART_PORT=8002,8012,8022 ORDER_PORT=8003,8013,8023
		balancer LISTEN_ADDRESS=127.0.0.1
		balancer PRODUCT_INTERNAL_PORT=9001,9011,9021 CART_INTERNAL_PORT=9002,9012,9022
	END
	rm -rf "$directory"
	return $status
}

# A library that a program loads must never be bound to a function of ours: jansson, for one, also has a
# json_string().
symbols() {
	local built=build/${VARIANT:-release} visible
	"${MAKE:-make}" -s programs || return 1
	visible=$(readelf -sW "$built"/lib*.a |
		awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }')
	[[ -z $visible ]] || printf 'other libraries can see: %s\n' "$visible" >&2
	[[ -z $visible ]]
}

check 'clang-format' format
check 'floors' scripts/check-floors.sh
check 'dialect' scripts/check-dialect.py
check 'lengths' lengths
check 'cppcheck' flow
check 'clang-tidy' tidy
check 'shellcheck' shellcheck -x "${shell_scripts[@]}"
check 'pyflakes' "${PYTHON:-/usr/bin/python3}" -m pyflakes fcgi-apps scripts tests bench
check 'symbols' symbols
check 'nginx -t' nginx_configurations

if ((${#failed[@]})); then
	printf 'lint: found something: %s\n' "${failed[*]}" >&2
	exit 1
fi
echo 'lint: nothing found'
