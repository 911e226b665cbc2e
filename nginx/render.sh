#!/bin/sh
# Prints an nginx configuration, made from a template beside this file and the environment:
#
#	SERVICE=product ROUTES=routes nginx/render.sh sidecar > nginx.conf
#	SERVICE=product ROUTES=routes nginx/render.sh internal > internal.conf
#	nginx/render.sh gateway > nginx.conf
#	nginx/render.sh balancer > nginx.conf
#
# A sidecar is two nginx with the same settings: one for the public port, one for the other two.
#
# Settings and their defaults (those of a pod). A bad value stops with a message naming it.
#
#	SERVICE              sidecar: product, cart or order
#	ROUTES               RUNTIME_DIR/routes: a file with what the service prints for --routes. Other paths,
#	                     methods and bodies are refused before any of a body is read
#	LISTEN_ADDRESS       0.0.0.0
#	PUBLIC_PORT          8000
#	INTERNAL_PORT        9000: what siblings may ask, nothing else
#	HEALTH_PORT          9200: probes and metrics, and the whole of the service's document
#	WORKER_SOCKET        /run/app/worker.sock
#	RUNTIME_DIR          /tmp: pid files, a socket between the two nginx of a sidecar, temporary files
#	ACCESS_LOG           /dev/stdout
#	ERROR_LOG            /dev/stderr
#	WORKER_PROCESSES     of the public port: one a processor, at most 2
#	SERVER_NAMES         empty; host names that are served besides localhost, 127.0.0.1 and [::1],
#	                     comma-separated: shop.example.com, or *.example.com for all below it. Others
#	                     get 421. The other two ports also serve addresses and a cluster's own names
#	CONNECTIONS          1024: requests under way at the public port, in all (429 beyond); 0: no limit. Half
#	                     of them with a body, an eighth listings, of one client a quarter of its own
#	CLIENT_CONNECTIONS   64: the same of one client
#	ROOT_PATH            empty, or the prefix a gateway leaves in front: /products
#	CORS_ALLOW_ORIGINS   empty; exact origins, comma-separated, with `*` for any port of a loopback
#	                     host (http://localhost:*), or `*` alone: any origin, without credentials
#	RATE_LIMIT_RPS       200 requests a second and client on the public port; 0: no limit. A client is
#	                     an address of IPv4 or a network (/64) of IPv6
#	STORING_LIMIT_RPS    20: the same of requests that leave something in a store whatever comes of them:
#	                     POST with an Idempotency-Key, POST /carts and POST /orders. 50 times as many may
#	                     come at once: what a client may store in a day is what this limits
#	TRUSTED_PROXIES      empty; addresses or networks of what stands directly in front: of its
#	                     X-Forwarded-For the last entry, which it wrote itself, is the client's address.
#	                     unix:/PATH stands for who can open that socket; it is the public port's
#
#	PRODUCT_ADDRESS, CART_ADDRESS, ORDER_ADDRESS
#	                     gateway, balancer: 127.0.0.1; an IPv4 address, or a name that is looked up
#	                     at start. gateway: also unix:/PATH, of a sidecar's TRUSTED_PROXIES, and no port
#	GATEWAY_PORT         gateway: 8080
#	SOURCE_ADDRESS       gateway: empty, or the address of this machine that it asks sidecars from
#	PRODUCT_PORT, CART_PORT, ORDER_PORT
#	                     gateway: 8001, 8002, 8003; several with commas: one for each replica. A
#	                     second after a file RUNTIME_DIR/away/PORT was made, that one gets nothing
#	                     new, until it is removed; one at a time (docs/OPERATIONS.md)
#	PRODUCT_BALANCER_PORT, CART_BALANCER_PORT
#	                     balancer: 9101, 9102
#	PRODUCT_INTERNAL_PORT, CART_INTERNAL_PORT
#	                     balancer: 9001, 9002; several with commas, and files, as above
set -eu
LC_ALL=C
export LC_ALL

fail() {
	printf 'render.sh: %s="%s": %s\n' "$1" "$2" "$3" >&2
	exit 2
}

