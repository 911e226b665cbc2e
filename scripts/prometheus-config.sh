#!/bin/sh
# Prints the configuration of a Prometheus on this machine: that of the cluster, from k8s/monitoring, with
# the given targets instead of the discovery of pods, and with the absolute path of its rules.
#
#	scripts/prometheus-config.sh PORT product=127.0.0.1:9201 cart=127.0.0.1:9202 …
#
# PORT is the port that this Prometheus listens on.
set -eu

port=$1
shift
folder=$(cd "$(dirname "$0")/../k8s/monitoring/prometheus" && pwd)
targets='    static_configs:'
for target; do
	targets="$targets
      - targets: ['${target#*=}']
        labels: {service: ${target%%=*}}"
done
# In a replacement, "&" would stand for the match.
rules=$(printf '%s' "$folder/rules.yaml" | sed 's/[\\&]/\\&/g')
TARGETS=$targets RULES=$rules PORT=$port awk '
/# targets: end/ { skip = 0 }
!skip {
	sub(/- rules\.yaml$/, "- " ENVIRON["RULES"])
	sub(/localhost:9090/, "127.0.0.1:" ENVIRON["PORT"])
	print
}
/# targets: begin/ { skip = 1; print ENVIRON["TARGETS"] }
' "$folder/prometheus.yaml"
