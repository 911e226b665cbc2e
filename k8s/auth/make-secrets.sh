#!/bin/sh
# Prints the Secrets with the keys of guests' secrets and of calls between services. No key is in a file:
#
#	k8s/auth/make-secrets.sh | kubectl create --namespace shop -f -
#
# "create", not "apply": existing keys stay.
set -eu

key() {
	od -An -N32 -v -tx1 /dev/urandom | tr -d ' \n'
}

secret() { # secret SERVICE, then its entries on standard input
	cat <<-END
		---
		apiVersion: v1
		kind: Secret
		metadata:
		  name: $1-auth
		type: Opaque
		stringData:
		$(cat)
	END
}

guests=$(key)
order=$(key)
secret product <<-END
	  service-keys: "order $order\n"
END
secret cart <<-END
	  guest-keys: "$guests\n"
	  service-keys: "order $order\n"
END
secret order <<-END
	  guest-keys: "$guests\n"
	  cart: "$order\n"
	  product: "$order\n"
END