# matches VALUE ERE: the whole of it, newlines included.
matches() {
	case $1 in
	*"
"*) return 1 ;;
	esac
	printf '%s\n' "$1" | grep -Eqx -- "$2"
}

whole_number() { # name value lowest highest
	if ! matches "$2" '[0-9]{1,7}' || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		fail "$1" "$2" "must be a whole number from $3 to $4"
	fi
}

path() { # name value
	matches "$2" '/?[^"\\$;{}[:cntrl:]]+' || fail "$1" "$2" 'must be a path'
}

addresses() { # name value
	matches "$2" '[0-9A-Fa-f.:]+(/[0-9]{1,3})?' || fail "$1" "$2" 'must be an IP address or network'
}

unix_socket() { # value
	matches "$1" 'unix:/[A-Za-z0-9/._-]{1,100}'
}

host() { # name value
	matches "$2" '[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?' ||
		fail "$1" "$2" 'must be an IPv4 address or a host name'
}

sidecar_address() { # name value
	[ "$kind" != gateway ] || ! unix_socket "$2" || return 0
	host "$1" "$2"
}

# Prints the names of a server.
server_names() {
	printf 'localhost 127.0.0.1 [::1]'
	matches "$SERVER_NAMES" '[^[:cntrl:]]*' || fail SERVER_NAMES "$SERVER_NAMES" 'must be one line'
	printf '%s\n' "$SERVER_NAMES" | tr -s ' ,' '\n' | while IFS= read -r name; do
		[ -n "$name" ] || continue
		matches "$name" '(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\]' ||
			fail SERVER_NAMES "$SERVER_NAMES" "'$name' is no host name in lower case, without a port"
		printf ' %s' "$name"
	done
	# Of HTTP/1.0, a request without Host.
	printf ' ""'
}

# Prints the zones that requests and connections are counted in.
# shellcheck disable=SC2016 # nginx' variables
client_zones() {
	[ "$RATE_LIMIT_RPS" = 0 ] ||
		printf '\tlimit_req_zone $client zone=clients:4m rate=%dr/s;\n' "$RATE_LIMIT_RPS"
	[ "$STORING_LIMIT_RPS" = 0 ] ||
		printf '\tlimit_req_zone $storing zone=storing:4m rate=%dr/s;\n' "$STORING_LIMIT_RPS"
	printf '\tlimit_conn_zone $client zone=connections_of:4m;\n\tlimit_conn_zone $hostname zone=connections:64k;\n'
	printf '\tlimit_conn_zone $bodied zone=bodies:64k;\n'
}

client_limits() {
	[ "$RATE_LIMIT_RPS" = 0 ] || printf '\t\tlimit_req zone=clients burst=%d nodelay;\n' "$RATE_LIMIT_RPS"
	[ "$STORING_LIMIT_RPS" = 0 ] ||
		printf '\t\tlimit_req zone=storing burst=%d nodelay;\n' $((50 * STORING_LIMIT_RPS))
	connection_limits
}

# A location with a limit of its own inherits none.
connection_limits() {
	[ "$CLIENT_CONNECTIONS" = 0 ] || printf '\t\tlimit_conn connections_of %d;\n' "$CLIENT_CONNECTIONS"
	[ "$CONNECTIONS" = 0 ] || printf '\t\tlimit_conn connections %d;\n\t\tlimit_conn bodies %d;\n' \
		"$CONNECTIONS" $(((CONNECTIONS + 1) / 2))
}

# Answers that may be long, and lie in files for clients that read them slowly.
listing_limits() {
	connection_limits
	[ "$CLIENT_CONNECTIONS" = 0 ] ||
		printf '\t\tlimit_conn listings_of %d;\n' $(((CLIENT_CONNECTIONS + 3) / 4))
	[ "$CONNECTIONS" = 0 ] || printf '\t\tlimit_conn listings %d;\n' $(((CONNECTIONS + 7) / 8))
}

