#!/usr/bin/env bash
# Prints an nginx configuration made from a template beside this file and the environment:
#
#	SERVICE=product ROUTES=routes nginx/render.sh sidecar > nginx.conf
#	SERVICE=product ROUTES=routes nginx/render.sh internal > internal.conf
#	nginx/render.sh gateway > nginx.conf
#	nginx/render.sh balancer > nginx.conf
#
# A sidecar is two nginx with the same settings: one for the public port, one for the other two.
#
# Settings and their defaults (those of a pod). After a bad value it prints only a message that names it.
#
#	SERVICE              sidecar: product, cart or order
#	ROUTES               RUNTIME_DIR/routes: a file with what the service prints for --routes. Other paths,
#	                     methods and bodies are refused before any of a body is read
#	LISTEN_ADDRESS       0.0.0.0
#	PUBLIC_PORT          8000
#	INTERNAL_PORT        9000: only the operations that siblings call
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
#	                     an address of IPv4 or a network (/64) of IPv6, and whoever shows a token, from
#	                     whatever address
#	STORING_LIMIT_RPS    20: the same of requests that leave something in a store whatever comes of them:
#	                     POST with an Idempotency-Key, POST /carts and POST /orders. 50 times as many may
#	                     come at once: what a client may store in a day is what this limits
#	TRUSTED_PROXIES      empty; addresses or networks of the proxies directly in front: the last entry of
#	                     their X-Forwarded-For, which they wrote themselves, is the client's address.
#	                     unix:/PATH stands for all who can open that socket; it is the public port's
#
#	AUTH_ISSUER          empty, or the provider whose keys the sidecar fetches for the worker
#	AUTH_JWKS            empty: AUTH_ISSUER/.well-known/openid-configuration says where they are; or their
#	                     address, https://…; or a file, of which the sidecar takes no notice
#	AUTH_CA_FILE         /etc/ssl/certs/ca-certificates.crt: who may have signed the provider's certificate
#	SERVICE_JWKS         likewise the keys of the cluster, by which siblings are known: empty, their address, or
#	                     a file. What the worker shows is passed on
#	SERVICE_CA_FILE      as AUTH_CA_FILE
#	PROVIDER_SOCKET      provider.sock in the folder of WORKER_SOCKET: here the worker asks for the keys
#	RESOLVERS            the name servers of /etc/resolv.conf, comma-separated: nginx asks them for the
#	                     provider's whole name, without search domains
#
#	PRODUCT_ADDRESS, CART_ADDRESS, ORDER_ADDRESS
#	                     gateway, balancer: 127.0.0.1; an IPv4 address, or a name that is looked up
#	                     at start. gateway: also unix:/PATH, of a sidecar's TRUSTED_PROXIES, and no port
#	GATEWAY_PORT         gateway: 8080
#	SOURCE_ADDRESS       gateway: empty, or the address of this machine that it connects to sidecars from
#	PRODUCT_PORT, CART_PORT, ORDER_PORT
#	                     gateway: 8001, 8002, 8003; several with commas: one for each replica. A
#	                     second after a file RUNTIME_DIR/away/PORT was made, that one gets nothing
#	                     new, until it is removed; one at a time (docs/OPERATIONS.md)
#	PRODUCT_BALANCER_PORT, CART_BALANCER_PORT
#	                     balancer: 9101, 9102
#	PRODUCT_INTERNAL_PORT, CART_INTERNAL_PORT
#	                     balancer: 9001, 9002; several with commas, and files, as above
# Quotes within values are for nginx.
# shellcheck disable=SC2089,SC2090
set -euf
LC_ALL=C
export LC_ALL

fail() {
	printf 'render.sh: %s="%s": %s\n' "$1" "$2" "$3" >&2
	exit 2
}

# matches VALUE ERE: whether the whole value matches.
matches() {
	[[ $1 =~ ^($2)$ ]]
}

