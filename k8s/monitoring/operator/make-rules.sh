#!/bin/sh
# Prints operator/rules.yaml: plain Prometheus' rules as an object for the operator.
set -eu

cat <<'END'
# Made of ../prometheus/rules.yaml by make-rules.sh; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: shop
spec:
END
sed -n '/^groups:/,$p' "$(dirname "$0")/../prometheus/rules.yaml" | sed 's/^./  &/'