# Prints a location for each path of the service: which methods these callers may use, which of them with a
# body, and how long that may be. Up to 128 KiB stay in memory. A path, or a method of it, that is not for
# them is none: 404; only the public port names the methods that it has. Literal paths come before those with
# parameters, which their names fit, and "/" last, whose pattern is the bare prefix too.
locations() { # callers, as a regular expression
	awk -v callers="$1" '{
		key = $4
		gsub(/\{[^}]*\}/, "~", key)
		method = ("," $1 ",") ~ (",(" callers "),") ? $2 : "-"
		print (key == "/" ? "~" : key), method, $3, $4, $5
	}' "$ROUTES" | LC_ALL=C sort -s -k 1,1 | awk -v public="$([ "$1" != public ] || echo 1)" \
		-v own="$(cd "$directory" && echo *.conf.template)" -f "$directory/locations.awk" |
		substitute /dev/stdin
}

# Prints an upstream. Of several servers the less busy of two is asked; one that is found to be gone
# is left alone for a second. A single one is asked every time. Idle connections end here before the
# sidecar ends them (75 s): none is lost to that race.
pool() { # name server...
	printf '\tupstream %s {\n' "$1"
	fate=
	if [ $# -gt 2 ]; then
		printf '\t\tzone %s 64k;\n\t\trandom two least_conn;\n' "$1"
		fate=' max_fails=1 fail_timeout=1s'
	fi
	shift
	for server; do
		printf '\t\tserver %s%s;\n' "$server" "$fate"
	done
	printf '\t\tkeepalive 64;\n\t\tkeepalive_requests 50000;\n\t\tkeepalive_timeout 60s;\n\t}\n'
}

check_ports() { # name value [address]
	matches "$2" '[0-9]+(,[0-9]+)*' || fail "$1" "$2" 'must be port numbers, with commas between them'
	! several "$2" || ! unix_socket "${3:-}" || fail "$1" "$2" 'must be one: a Unix socket is one replica'
	for port in $(printf '%s' "$2" | tr ',' ' '); do
		whole_number "$1" "$port" 1 65535
	done
}

# Prints a service's upstreams: all its replicas, and all but each one of them.
pools() { # service address ports
	if unix_socket "$2"; then
		pool "$1" "$2"
		return
	fi
	service=$1 address=$2
	# shellcheck disable=SC2046 # words
	set -- $(printf '%s' "$3" | tr ',' ' ')
	# shellcheck disable=SC2046 # words
	pool "$service" $(printf "$address:%s " "$@")
	[ $# -gt 1 ] || return 0
	for away; do
		others=
		for port; do
			[ "$port" = "$away" ] || others="$others $address:$port"
		done
		# shellcheck disable=SC2086 # words
		pool "${service}_without_$away" $others
	done
}

several() { # ports
	case $1 in
	*,*) ;;
	*) return 1 ;;
	esac
}

# Prints how a service's requests go on: while some replica is marked as away, by the detour below.
passing() { # service ports
	! several "$2" || printf '\t\t\tif (-d "%s/away") {\n\t\t\t\trewrite ^ /.present/%s last;\n\t\t\t}\n' \
		"$RUNTIME_DIR" "$1"
	printf '\t\t\tproxy_pass http://%s;\n' "$1"
}

# Prints how a request then chooses: nothing new goes to a replica that is marked.
# shellcheck disable=SC2016 # nginx' variables
detour() { # service ports
	printf '\t\t\tset $pool %s;\n' "$1"
	if several "$2"; then
		for port in $(printf '%s' "$2" | tr ',' ' '); do
			printf '\t\t\tif (-f "%s/away/%s") {\n\t\t\t\tset $pool %s_without_%s;\n\t\t\t}\n' \
				"$RUNTIME_DIR" "$port" "$1" "$port"
		done
	fi
	printf '\t\t\tproxy_pass http://$pool$request_uri;\n'
}

