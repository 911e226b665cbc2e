#!/bin/sh
# Prints the Secret with the key of guests' secrets, which is in no file:
#
#	k8s/auth/make-secrets.sh | kubectl create --namespace shop -f -
#
# "create", not "apply": an existing key stays.
set -eu

cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: guest-keys
type: Opaque
stringData:
  keys: "$(od -An -N32 -v -tx1 /dev/urandom | tr -d ' \n')\n"
END
