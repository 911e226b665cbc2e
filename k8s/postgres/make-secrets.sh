#!/bin/sh
# Prints the Secrets with random passwords for the databases. No password is in a file:
#
#	k8s/postgres/make-secrets.sh | kubectl create --namespace shop -f -
#
# "create", not "apply": existing passwords stay.
set -eu

password() {
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

for name in product cart order; do
	password=$(password)
	cat <<-END
		apiVersion: v1
		kind: Secret
		metadata:
		  name: $name-database
		  labels:
		    cnpg.io/reload: "true"
		type: kubernetes.io/basic-auth
		stringData:
		  username: $name
		  password: $password
		  url: postgresql://$name:$password@postgres-rw:5432/$name
		---
	END
done
cat <<-END
	apiVersion: v1
	kind: Secret
	metadata:
	  name: postgres-superuser
	type: Opaque
	stringData:
	  password: $(password)
END