# Prints the lines of a map from the listener and origin to the allowed origin.
cors_lines() {
	[ "$CORS_ALLOW_ORIGINS" != '*' ] || return 0
	matches "$CORS_ALLOW_ORIGINS" '[^[:cntrl:]]*' ||
		fail CORS_ALLOW_ORIGINS "$CORS_ALLOW_ORIGINS" 'must be one line'
	printf '%s\n' "$CORS_ALLOW_ORIGINS" | tr ',' '\n' | while IFS= read -r origin; do
		origin=$(printf '%s' "$origin" | sed 's/^ *//; s/ *$//')
		if matches "$origin" 'https?://(localhost|127\.0\.0\.1|\[::1\]):\*'; then
			pattern=$(printf '%s' "${origin%:\*}" | sed 's/[].[]/\\&/g')
			# shellcheck disable=SC2016 # nginx' variable
			printf '\t\t"~^public %s(?::[0-9]{1,5})?\\z" $http_origin;\n' "$pattern"
		elif matches "$origin" 'https?://([a-z0-9._-]{1,253}|\[[0-9a-f:]+\])(:[0-9]{1,5})?'; then
			printf '\t\t"public %s" "%s";\n' "$origin" "$origin"
		elif [ -n "$origin" ] || [ -n "$CORS_ALLOW_ORIGINS" ]; then
			fail CORS_ALLOW_ORIGINS "$CORS_ALLOW_ORIGINS" \
				"'$origin' is no origin: scheme://host[:port] in lower case, no path, or * alone"
		fi
	done
}

# The rules that cut ROOT_PATH off: from the documentation pages, from the service's own paths put
# behind it (as ASGI applications are mounted), and from the bare prefix unless that is the
# collection's own path. $1 is the map's value.
root_rules() {
	[ -n "$ROOT_PATH" ] || return 0
	printf '\t\t"~(?s)^%s(?<%s>/(?:(?:docs(?:/[^/]+)?|redoc|openapi\\.json)/?|%s(?:/.*)?))\\z" %s;\n' \
		"$ROOT_PATTERN" "$1" "$COLLECTION" "$2"
	[ "$ROOT_PATH" = "/$COLLECTION" ] ||
		printf '\t\t"~^%s/?\\z" %s;\n' "$ROOT_PATTERN" "$3"
}

# Replaces every NAME between at signs by that variable, and include lines by files.
substitute() {
	awk -v directory="$directory" '
	function put(file, line, name, status) {
		while ((status = (getline line < file)) > 0) {
			if (line ~ /^@include /) {
				put(directory "/" substr(line, 10))
				close(directory "/" substr(line, 10))
				continue
			}
			while (match(line, /@[A-Z][A-Z_]*@/)) {
				name = substr(line, RSTART + 1, RLENGTH - 2)
				if (!(name in ENVIRON)) {
					print "render.sh: " file ": no value for " name > "/dev/stderr"
					exit 2
				}
				printf "%s%s", substr(line, 1, RSTART - 1), ENVIRON[name]
				line = substr(line, RSTART + RLENGTH)
			}
			print line
		}
		if (status < 0) {
			print "render.sh: cannot read " file > "/dev/stderr"
			exit 2
		}
	}
	BEGIN { put(ARGV[1]); exit 0 }' "$1"
}

# Prints what only some services have.
own_part() { # suffix
	[ ! -f "$directory/$SERVICE.$1" ] || substitute "$directory/$SERVICE.$1"
}

directory=$(dirname "$0")
kind=${1:-}

# Seconds to wait for an answer: who is further out waits longer, so that the one who knows what went
# wrong says so. A worker ends a request after 5 s (REQUEST_TIMEOUT in responder/service.c), or with what
# its store is asked at that moment, which takes 5 s more at most. Of an import or export it is the
# silence between two pieces. tests/deploy/test_timeouts.py compares the whole chain.
SIDECAR_WAITS=12
BALANCER_WAITS=$((SIDECAR_WAITS + 2))
GATEWAY_WAITS=$((BALANCER_WAITS + 2))
SIDECAR_STREAM_WAITS=60
GATEWAY_STREAM_WAITS=$((SIDECAR_STREAM_WAITS + 5))
# Seconds to finish what is in flight before the end, for a worker DRAIN_SECONDS.
INNER_DRAIN=25
OUTER_DRAIN=$((INNER_DRAIN + 5))
# Seconds of a silent client. The outer nginx gives it up first, who can tell it from a silent sidecar.
CLIENT_SILENCE=10
[ "$kind" != sidecar ] && [ "$kind" != internal ] || CLIENT_SILENCE=$((CLIENT_SILENCE + 5))
export SIDECAR_WAITS BALANCER_WAITS GATEWAY_WAITS SIDECAR_STREAM_WAITS GATEWAY_STREAM_WAITS \
	INNER_DRAIN OUTER_DRAIN CLIENT_SILENCE

