#!/bin/sh
# Prints the Secret with Grafana's administrator and a random password:
#
#	k8s/monitoring/make-secrets.sh | kubectl create --namespace monitoring -f -
set -eu

cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: grafana-admin
type: kubernetes.io/basic-auth
stringData:
  username: admin
  password: $(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
END
