#!/bin/sh
# Sets up Elasticsearch and Kibana for the logs, and waits for both. May be run at any time.
#
#	ELASTICSEARCH_URL  ELASTIC_PASSWORD  KIBANA_SYSTEM_PASSWORD  FLUENTD_PASSWORD
#	KIBANA_URL  CA_FILE  SETUP_DIR  PATIENCE (seconds)
set -eu

: "${PATIENCE:=600}" "${SETUP_DIR:=/setup}"
answer=$(mktemp)
trap 'rm -f "$answer" "$answer.user"' EXIT
umask 077

# The password goes through a file descriptor, not the command line, which every process can read.
ask() { # ask METHOD URL [curl's arguments]
	method=$1
	url=$2
	shift 2
	printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD" |
		curl -sS --config - --cacert "$CA_FILE" --max-time 60 -X "$method" -o "$answer" \
			-w '%{http_code}' "$@" "$url"
}

# expect WHAT METHOD URL …: anything but a 2xx ends the Job, which is then retried.
expect() {
	what=$1
	shift
	status=$(ask "$@") || status=000
	case $status in
	2??) echo "$what: done" ;;
	*)
		echo "$what: status $status: $(head -c 2000 "$answer")" >&2
		exit 1
		;;
	esac
}

await() { # await WHAT URL
	deadline=$(($(date +%s) + PATIENCE))
	until status=$(ask GET "$2" 2>/dev/null) && [ "$status" = 200 ]; do
		if [ "$(date +%s)" -ge "$deadline" ]; then
			echo "$1 does not answer (last status $status)" >&2
			exit 1
		fi
		sleep "${PAUSE:-5}"
	done
}

json='Content-Type: application/json'
await Elasticsearch "$ELASTICSEARCH_URL/_cluster/health?wait_for_status=yellow&timeout=5s"
expect 'lifecycle policy' PUT "$ELASTICSEARCH_URL/_ilm/policy/kubernetes-logs" \
	-H "$json" --data-binary "@$SETUP_DIR/lifecycle.json"
expect 'index template' PUT "$ELASTICSEARCH_URL/_index_template/kubernetes-logs" \
	-H "$json" --data-binary "@$SETUP_DIR/index-template.json"
expect "fluentd's role" PUT "$ELASTICSEARCH_URL/_security/role/fluentd" \
	-H "$json" --data-binary "@$SETUP_DIR/fluentd-role.json"
printf '{"password":"%s","roles":["fluentd"]}' "$FLUENTD_PASSWORD" >"$answer.user"
expect "fluentd's user" PUT "$ELASTICSEARCH_URL/_security/user/fluentd" \
	-H "$json" --data-binary "@$answer.user"
printf '{"password":"%s"}' "$KIBANA_SYSTEM_PASSWORD" >"$answer.user"
expect "Kibana's password" POST "$ELASTICSEARCH_URL/_security/user/kibana_system/_password" \
	-H "$json" --data-binary "@$answer.user"

await Kibana "$KIBANA_URL/api/status"
expect 'saved objects' POST "$KIBANA_URL/api/saved_objects/_import?overwrite=true" \
	-H 'kbn-xsrf: set-up' -F "file=@$SETUP_DIR/saved-objects.ndjson;type=application/ndjson"
# The import answers 200 even if it took only some of them.
grep -q '"success":true' "$answer" || {
	echo "saved objects: $(head -c 2000 "$answer")" >&2
	exit 1
}