INSTANCE=nginx TOO_LARGE='The body is longer than is accepted' TOO_MANY='Too many requests at once: slow down'
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
[ "$processors" -le 2 ] || processors=2

LISTEN_ADDRESS=${LISTEN_ADDRESS:-0.0.0.0}
RUNTIME_DIR=${RUNTIME_DIR:-/tmp}
ACCESS_LOG=${ACCESS_LOG:-/dev/stdout}
ERROR_LOG=${ERROR_LOG:-/dev/stderr}
WORKER_PROCESSES=${WORKER_PROCESSES:-$processors}
CORS_ALLOW_ORIGINS=${CORS_ALLOW_ORIGINS:-}
SERVER_NAMES=${SERVER_NAMES:-}

addresses LISTEN_ADDRESS "$LISTEN_ADDRESS"
path RUNTIME_DIR "$RUNTIME_DIR"
path ACCESS_LOG "$ACCESS_LOG"
path ERROR_LOG "$ERROR_LOG"
whole_number WORKER_PROCESSES "$WORKER_PROCESSES" 1 64

# Only root may name a user: nginx's own processes then stay root, like all of a container's.
USER=
[ "$(id -u)" != 0 ] || USER='user root;'
CORS_DEFAULT=
[ "$CORS_ALLOW_ORIGINS" != '*' ] || CORS_DEFAULT='*'
CORS_ORIGINS=$(cors_lines)
SERVER_NAMES=$(server_names)
export INSTANCE TOO_LARGE TOO_MANY SERVER_NAMES LISTEN_ADDRESS RUNTIME_DIR ACCESS_LOG ERROR_LOG WORKER_PROCESSES USER CORS_DEFAULT CORS_ORIGINS

case $kind in
sidecar | internal)
	SERVICE=${SERVICE:-}
	case $SERVICE in
	product | cart | order) ;;
	*) fail SERVICE "$SERVICE" 'must be product, cart or order' ;;
	esac
	COLLECTION=${SERVICE}s
	PUBLIC_PORT=${PUBLIC_PORT:-8000}
	INTERNAL_PORT=${INTERNAL_PORT:-9000}
	HEALTH_PORT=${HEALTH_PORT:-9200}
	WORKER_SOCKET=${WORKER_SOCKET:-/run/app/worker.sock}
	ROOT_PATH=${ROOT_PATH:-}
	ROUTES=${ROUTES:-$RUNTIME_DIR/routes}
	RATE_LIMIT_RPS=${RATE_LIMIT_RPS:-200}
	STORING_LIMIT_RPS=${STORING_LIMIT_RPS:-20}
	CONNECTIONS=${CONNECTIONS:-1024}
	CLIENT_CONNECTIONS=${CLIENT_CONNECTIONS:-64}
	TRUSTED_PROXIES=${TRUSTED_PROXIES:-}
	whole_number PUBLIC_PORT "$PUBLIC_PORT" 1 65535
	whole_number INTERNAL_PORT "$INTERNAL_PORT" 1 65535
	[ "$PUBLIC_PORT" != "$INTERNAL_PORT" ] ||
		fail INTERNAL_PORT "$INTERNAL_PORT" 'must differ from PUBLIC_PORT'
	whole_number HEALTH_PORT "$HEALTH_PORT" 1 65535
	case $HEALTH_PORT in
	"$PUBLIC_PORT" | "$INTERNAL_PORT")
		fail HEALTH_PORT "$HEALTH_PORT" 'must differ from PUBLIC_PORT and INTERNAL_PORT'
		;;
	esac
	whole_number RATE_LIMIT_RPS "$RATE_LIMIT_RPS" 0 1000000
	whole_number STORING_LIMIT_RPS "$STORING_LIMIT_RPS" 0 1000000
	whole_number CONNECTIONS "$CONNECTIONS" 0 65535
	whole_number CLIENT_CONNECTIONS "$CLIENT_CONNECTIONS" 0 65535
	path WORKER_SOCKET "$WORKER_SOCKET"
	[ -z "$ROOT_PATH" ] || matches "$ROOT_PATH" '(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+' ||
		fail ROOT_PATH "$ROOT_PATH" 'must be empty or like /products, without a slash at its end'

	ROOT_PATTERN=
	[ -z "$ROOT_PATH" ] || ROOT_PATTERN=$(printf '%s' "$ROOT_PATH" | sed 's/\./\\./g')
	# shellcheck disable=SC2016 # nginx' variable
	PATH_RULES=$(root_rules rest '$rest' /)
	PREFIX_RULES=$(root_rules mounted "$ROOT_PATH" "$ROOT_PATH")
	[ -z "$ROOT_PATTERN" ] || ROOT_PATTERN="(?:$ROOT_PATTERN)?"

	REAL_IP=
	PROXY_LISTEN=
	PROXY_LISTEN_TOO=
	if [ -n "$TRUSTED_PROXIES" ]; then
		for proxy in $(printf '%s' "$TRUSTED_PROXIES" | tr ',' ' '); do
			if unix_socket "$proxy"; then
				PROXY_LISTEN="$PROXY_LISTEN		listen $proxy backlog=4096;
