#!/bin/sh
# Prints the Secrets with the databases' passwords, made up at random. No password is in a file:
#
#	k8s/postgres/make-secrets.sh | kubectl create --namespace shop -f -
#
# "create", not "apply": passwords that are there already stay.
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
