#!/bin/sh
# Prints the Secrets of logging, new ones each time: random passwords, and a certificate authority with
# Elasticsearch's certificate. The authority's key is thrown away: to replace the certificate, make all
# again.
#
#	k8s/logging/make-secrets.sh | kubectl create --namespace logging -f -
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

password() {
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# member NAME FILE: a block of text in a Secret
member() {
	printf '  %s: |\n' "$1"
	sed 's/^/    /' "$2"
}

umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1825 -sha256 \
	-subj '/CN=logging' -keyout ca.key -out ca.crt 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
	-subj '/CN=elasticsearch' -keyout tls.key -out tls.csr 2>/dev/null
cat >extensions <<'END'
subjectAltName = DNS:elasticsearch, DNS:elasticsearch.logging, DNS:elasticsearch.logging.svc
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
END
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1825 -sha256 \
	-extfile extensions -out tls.crt 2>/dev/null

cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: elasticsearch-users
type: Opaque
stringData:
  elastic: $(password)
  kibana_system: $(password)
  fluentd: $(password)
  kibana-encryption: $(password)
---
apiVersion: v1
kind: Secret
metadata:
  name: elasticsearch-tls
type: Opaque
stringData:
END
for name in ca.crt tls.crt tls.key; do
	member "$name" "$name"
done