"
				PROXY_LISTEN_TOO="$PROXY_LISTEN_TOO		listen $proxy;
"
				proxy=unix:
			else
				addresses TRUSTED_PROXIES "$proxy"
			fi
			REAL_IP="$REAL_IP	set_real_ip_from $proxy;
"
		done
		REAL_IP="$REAL_IP	real_ip_header X-Forwarded-For;
	real_ip_recursive off;"
	fi
	[ -s "$ROUTES" ] || fail ROUTES "$ROUTES" 'must be a file with what the service prints for --routes'
	# What clients may see is as new as its ETag says, or nobody's but its owner's.
	CACHE_CONTROL=no-store
	[ "$SERVICE" != product ] || CACHE_CONTROL=no-cache
	# Places for imports and exports: the worker has a thread for each (product/service.c).
	IMPORTS=4 EXPORTS=3
	CLIENT_ZONES=$(client_zones)
	CLIENT_LIMITS=$(client_limits)
	CONNECTION_LIMITS=$(connection_limits)
	LISTING_LIMITS=$(listing_limits)
	export SERVICE PUBLIC_PORT INTERNAL_PORT HEALTH_PORT WORKER_SOCKET ROOT_PATTERN PATH_RULES PREFIX_RULES REAL_IP \
		PROXY_LISTEN PROXY_LISTEN_TOO CACHE_CONTROL IMPORTS EXPORTS CLIENT_ZONES CLIENT_LIMITS CONNECTION_LIMITS LISTING_LIMITS
	SERVICE_ZONES=$(own_part zones.conf.template)
	LOCATIONS=$(locations public) HEALTH_LOCATIONS=
	if [ "$kind" = internal ]; then
		INSTANCE=internal CONNECTION_LIMITS='' LISTING_LIMITS=''
		LOCATIONS=$(locations 'product|cart|order') HEALTH_LOCATIONS=$(locations operator)
	fi
	BODY_RULES=$(printf '%s\n' "$LOCATIONS" | awk '
		$1 == "location" { pattern = $3 }
		$1 == "client_max_body_size" { print "\t\t\"~" substr(pattern, 2), $2 }')
	# shellcheck disable=SC2016 # nginx' variable
	TOO_LARGE='$too_large' TOO_MANY='$too_many'
	export SERVICE_ZONES LOCATIONS HEALTH_LOCATIONS BODY_RULES
	;;
gateway | balancer)
	SERVICE=$kind
	PRODUCT_ADDRESS=${PRODUCT_ADDRESS:-127.0.0.1}
	CART_ADDRESS=${CART_ADDRESS:-127.0.0.1}
	sidecar_address PRODUCT_ADDRESS "$PRODUCT_ADDRESS"
	sidecar_address CART_ADDRESS "$CART_ADDRESS"
	if [ "$kind" = gateway ]; then
		ORDER_ADDRESS=${ORDER_ADDRESS:-127.0.0.1}
		GATEWAY_PORT=${GATEWAY_PORT:-8080}
		SOURCE_ADDRESS=${SOURCE_ADDRESS:-}
		CONNECTIONS=${CONNECTIONS:-1024}
		CLIENT_CONNECTIONS=${CLIENT_CONNECTIONS:-64}
		sidecar_address ORDER_ADDRESS "$ORDER_ADDRESS"
		whole_number GATEWAY_PORT "$GATEWAY_PORT" 1 65535
		whole_number CONNECTIONS "$CONNECTIONS" 0 65535
		whole_number CLIENT_CONNECTIONS "$CLIENT_CONNECTIONS" 0 65535
		# Rates are for the sidecars to limit.
		RATE_LIMIT_RPS=0 STORING_LIMIT_RPS=0
		CLIENT_ZONES=$(client_zones)
		CLIENT_LIMITS=$(client_limits)
		PROXY_BIND=
		if [ -n "$SOURCE_ADDRESS" ]; then
			addresses SOURCE_ADDRESS "$SOURCE_ADDRESS"
			PROXY_BIND="	proxy_bind $SOURCE_ADDRESS;"
		fi
		PRODUCT_PORTS=${PRODUCT_PORT:-8001}
		CART_PORTS=${CART_PORT:-8002}
		ORDER_PORTS=${ORDER_PORT:-8003}
		check_ports PRODUCT_PORT "$PRODUCT_PORTS" "$PRODUCT_ADDRESS"
		check_ports CART_PORT "$CART_PORTS" "$CART_ADDRESS"
		check_ports ORDER_PORT "$ORDER_PORTS" "$ORDER_ADDRESS"
		ORDER_POOLS=$(pools order "$ORDER_ADDRESS" "$ORDER_PORTS")
		ORDER_PASSING=$(passing order "$ORDER_PORTS")
		ORDER_DETOUR=$(detour order "$ORDER_PORTS")
		export GATEWAY_PORT PROXY_BIND CLIENT_ZONES CLIENT_LIMITS ORDER_POOLS ORDER_PASSING ORDER_DETOUR
	else
		PRODUCT_BALANCER_PORT=${PRODUCT_BALANCER_PORT:-9101}
		CART_BALANCER_PORT=${CART_BALANCER_PORT:-9102}
		whole_number PRODUCT_BALANCER_PORT "$PRODUCT_BALANCER_PORT" 1 65535
		whole_number CART_BALANCER_PORT "$CART_BALANCER_PORT" 1 65535
		PRODUCT_PORTS=${PRODUCT_INTERNAL_PORT:-9001}
		CART_PORTS=${CART_INTERNAL_PORT:-9002}
		check_ports PRODUCT_INTERNAL_PORT "$PRODUCT_PORTS"
		check_ports CART_INTERNAL_PORT "$CART_PORTS"
		export PRODUCT_BALANCER_PORT CART_BALANCER_PORT
	fi
	PRODUCT_POOLS=$(pools product "$PRODUCT_ADDRESS" "$PRODUCT_PORTS")
	PRODUCT_PASSING=$(passing product "$PRODUCT_PORTS")
	PRODUCT_DETOUR=$(detour product "$PRODUCT_PORTS")
	CART_POOLS=$(pools cart "$CART_ADDRESS" "$CART_PORTS")
	CART_PASSING=$(passing cart "$CART_PORTS")
	CART_DETOUR=$(detour cart "$CART_PORTS")
	export SERVICE PRODUCT_POOLS PRODUCT_PASSING PRODUCT_DETOUR CART_POOLS CART_PASSING CART_DETOUR
	;;
*)
	echo 'usage: render.sh sidecar|internal|gateway|balancer' >&2
	exit 2
	;;
esac

substitute "$directory/$kind.conf.template"
