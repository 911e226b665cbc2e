# shellcheck shell=bash
# The settings of local operation: defaults and permitted values; sourced by common.sh.
#
#	PRODUCT_PORT CART_PORT ORDER_PORT                              8001 8002 8003
#	PRODUCT_INTERNAL_PORT CART_INTERNAL_PORT ORDER_INTERNAL_PORT   9001 9002 9003: for siblings
#	PRODUCT_HEALTH_PORT CART_HEALTH_PORT ORDER_HEALTH_PORT         9201 9202 9203: probes, metrics
#	GATEWAY_PORT                                                   8080
#	DB                                                             sqlite, or postgres: a cluster of its
#	                                                               own under STATE_DIR/postgres
#	REPLICAS                                                       1 to 9 of each service (postgres); the
#	                                                               ports of each are 10 above the last
#	PRODUCT_BALANCER_PORT CART_BALANCER_PORT                       9101 9102: spread over the internal
#	                                                               ports, for the siblings of replicas
#	AUTH                                                           off: everybody may do everything; 1:
#	                                                               tokens of a local issuer (make token);
#	                                                               jwt: what AUTH_ISSUER … say
#	OBSERVE PROMETHEUS_PORT                                        1 starts a Prometheus too, on 9090
#	STATE_DIR                                                      var: sockets, pids, logs, data
#	PRODUCT_DATABASE_URL CART_DATABASE_URL ORDER_DATABASE_URL      what DB says
#	VARIANT                                                        release
#
# The workers' and nginx' own settings (LOG_LEVEL, RATE_LIMIT_RPS …) are passed on.

port_settings=(PRODUCT_PORT CART_PORT ORDER_PORT PRODUCT_INTERNAL_PORT CART_INTERNAL_PORT
	ORDER_INTERNAL_PORT PRODUCT_HEALTH_PORT CART_HEALTH_PORT ORDER_HEALTH_PORT GATEWAY_PORT
	PRODUCT_BALANCER_PORT CART_BALANCER_PORT PROMETHEUS_PORT)

: "${STATE_DIR:=var}" "${VARIANT:=release}" "${OBSERVE:=0}"
: "${CORS_ALLOW_ORIGINS:=http://localhost:*,http://127.0.0.1:*,https://localhost:*}"

# NAME=VALUE of the settings that the platform was started with; `make down` deletes it.
choice_file=$STATE_DIR/run/choice
declare -A chosen=()
if [[ -e $choice_file ]]; then
	while IFS='=' read -r name value; do
		[[ -z $name ]] || chosen[$name]=$value
	done <"$choice_file"
fi
# Only up.sh may change settings: the other scripts use those that the platform was started with.
for name in DB REPLICAS AUTH "${port_settings[@]}"; do
	if [[ -v chosen[$name] && ! (-v starting && -n ${!name:-}) ]]; then
		printf -v "$name" '%s' "${chosen[$name]}"
	fi
done

: "${DB:=sqlite}" "${REPLICAS:=1}" "${AUTH:=off}"
: "${PRODUCT_PORT:=8001}" "${CART_PORT:=8002}" "${ORDER_PORT:=8003}"
: "${PRODUCT_INTERNAL_PORT:=9001}" "${CART_INTERNAL_PORT:=9002}" "${ORDER_INTERNAL_PORT:=9003}"
: "${PRODUCT_HEALTH_PORT:=9201}" "${CART_HEALTH_PORT:=9202}" "${ORDER_HEALTH_PORT:=9203}"
: "${GATEWAY_PORT:=8080}" "${PRODUCT_BALANCER_PORT:=9101}" "${CART_BALANCER_PORT:=9102}"
: "${PROMETHEUS_PORT:=9090}"

[[ $DB == sqlite || $DB == postgres ]] || die "DB=$DB: must be sqlite or postgres"
[[ $AUTH == off || $AUTH == jwt || $AUTH == 1 ]] || die "AUTH=$AUTH: must be off, 1 or jwt"
[[ $OBSERVE == [01] ]] || die "OBSERVE=$OBSERVE: must be 0 or 1"
[[ $REPLICAS == [1-9] ]] || die "REPLICAS=$REPLICAS: must be a number from 1 to 9"
for name in "${port_settings[@]}"; do
	# The ports of further replicas are above these.
	if [[ ! ${!name} =~ ^[1-9][0-9]{0,4}$ ]] || ((${!name} > 65535 - 10 * (REPLICAS - 1))); then
		die "$name=${!name}: must be a port, a number from 1 to $((65535 - 10 * (REPLICAS - 1)))"
	fi
done

if [[ $REPLICAS == 1 ]]; then
	: "${PRODUCT_SERVICE_URL:=http://127.0.0.1:$PRODUCT_INTERNAL_PORT}"
	: "${CART_SERVICE_URL:=http://127.0.0.1:$CART_INTERNAL_PORT}"
else
	: "${PRODUCT_SERVICE_URL:=http://127.0.0.1:$PRODUCT_BALANCER_PORT}"
	: "${CART_SERVICE_URL:=http://127.0.0.1:$CART_BALANCER_PORT}"
fi
if [[ $AUTH == 1 ]]; then
	export AUTH_ISSUER=https://issuer.invalid AUTH_AUDIENCE=shop AUTH_JWKS=$STATE_DIR/issuer/jwks.json
	export GUEST_KEYS=$STATE_DIR/issuer/guest-keys SERVICE_KEYS=$STATE_DIR/issuer/service-keys
	export SERVICE_TOKENS=$STATE_DIR/issuer/order
fi
export CORS_ALLOW_ORIGINS PRODUCT_SERVICE_URL CART_SERVICE_URL GATEWAY_PORT

# Records the settings that up.sh starts with.
remember_choice() {
	local name
	for name in DB REPLICAS AUTH "${port_settings[@]}"; do
		printf '%s=%s\n' "$name" "${!name}"
	done >"$choice_file"
}