whole_number() { # name value lowest highest
	if ! matches "$2" '[0-9]{1,7}' || ((10#$2 < $3 || 10#$2 > $4)); then
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

sidecar_address() { # name value
	[[ $kind != gateway ]] || ! unix_socket "$2" || return 0
	matches "$2" '[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?' ||
		fail "$1" "$2" 'must be an IPv4 address or a host name'
}

check_ports() { # name value [address]
	local port
	matches "$2" '[0-9]+(,[0-9]+)*' || fail "$1" "$2" 'must be port numbers, with commas between them'
	[[ $2 != *,* ]] || ! unix_socket "${3:-}" || fail "$1" "$2" 'must be one: a Unix socket is one replica'
	for port in ${2//,/ }; do
		whole_number "$1" "$port" 1 65535
	done
}

# One for each processor, at most 2.
worker_processes() {
	local processors
	processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || processors=1
	printf '%d' $((processors < 2 ? processors : 2))
}

# Sets NAMES, the host names of the public server.
read_server_names() {
	local name
	NAMES='localhost 127.0.0.1 [::1]'
	matches "$SERVER_NAMES" '[^[:cntrl:]]*' || fail SERVER_NAMES "$SERVER_NAMES" 'must be one line'
	for name in ${SERVER_NAMES//,/ }; do
		matches "$name" '(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\]' ||
			fail SERVER_NAMES "$SERVER_NAMES" "'$name' is no host name in lower case, without a port"
		NAMES+=" $name"
	done
	# A request of HTTP/1.0 may have no Host.
	NAMES+=' ""'
}

# Sets CORS_DEFAULT and CORS_ORIGINS, lines of a map from listener and origin to the allowed origin.
# shellcheck disable=SC2016 # nginx' variable
read_cors_origins() {
	local origin pattern rest=$CORS_ALLOW_ORIGINS,
	CORS_DEFAULT='' CORS_ORIGINS=''
	if [[ $CORS_ALLOW_ORIGINS == '*' ]]; then
		CORS_DEFAULT='*'
		return
	fi
	[[ -n $CORS_ALLOW_ORIGINS ]] || return 0
	matches "$CORS_ALLOW_ORIGINS" '[^[:cntrl:]]*' ||
		fail CORS_ALLOW_ORIGINS "$CORS_ALLOW_ORIGINS" 'must be one line'
	while [[ -n $rest ]]; do
		[[ ${rest%%,*} =~ ^' '*(.*[^' '])?' '*$ ]]
		origin=${BASH_REMATCH[1]} rest=${rest#*,}
		if matches "$origin" 'https?://(localhost|127\.0\.0\.1|\[::1\]):\*'; then
			pattern=${origin%:\*} pattern=${pattern//./\\.}
			pattern=${pattern/\[/\\[} pattern=${pattern/\]/\\]}
			CORS_ORIGINS+=$'\t\t'"\"~^public $pattern(?::[0-9]{1,5})?\\z\""' $http_origin;'$'\n'
		elif matches "$origin" 'https?://([a-z0-9._-]{1,253}|\[[0-9a-f:]+\])(:[0-9]{1,5})?'; then
			CORS_ORIGINS+=$'\t\t'"\"public $origin\" \"$origin\";"$'\n'
		else
			fail CORS_ALLOW_ORIGINS "$CORS_ALLOW_ORIGINS" \
				"'$origin' is no origin: scheme://host[:port] in lower case, no path, or * alone"
		fi
	done
}

# Sets REAL_IP for the proxies that tell the client's address, and PROXY_LISTEN for their Unix sockets.
read_trusted_proxies() {
	local proxy
	REAL_IP='' PROXY_LISTEN='' PROXY_LISTEN_TOO=''
	[[ -n $TRUSTED_PROXIES ]] || return 0
	for proxy in ${TRUSTED_PROXIES//,/ }; do
		if unix_socket "$proxy"; then
			PROXY_LISTEN+=$'\t\t'"listen $proxy backlog=4096;"$'\n'
			PROXY_LISTEN_TOO+=$'\t\t'"listen $proxy;"$'\n'
			proxy=unix:
		else
			addresses TRUSTED_PROXIES "$proxy"
		fi
		REAL_IP+=$'\t'"set_real_ip_from $proxy;"$'\n'
	done
	REAL_IP+=$'\treal_ip_header X-Forwarded-For;\n\treal_ip_recursive off;'
}

# The same addresses as the worker takes (auth/discovery.h).
is_address() { # value [ERE of what the path must be like]
	((${#1} <= 2000)) &&
		matches "$1" "(https://[A-Za-z0-9.-]+|http://localhost|http://127\\.0\\.0\\.1)(:[0-9]{1,5})?${2-(/[A-Za-z0-9._~%+,:=@/?&-]*)?}"
}

# nginx would ask an address that has no path for its own: /keys.
with_path() { # address
	printf '%s' "$1"
	[[ ${1#*://} == */* ]] || printf /
}

# Sets CONFIGURATION_ADDRESS and KEYS_ADDRESS, if the provider's keys are to be fetched.
# shellcheck disable=SC2016 # nginx' variable
read_provider() {
	CONFIGURATION_ADDRESS='' KEYS_ADDRESS=''
	if [[ $AUTH_JWKS == *://* ]]; then
		is_address "$AUTH_JWKS" || fail AUTH_JWKS "$AUTH_JWKS" 'must be a file or an https:// address'
		KEYS_ADDRESS=$(with_path "$AUTH_JWKS")
	elif [[ -n $AUTH_ISSUER && -z $AUTH_JWKS ]]; then
		is_address "$AUTH_ISSUER" '(/[A-Za-z0-9._~%+,:=@/&-]*)?' ||
			fail AUTH_ISSUER "$AUTH_ISSUER" 'must be an https:// address without a query'
		CONFIGURATION_ADDRESS=${AUTH_ISSUER%/}/.well-known/openid-configuration
		KEYS_ADDRESS='$passed_address'
	fi
}

# Sets SERVICE_KEYS_ADDRESS, if the cluster's keys are to be fetched.
read_cluster() {
	SERVICE_KEYS_ADDRESS=''
	[[ $SERVICE_JWKS == *://* ]] || return 0
	is_address "$SERVICE_JWKS" || fail SERVICE_JWKS "$SERVICE_JWKS" 'must be a file or an https:// address'
	SERVICE_KEYS_ADDRESS=$(with_path "$SERVICE_JWKS")
}

# Sets FETCHES, and RESOLVERS as nginx takes them.
read_fetching() {
	local name word server
	FETCHES=$KEYS_ADDRESS$SERVICE_KEYS_ADDRESS
	[[ -n $FETCHES ]] || return 0
	path PROVIDER_SOCKET "$PROVIDER_SOCKET"
	for name in AUTH_CA_FILE SERVICE_CA_FILE; do
		path "$name" "${!name}"
		[[ -r ${!name} ]] || fail "$name" "${!name}" 'must be a file that can be read'
	done
	if [[ -z $RESOLVERS && -r /etc/resolv.conf ]]; then
		while read -r word server _; do
			[[ $word != nameserver || $server == *%* ]] || RESOLVERS+=${RESOLVERS:+,}$server
		done </etc/resolv.conf
	fi
	# As resolv.conf(5) says.
	set_resolvers "${RESOLVERS:-127.0.0.1}"
}

set_resolvers() { # addresses with commas between
	local server
	RESOLVERS=
	for server in ${1//,/ }; do
		addresses RESOLVERS "$server"
		[[ $server != *:* ]] || server="[$server]"
		RESOLVERS+=${RESOLVERS:+ }$server
	done
}

kind=${1:-}

# Seconds to wait for an answer. Outer hops wait longer, so that the hop that knows what went wrong
# reports it. A worker ends a request after 5 s (REQUEST_TIMEOUT in responder/server.c), or when its store
# has answered, at most 5 s later. For an import or export it is the silence between two pieces; the first
# comes after the answer to its head.
# tests/deploy/test_timeouts.py compares the whole chain.
SIDECAR_WAITS=12
BALANCER_WAITS=$((SIDECAR_WAITS + 2))
GATEWAY_WAITS=$((BALANCER_WAITS + 2))
SIDECAR_STREAM_WAITS=60
GATEWAY_STREAM_WAITS=$((SIDECAR_WAITS + SIDECAR_STREAM_WAITS + 5))
# Seconds to finish requests in flight before stopping; DRAIN_SECONDS for a worker.
INNER_DRAIN=25
OUTER_DRAIN=$((INNER_DRAIN + 5))
# Seconds that a client may be silent. The outer nginx gives up first, because it can tell a silent client
# from a silent sidecar.
CLIENT_SILENCE=10
[[ $kind != sidecar && $kind != internal ]] || CLIENT_SILENCE=$((CLIENT_SILENCE + 5))
export SIDECAR_WAITS BALANCER_WAITS GATEWAY_WAITS SIDECAR_STREAM_WAITS GATEWAY_STREAM_WAITS \
	INNER_DRAIN OUTER_DRAIN CLIENT_SILENCE

INSTANCE=nginx TOO_LARGE='The body is longer than is accepted' TOO_MANY='Too many requests at once: slow down'

LISTEN_ADDRESS=${LISTEN_ADDRESS:-0.0.0.0}
RUNTIME_DIR=${RUNTIME_DIR:-/tmp}
ACCESS_LOG=${ACCESS_LOG:-/dev/stdout}
ERROR_LOG=${ERROR_LOG:-/dev/stderr}
WORKER_PROCESSES=${WORKER_PROCESSES:-$(worker_processes)}
CORS_ALLOW_ORIGINS=${CORS_ALLOW_ORIGINS:-}
SERVER_NAMES=${SERVER_NAMES:-}

addresses LISTEN_ADDRESS "$LISTEN_ADDRESS"
path RUNTIME_DIR "$RUNTIME_DIR"
path ACCESS_LOG "$ACCESS_LOG"
path ERROR_LOG "$ERROR_LOG"
whole_number WORKER_PROCESSES "$WORKER_PROCESSES" 1 64

# Only root may set a user. Its nginx processes all stay root, like everything else in a container.
USER=
((EUID != 0)) || USER='user root;'
read_cors_origins
read_server_names
export INSTANCE TOO_LARGE TOO_MANY NAMES LISTEN_ADDRESS RUNTIME_DIR ACCESS_LOG ERROR_LOG WORKER_PROCESSES USER CORS_DEFAULT CORS_ORIGINS

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
	[[ $PUBLIC_PORT != "$INTERNAL_PORT" ]] ||
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
	[[ -z $ROOT_PATH ]] || matches "$ROOT_PATH" '(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+' ||
		fail ROOT_PATH "$ROOT_PATH" 'must be empty or like /products, without a slash at its end'

	AUTH_ISSUER=${AUTH_ISSUER:-}
	AUTH_JWKS=${AUTH_JWKS:-}
	AUTH_CA_FILE=${AUTH_CA_FILE:-/etc/ssl/certs/ca-certificates.crt}
	SERVICE_JWKS=${SERVICE_JWKS:-}
	SERVICE_CA_FILE=${SERVICE_CA_FILE:-/etc/ssl/certs/ca-certificates.crt}
	PROVIDER_SOCKET=${PROVIDER_SOCKET:-$(dirname "$WORKER_SOCKET")/provider.sock}
	RESOLVERS=${RESOLVERS:-}

	read_trusted_proxies
	read_provider
	read_cluster
	read_fetching
	[[ -s $ROUTES ]] || fail ROUTES "$ROUTES" 'must be a file with what the service prints for --routes'
	# Public data is valid as long as its ETag says; all other data is private to its owner.
	CACHE_CONTROL=no-store
	[[ $SERVICE != product ]] || CACHE_CONTROL=no-cache
	# Slots for imports and exports: the worker has a thread for each (product/service.c).
	IMPORTS=4 EXPORTS=3
	CALLERS=public
	if [[ $kind == internal ]]; then
		INSTANCE=internal CALLERS='product|cart|order' CONNECTIONS=0 CLIENT_CONNECTIONS=0
	fi
	# shellcheck disable=SC2016 # nginx' variable
	TOO_LARGE='$too_large' TOO_MANY='$too_many'
	export PUBLIC_PORT INTERNAL_PORT HEALTH_PORT WORKER_SOCKET ROOT_PATH ROUTES COLLECTION CALLERS REAL_IP \
		PROXY_LISTEN PROXY_LISTEN_TOO CONFIGURATION_ADDRESS KEYS_ADDRESS SERVICE_KEYS_ADDRESS \
		FETCHES AUTH_CA_FILE SERVICE_CA_FILE PROVIDER_SOCKET RESOLVERS CACHE_CONTROL IMPORTS EXPORTS
	;;
gateway | balancer)
	SERVICE=$kind
	PRODUCT_ADDRESS=${PRODUCT_ADDRESS:-127.0.0.1}
	CART_ADDRESS=${CART_ADDRESS:-127.0.0.1}
	sidecar_address PRODUCT_ADDRESS "$PRODUCT_ADDRESS"
	sidecar_address CART_ADDRESS "$CART_ADDRESS"
	if [[ $kind == gateway ]]; then
		ORDER_ADDRESS=${ORDER_ADDRESS:-127.0.0.1}
		GATEWAY_PORT=${GATEWAY_PORT:-8080}
		SOURCE_ADDRESS=${SOURCE_ADDRESS:-}
		CONNECTIONS=${CONNECTIONS:-1024}
		CLIENT_CONNECTIONS=${CLIENT_CONNECTIONS:-64}
		sidecar_address ORDER_ADDRESS "$ORDER_ADDRESS"
		whole_number GATEWAY_PORT "$GATEWAY_PORT" 1 65535
		whole_number CONNECTIONS "$CONNECTIONS" 0 65535
		whole_number CLIENT_CONNECTIONS "$CLIENT_CONNECTIONS" 0 65535
		# The sidecars limit rates.
		RATE_LIMIT_RPS=0 STORING_LIMIT_RPS=0
		PROXY_BIND=
		if [[ -n $SOURCE_ADDRESS ]]; then
			addresses SOURCE_ADDRESS "$SOURCE_ADDRESS"
			PROXY_BIND="	proxy_bind $SOURCE_ADDRESS;"
		fi
		PRODUCT_PORTS=${PRODUCT_PORT:-8001}
		CART_PORTS=${CART_PORT:-8002}
		ORDER_PORTS=${ORDER_PORT:-8003}
		check_ports PRODUCT_PORT "$PRODUCT_PORTS" "$PRODUCT_ADDRESS"
		check_ports CART_PORT "$CART_PORTS" "$CART_ADDRESS"
		check_ports ORDER_PORT "$ORDER_PORTS" "$ORDER_ADDRESS"
		export GATEWAY_PORT PROXY_BIND ORDER_ADDRESS ORDER_PORTS
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
	export PRODUCT_ADDRESS PRODUCT_PORTS CART_ADDRESS CART_PORTS
	;;
*)
	echo 'usage: render.sh sidecar|internal|gateway|balancer' >&2
	exit 2
	;;
esac

export SERVICE RATE_LIMIT_RPS STORING_LIMIT_RPS CONNECTIONS CLIENT_CONNECTIONS
exec awk -f "${0%/*}/render.awk" "${0%/*}/$kind.conf.template"
